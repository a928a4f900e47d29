import {
  equal,
  isObject,
  metadataOf,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from "../json.ts";
import { compare, fieldsOf, without } from "./compare.ts";
import { FieldSet, pathText } from "./field-set.ts";
import { mergeConfig, removeUnowned } from "./merge.ts";
import type { Shape } from "./shape.ts";

/** One entry of managedFields. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** Who writes, and when. */
export type Writer = Omit<Manager, "fields" | "operation">;

/** Fields that are not owned by anybody (apimachinery managedfields stripmeta). */
const UNOWNED = FieldSet.parse({
  "f:apiVersion": {},
  "f:kind": {},
  "f:metadata": {
    ".": {},
    "f:name": {},
    "f:namespace": {},
    "f:creationTimestamp": {},
    "f:selfLink": {},
    "f:uid": {},
    "f:clusterName": {},
    "f:generation": {},
    "f:managedFields": {},
    "f:resourceVersion": {},
  },
});

/** A field that somebody else owns and the writer wants otherwise. */
export interface Conflict {
  readonly manager: Manager;
  /** The field, in the notation of messages. */
  readonly field: string;
}

/** Reads managedFields. Entries of another fields type are dropped. */
export function parseManagers(metadata: JsonObject): Manager[] {
  return objectsAt(metadata, "managedFields")
    .filter((entry) => stringAt(entry, "operation") !== "")
    .map((entry) => ({
      manager: stringAt(entry, "manager"),
      operation: entry["operation"] === "Apply" ? "Apply" : "Update",
      apiVersion: stringAt(entry, "apiVersion"),
      subresource: stringAt(entry, "subresource"),
      time: stringAt(entry, "time"),
      fields: FieldSet.parse(objectAt(entry, "fieldsV1")),
    }));
}

/** Prints managedFields in the order of API servers; undefined when nobody owns anything. */
export function printManagers(managers: readonly Manager[]): Json[] | undefined {
  const printed = managers
    .filter((entry) => !entry.fields.isEmpty)
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time, b.time) ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map((entry) => ({
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === "" ? {} : { time: entry.time }),
      fieldsType: "FieldsV1",
      fieldsV1: entry.fields.print(),
      ...(entry.subresource === "" ? {} : { subresource: entry.subresource }),
    }));
  return printed.length === 0 ? undefined : printed;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Who owns what after `writer` replaced `before` by `after` in a create, update or patch.
 * `reset` holds the fields that the request cannot write.
 */
export function afterUpdate(
  shape: Shape,
  managers: readonly Manager[],
  before: JsonObject,
  after: JsonObject,
  writer: Writer,
  reset: FieldSet,
): Manager[] {
  const changed = without(compare(shape, bare(before), bare(after)), reset);
  const taken = changed.added.union(changed.modified);
  const others = managers.map((entry) => ({
    ...entry,
    fields: entry.fields.difference(taken).difference(changed.removed),
  }));
  const own = taken.difference(UNOWNED);
  return ownedBy(others, { ...writer, operation: "Update", fields: own });
}

function ownedBy(managers: readonly Manager[], own: Manager): Manager[] {
  const kept = managers.filter((entry) => !entry.fields.isEmpty);
  if (own.fields.isEmpty) return kept;
  const at = kept.findIndex((entry) => isSame(entry, own));
  if (at < 0) return [...kept, own];
  return kept.map((entry, index) =>
    index === at ? { ...own, fields: entry.fields.union(own.fields) } : entry,
  );
}

/** Whether two entries are one manager: an applier of any version, an updater of the same one. */
function isSame(a: Manager, b: Manager): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

/** What came of an apply. */
export type Applied =
  | { readonly kind: "applied"; readonly object: JsonObject; readonly managers: Manager[] }
  | { readonly kind: "conflicts"; readonly conflicts: readonly Conflict[] };

/**
 * Applies `config` to `live` for `writer`: merges, removes what the writer no longer states and nobody
 * else owns, and finds conflicts unless `force`. Neither object's managedFields are looked at.
 */
export function applyConfig(
  shape: Shape,
  managers: readonly Manager[],
  live: JsonObject,
  config: JsonObject,
  writer: Writer,
  reset: FieldSet,
  force: boolean,
): Applied {
  const own: Manager = {
    ...writer,
    operation: "Apply",
    fields: fieldsOf(shape, bare(config)).without(reset),
  };
  const last = managers.find((entry) => isSame(entry, own));
  const others = managers.filter((entry) => entry !== last);
  const merged = mergeConfig(shape, bare(live), bare(config)) as JsonObject;
  const owned = others.reduce((sum, entry) => sum.union(entry.fields), own.fields);
  const pruned = last === undefined ? merged : removeUnowned(shape, merged, last.fields, owned);
  const object = isObject(pruned) ? pruned : {};
  const changed = without(compare(shape, bare(live), object), reset);
  const taken = changed.added.union(changed.modified);
  const conflicts = others.flatMap((entry) =>
    entry.fields
      .intersection(taken)
      .paths()
      .map((path) => ({ manager: entry, field: pathText(path) })),
  );
  if (conflicts.length > 0 && !force) return { kind: "conflicts", conflicts };
  const kept = others.map((entry) => ({
    ...entry,
    fields: entry.fields.difference(taken).difference(changed.removed),
  }));
  const fields = own.fields.difference(UNOWNED);
  // An apply that changes nothing leaves the time as it was, or out.
  const time = equal(object, bare(live)) ? (last?.time ?? "") : own.time;
  return {
    kind: "applied",
    object,
    managers: [
      ...kept.filter((entry) => !entry.fields.isEmpty),
      ...(fields.isEmpty ? [] : [{ ...own, fields, time }]),
    ],
  };
}

/** `object` without its managedFields. */
function bare(object: JsonObject): JsonObject {
  const { managedFields: _managedFields, ...metadata } = metadataOf(object);
  return { ...object, metadata };
}
