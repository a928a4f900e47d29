import {
  arrayAt,
  isObject,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  type JsonObject,
} from "../json.ts";
import { customPrinter } from "../table/custom.ts";
import { ALL_VERBS, type Kind } from "./kind.ts";

/** The kinds that `definition` (a CustomResourceDefinition of apiextensions.k8s.io/v1) serves, one for each version. */
export function customKinds(definition: JsonObject): Kind[] {
  const spec = objectAt(definition, "spec");
  const names = objectAt(spec, "names");
  const group = stringAt(spec, "group");
  const resource = stringAt(names, "plural");
  const name = stringAt(names, "kind");
  const strings = (key: string): string[] => arrayAt(names, key).map(String);
  return objectsAt(spec, "versions")
    .filter((version) => version["served"] === true)
    .map((version) => ({
      group,
      version: stringAt(version, "name"),
      kind: name,
      listKind: stringAt(names, "listKind") === "" ? `${name}List` : stringAt(names, "listKind"),
      resource,
      singular:
        stringAt(names, "singular") === "" ? name.toLowerCase() : stringAt(names, "singular"),
      shortNames: strings("shortNames"),
      categories: strings("categories"),
      namespaced: stringAt(spec, "scope") === "Namespaced",
      verbs: ALL_VERBS,
      subresources: isObject(objectAt(version, "subresources")["status"]) ? ["status"] : [],
      countsGenerations: true,
      storage: `${group}/${resource}`,
      message: undefined,
      structural: objectAt(objectAt(version, "schema"), "openAPIV3Schema"),
      protobuf: false,
      fields: objectsAt(version, "selectableFields").map((field) =>
        stringAt(field, "jsonPath").replace(/^\./, ""),
      ),
      printer: customPrinter(
        objectsAt(version, "additionalPrinterColumns").map((item) => ({
          name: stringAt(item, "name"),
          type: stringAt(item, "type"),
          format: stringAt(item, "format"),
          description: stringAt(item, "description"),
          priority: numberAt(item, "priority"),
          jsonPath: stringAt(item, "jsonPath"),
        })),
      ),
      gracePeriodSeconds: () => 0,
    }));
}
