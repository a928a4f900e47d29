import { FieldSet } from "../apply/field-set.ts";
import {
  afterUpdate,
  parseManagers,
  printManagers,
  type Manager,
  type Writer,
} from "../apply/managers.ts";
import { shapeOf, type Shape } from "../apply/shape.ts";
import { arrayAt, isObject, metadataOf, type JsonObject } from "../json.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import { decodeMessage } from "../schema/decode.ts";
import type { Cluster } from "./cluster.ts";

const shapes = new WeakMap<Kind, Shape>();

/** The shape of objects of `kind`, made once. */
export function shapeFor(cluster: Cluster, kind: Kind): Shape {
  let shape = shapes.get(kind);
  if (shape === undefined) shapes.set(kind, (shape = shapeOf(cluster.schema, kind)));
  return shape;
}

/** Who writes now. */
export function writerOf(
  cluster: Cluster,
  kind: Kind,
  manager: string,
  subresource: string,
): Writer {
  return { manager, apiVersion: apiVersionOf(kind), subresource, time: cluster.timestamp() };
}

const STATUS = FieldSet.parse({ "f:status": {} });
const STATUS_ONLY = FieldSet.parse({
  "f:spec": {},
  "f:metadata": { "f:deletionTimestamp": {}, "f:ownerReferences": {} },
});
const CUSTOM_STATUS_ONLY = FieldSet.parse({ "f:spec": {}, "f:metadata": {} });
const NAMESPACE_STATUS_ONLY = FieldSet.parse({ "f:spec": {} });
const NOTHING = new FieldSet();

/** The fields that a request cannot write (apiserver rest.ResetFieldsStrategy). */
export function resetFields(kind: Kind, subresource: string): FieldSet {
  if (subresource === "status") {
    if (kind.structural !== undefined) return CUSTOM_STATUS_ONLY;
    return kind.storage === "/pods" ? STATUS_ONLY : NAMESPACE_STATUS_ONLY;
  }
  return kind.subresources.includes("status") ? STATUS : NOTHING;
}

/** Records in the managedFields of `fresh` who owns what after it replaced `old`. */
export function trackUpdate(
  cluster: Cluster,
  kind: Kind,
  old: JsonObject | undefined,
  fresh: JsonObject,
  manager: string,
  subresource: string,
): void {
  const current = currentManagers(old, fresh, subresource);
  // Who owns what is recorded from the creation on, or from the first apply; not from some update.
  if (old !== undefined && current.length === 0) {
    setManagers(fresh, []);
    return;
  }
  const before = old ?? emptyObject(cluster, kind);
  const managers = afterUpdate(
    shapeFor(cluster, kind),
    current,
    before,
    fresh,
    writerOf(cluster, kind, manager, subresource),
    resetFields(kind, subresource),
  );
  setManagers(fresh, managers);
}

/** What stands for an object that is not there yet: a struct without values, whose structs are nobody's. */
export function emptyObject(cluster: Cluster, kind: Kind): JsonObject {
  return kind.message === undefined ? {} : decodeMessage(cluster.schema, kind.message, {}).object;
}

/** The owners of a stored object that is applied to: what nobody owns was there before the first apply. */
export function managersBeforeApply(cluster: Cluster, kind: Kind, live: JsonObject): Manager[] {
  const managers = parseManagers(metadataOf(live));
  if (managers.length > 0) return managers;
  return afterUpdate(
    shapeFor(cluster, kind),
    [],
    emptyObject(cluster, kind),
    live,
    writerOf(cluster, kind, "before-first-apply", ""),
    NOTHING,
  );
}

/** Writes managedFields; leaves them out when nobody owns anything. */
export function setManagers(object: JsonObject, managers: readonly Manager[]): void {
  const metadata = metadataOf(object);
  const printed = printManagers(managers);
  if (printed === undefined) delete metadata["managedFields"];
  else metadata["managedFields"] = printed;
}

/** The owners before a write: those that it states itself, unless it states none; then those that are stored. */
function currentManagers(
  old: JsonObject | undefined,
  fresh: JsonObject,
  subresource: string,
): Manager[] {
  const metadata = metadataOf(fresh);
  const stated = arrayAt(metadata, "managedFields");
  const reset = stated.length === 1 && isObject(stated[0]) && Object.keys(stated[0]).length === 0;
  if (reset) return [];
  const own = subresource === "" ? parseManagers(metadata) : [];
  if (own.length > 0) return own;
  return old === undefined ? [] : parseManagers(metadataOf(old));
}
