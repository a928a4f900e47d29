import { forbiddenValue, invalidValue } from "../api/names.ts";
import type { Cause } from "../api/errors.ts";
import { arrayAt, metadataOf, objectAt, objectsAt, stringAt, type JsonObject } from "../json.ts";
import type { Rules } from "./rule.ts";

/** Namespaces: the label with their name, the finalizer of their content. */
export const NAMESPACE_RULES: Rules = {
  nameRule: "label",
  unconditionalUpdate: true,
  defaults: labelWithName,
  onCreate: (object) => {
    const spec = objectAt(object, "spec");
    if (!arrayAt(spec, "finalizers").includes("kubernetes"))
      spec["finalizers"] = [...arrayAt(spec, "finalizers"), "kubernetes"];
    object["spec"] = spec;
    object["status"] = { phase: "Active" };
  },
  onUpdate: (fresh, old) => {
    fresh["spec"] = objectAt(old, "spec");
    fresh["status"] = objectAt(old, "status");
  },
};

function labelWithName(object: JsonObject): void {
  const metadata = metadataOf(object);
  const name = stringAt(metadata, "name");
  if (name === "") return;
  metadata["labels"] = { ...objectAt(metadata, "labels"), "kubernetes.io/metadata.name": name };
}

/** Nodes; a new one takes no pods until it is ready (admission plugin TaintNodesByCondition). */
export const NODE_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  defaults: (object) => {
    const spec = objectAt(object, "spec");
    const cidr = stringAt(spec, "podCIDR");
    if (cidr !== "" && arrayAt(spec, "podCIDRs").length === 0) spec["podCIDRs"] = [cidr];
  },
  onCreate: (object) => {
    const spec = objectAt(object, "spec");
    object["spec"] = spec;
    const taints = objectsAt(spec, "taints");
    const key = "node.kubernetes.io/not-ready";
    if (!taints.some((taint) => taint["key"] === key && taint["effect"] === "NoSchedule"))
      spec["taints"] = [...taints, { key, effect: "NoSchedule" }];
  },
  onUpdate: (fresh, old) => {
    fresh["status"] = objectAt(old, "status");
  },
};

const KEY = /^[-._a-zA-Z0-9]+$/;

function keyCauses(map: JsonObject, field: string): Cause[] {
  return Object.keys(map)
    .filter((key) => !KEY.test(key))
    .map((key) =>
      invalidValue(
        `${field}[${key}]`,
        key,
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ),
    );
}

function immutableCauses(fresh: JsonObject, old: JsonObject, keys: readonly string[]): Cause[] {
  if (old["immutable"] !== true) return [];
  const out: Cause[] = [];
  if (fresh["immutable"] !== true)
    out.push(forbiddenValue("immutable", "field is immutable when `immutable` is set"));
  for (const key of keys)
    if (JSON.stringify(objectAt(fresh, key)) !== JSON.stringify(objectAt(old, key)))
      out.push(forbiddenValue(key, "field is immutable when `immutable` is set"));
  return out;
}

/** ConfigMaps. */
export const CONFIG_MAP_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  validate: (object) => [
    ...keyCauses(objectAt(object, "data"), "data"),
    ...keyCauses(objectAt(object, "binaryData"), "binaryData"),
  ],
  validateUpdate: (fresh, old) => immutableCauses(fresh, old, ["data", "binaryData"]),
};

/** Secrets: `stringData` is written into `data`. */
export const SECRET_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  defaults: (object) => {
    if (stringAt(object, "type") === "") object["type"] = "Opaque";
    const texts = objectAt(object, "stringData");
    if (Object.keys(texts).length > 0) {
      const data = objectAt(object, "data");
      for (const key of Object.keys(texts))
        data[key] = Buffer.from(stringAt(texts, key)).toString("base64");
      object["data"] = data;
    }
    delete object["stringData"];
  },
  validate: (object) => keyCauses(objectAt(object, "data"), "data"),
  validateUpdate: (fresh, old) => {
    const out = immutableCauses(fresh, old, ["data"]);
    if (stringAt(fresh, "type") !== stringAt(old, "type"))
      out.push(invalidValue("type", stringAt(fresh, "type"), "field is immutable"));
    return out;
  },
};
