import { clone, equal, isObject, type Json, type JsonObject } from "../json.ts";
import type { Field, FieldType, MessageType, Schema } from "../schema/parse.ts";

/** A strategic merge patch that cannot be applied. */
export class StrategicPatchError extends Error {}

const DELETE_LIST = "$deleteFromPrimitiveList/";
const ORDER = "$setElementOrder/";

/**
 * Applies a Kubernetes strategic merge patch to a copy of `document`, a message `typeName`:
 * arrays with a merge key are merged by it, and the directives `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/…` and `$setElementOrder/…` are obeyed
 * (community contributors/devel/sig-api-machinery/strategic-merge-patch.md).
 */
export function applyStrategicMergePatch(
  schema: Schema,
  typeName: string,
  document: JsonObject,
  patch: JsonObject,
): JsonObject {
  return mergeMessage(schema, schema.get(typeName), clone(document), patch);
}

function mergeMessage(
  schema: Schema,
  type: MessageType | undefined,
  target: JsonObject,
  patch: JsonObject,
): JsonObject {
  const directive = patch["$patch"];
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge")
    throw new StrategicPatchError(`unrecognized value for $patch: ${JSON.stringify(directive)}`);
  retain(target, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(DELETE_LIST)) {
      const name = key.slice(DELETE_LIST.length);
      const list = target[name];
      if (Array.isArray(list) && Array.isArray(value))
        target[name] = list.filter((item) => !value.some((other) => equal(item, other)));
      continue;
    }
    if (key.startsWith("$")) continue;
    const field = type?.byName.get(key);
    if (value === null) delete target[key];
    else if (Array.isArray(value)) target[key] = mergeList(schema, field, target[key], value);
    else if (isObject(value)) {
      const present = target[key];
      target[key] = mergeObject(schema, field?.type, isObject(present) ? present : {}, value);
    } else target[key] = value;
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith(ORDER) || !Array.isArray(value)) continue;
    const name = key.slice(ORDER.length);
    const list = target[name];
    if (Array.isArray(list)) target[name] = reorder(list, value, type?.byName.get(name));
  }
  return target;
}

function mergeObject(
  schema: Schema,
  type: FieldType | undefined,
  target: JsonObject,
  patch: JsonObject,
): JsonObject {
  if (type?.kind === "message") return mergeMessage(schema, schema.get(type.name), target, patch);
  return mergeMessage(schema, undefined, target, patch);
}

function mergeList(
  schema: Schema,
  field: Field | undefined,
  present: Json | undefined,
  patch: Json[],
): Json[] {
  const replaceAll = patch.some((item) => isObject(item) && item["$patch"] === "replace");
  const items = patch.filter((item) => !(isObject(item) && item["$patch"] === "replace"));
  if (field === undefined || !field.merge || replaceAll) return clone(items);
  const current = Array.isArray(present) ? present : [];
  if (field.mergeKey === "")
    return [...current, ...items.filter((item) => !current.some((other) => equal(item, other)))];
  const { mergeKey } = field;
  const element = field.type.kind === "list" ? field.type.element : undefined;
  let out = current;
  for (const item of items) {
    if (!isObject(item)) continue;
    const key = item[mergeKey];
    if (key === undefined)
      throw new StrategicPatchError(
        `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`,
      );
    const at = out.findIndex((other) => isObject(other) && equal(other[mergeKey], key));
    if (item["$patch"] === "delete") {
      out = out.filter((other) => !(isObject(other) && equal(other[mergeKey], key)));
    } else if (at < 0) {
      out.push(mergeObject(schema, element, {}, item));
    } else {
      out[at] = mergeObject(schema, element, out[at] as JsonObject, item);
    }
  }
  return out;
}

/** Drops what `$retainKeys` does not name. */
function retain(target: JsonObject, patch: JsonObject): void {
  const keys = patch["$retainKeys"];
  if (!Array.isArray(keys)) return;
  for (const key of Object.keys(target)) if (!keys.includes(key)) delete target[key];
}

/** Puts the items that `order` names in its order; others keep their place relative to their neighbours. */
function reorder(list: readonly Json[], order: readonly Json[], field: Field | undefined): Json[] {
  const mergeKey = field?.mergeKey ?? "";
  const keyOf = (item: Json): Json =>
    mergeKey !== "" && isObject(item) ? (item[mergeKey] ?? null) : item;
  const wanted = order.map(keyOf);
  const rank = (item: Json): number => wanted.findIndex((key) => equal(key, keyOf(item)));
  const named = list.filter((item) => rank(item) >= 0).toSorted((a, b) => rank(a) - rank(b));
  const out: Json[] = [];
  let next = 0;
  for (const item of list) out.push(rank(item) >= 0 ? (named[next++] as Json) : item);
  return out;
}

function withoutDirectives(patch: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(patch))
    if (!key.startsWith("$")) out[key] = clone(value);
  return out;
}
