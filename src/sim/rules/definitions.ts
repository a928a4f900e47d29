import type { Cause } from "../api/errors.ts";
import { invalidValue, nameProblems, requiredValue, unsupportedValue } from "../api/names.ts";
import {
  clone,
  isObject,
  metadataOf,
  objectAt,
  objectsAt,
  stringAt,
  type JsonObject,
} from "../json.ts";
import type { Rules } from "./rule.ts";

/** CustomResourceDefinitions: names are accepted and served at once. */
export const CRD_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: false,
  defaults: (object) => {
    const spec = objectAt(object, "spec");
    object["spec"] = spec;
    const names = objectAt(spec, "names");
    spec["names"] = names;
    const kind = stringAt(names, "kind");
    if (stringAt(names, "singular") === "" && kind !== "") names["singular"] = kind.toLowerCase();
    if (stringAt(names, "listKind") === "" && kind !== "") names["listKind"] = `${kind}List`;
    if (!isObject(spec["conversion"])) spec["conversion"] = { strategy: "None" };
  },
  onCreate: (object) => {
    const spec = objectAt(object, "spec");
    const names = clone(objectAt(spec, "names"));
    const at = stringAt(metadataOf(object), "creationTimestamp");
    const stored = objectsAt(spec, "versions").find((version) => version["storage"] === true);
    const condition = (type: string, reason: string, message: string): JsonObject => ({
      type,
      status: "True",
      lastTransitionTime: at,
      reason,
      message,
      observedGeneration: 1,
    });
    object["status"] = {
      conditions: [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
      ],
      acceptedNames: names,
      storedVersions: stored === undefined ? [] : [stringAt(stored, "name")],
      observedGeneration: 1,
    };
  },
  onUpdate: (fresh, old) => {
    fresh["status"] = clone(objectAt(old, "status"));
  },
  validate: (object) => {
    const spec = objectAt(object, "spec");
    const names = objectAt(spec, "names");
    const out: Cause[] = [];
    const group = stringAt(spec, "group");
    const plural = stringAt(names, "plural");
    const name = stringAt(metadataOf(object), "name");
    if (group === "") out.push(requiredValue("spec.group"));
    if (name !== `${plural}.${group}`)
      out.push(invalidValue("metadata.name", name, 'must be spec.names.plural+"."+spec.group'));
    const scope = stringAt(spec, "scope");
    if (scope === "") out.push(requiredValue("spec.scope"));
    else if (scope !== "Namespaced" && scope !== "Cluster")
      out.push(unsupportedValue("spec.scope", scope, ["Cluster", "Namespaced"]));
    const versions = objectsAt(spec, "versions");
    if (versions.filter((version) => version["storage"] === true).length !== 1)
      out.push(
        invalidValue(
          "spec.versions",
          versions,
          "must have exactly one version marked as storage version",
        ),
      );
    for (const [index, version] of versions.entries())
      if (!isObject(objectAt(version, "schema")["openAPIV3Schema"]))
        out.push(
          requiredValue(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required"),
        );
    for (const key of ["plural", "singular", "kind", "listKind"]) {
      const value = stringAt(names, key);
      if (value === "") out.push(requiredValue(`spec.names.${key}`));
      else
        for (const text of nameProblems("label-1035", value.toLowerCase()))
          out.push(invalidValue(`spec.names.${key}`, value, text));
    }
    if (!versions.some((version) => version["storage"] === true))
      out.push(
        invalidValue("status.storedVersions", null, "must have at least one stored version"),
      );
    return out;
  },
};
