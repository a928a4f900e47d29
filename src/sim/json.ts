/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | JsonObject;

/** A JSON object; a Kubernetes object is one. */
export interface JsonObject {
  [key: string]: Json;
}

/** Whether `value` is a JSON object (neither an array nor null). */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object under `key`, or an empty one that is not part of `parent`. */
export function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isObject(value) ? value : {};
}

/** The array under `key`, or an empty one that is not part of `parent`. */
export function arrayAt(parent: JsonObject, key: string): Json[] {
  const value = parent[key];
  return Array.isArray(value) ? value : [];
}

/** The objects of the array under `key`. */
export function objectsAt(parent: JsonObject, key: string): JsonObject[] {
  return arrayAt(parent, key).filter(isObject);
}

/** The strings of the array under `key`. */
export function stringListAt(parent: JsonObject, key: string): string[] {
  return arrayAt(parent, key).filter((item) => typeof item === "string");
}

/** A scalar as text; "" for null, arrays and objects. */
export function scalarText(value: Json | undefined): string {
  return typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

/** The string under `key`, or "". */
export function stringAt(parent: JsonObject, key: string): string {
  const value = parent[key];
  return typeof value === "string" ? value : "";
}

/** The number under `key`, or `fallback`. */
export function numberAt(parent: JsonObject, key: string, fallback = 0): number {
  const value = parent[key];
  return typeof value === "number" ? value : fallback;
}

/** The string entries of the object under `key`. */
export function stringsAt(parent: JsonObject, key: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectAt(parent, key)))
    if (typeof value === "string") out[name] = value;
  return out;
}

/** The `metadata` of a Kubernetes object; made when it has none. */
export function metadataOf(object: JsonObject): JsonObject {
  const metadata = object["metadata"];
  if (isObject(metadata)) return metadata;
  const made: JsonObject = {};
  object["metadata"] = made;
  return made;
}

/** A deep copy. */
export function clone<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => clone(item)) as T;
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const key of Object.keys(value)) out[key] = clone(value[key] as Json);
  return out as T;
}

/** Whether two JSON values are equal; the order of keys does not count. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

/** `value` as JSON with sorted keys, so that equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${entries.join(",")}}`;
}
