import type { Cause } from "../api/errors.ts";
import {
  clone,
  equal,
  isObject,
  objectAt,
  stringAt,
  stringListAt,
  type Json,
  type JsonObject,
} from "../json.ts";

/** The openAPIV3Schema of one version of a CustomResourceDefinition. */
export type Structural = JsonObject;

/** Fields of the top level that belong to every object and not to the schema. */
const ROOT = new Set(["apiVersion", "kind", "metadata"]);

/**
 * Removes what the schema does not name, as API servers do before they store (pruning),
 * and gives the paths of what was removed. `object` is changed.
 */
export function prune(schema: Structural, object: JsonObject): string[] {
  const removed: string[] = [];
  pruneValue(schema, object, "", true, removed);
  return removed;
}

function pruneValue(
  schema: JsonObject,
  value: Json,
  path: string,
  root: boolean,
  removed: string[],
): void {
  if (Array.isArray(value)) {
    const items = schema["items"];
    if (isObject(items))
      for (const [index, item] of value.entries())
        pruneValue(items, item, `${path}[${index}]`, false, removed);
    return;
  }
  if (!isObject(value)) return;
  const properties = objectAt(schema, "properties");
  const additional = schema["additionalProperties"];
  const keep = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const embedded = root || schema["x-kubernetes-embedded-resource"] === true;
  for (const key of Object.keys(value)) {
    if (embedded && ROOT.has(key)) continue;
    const here = path === "" ? key : `${path}.${key}`;
    const property = properties[key];
    if (isObject(property)) pruneValue(property, value[key] as Json, here, false, removed);
    else if (isObject(additional)) pruneValue(additional, value[key] as Json, here, false, removed);
    else if (!keep && additional !== true) {
      delete value[key];
      removed.push(here);
    }
  }
}

/** Fills in the defaults of the schema. `value` is changed. */
export function applyDefaults(schema: JsonObject, value: Json): void {
  if (Array.isArray(value)) {
    const items = schema["items"];
    if (isObject(items)) for (const item of value) applyDefaults(items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, property] of Object.entries(objectAt(schema, "properties"))) {
    if (!isObject(property)) continue;
    const missing =
      value[key] === undefined || (value[key] === null && property["nullable"] !== true);
    if (missing && property["default"] !== undefined) value[key] = clone(property["default"]);
    const present = value[key];
    if (present !== undefined) applyDefaults(property, present);
  }
  const additional = schema["additionalProperties"];
  if (isObject(additional))
    for (const item of Object.values(value)) applyDefaults(additional, item);
}

/** What is wrong with `object` by the schema, in the words of API servers. */
export function validate(schema: Structural, object: JsonObject): Cause[] {
  const causes: Cause[] = [];
  const properties = objectAt(schema, "properties");
  for (const [key, property] of Object.entries(properties)) {
    const value = object[key];
    if (isObject(property) && !ROOT.has(key) && value !== undefined)
      check(property, value, key, causes);
  }
  for (const name of stringListAt(schema, "required"))
    if (!ROOT.has(name) && object[name] === undefined) causes.push(required(name));
  return causes;
}

function required(field: string): Cause {
  return { reason: "FieldValueRequired", message: "Required value", field };
}

function bad(field: string, value: Json, text: string): Cause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${show(value)}: ${text}`,
    field,
  };
}

function show(value: Json): string {
  return JSON.stringify(value);
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function check(schema: JsonObject, value: Json, path: string, causes: Cause[]): void {
  if (value === null) {
    if (schema["nullable"] !== true && stringAt(schema, "type") !== "")
      causes.push(wrongType(path, value, stringAt(schema, "type")));
    return;
  }
  const type = stringAt(schema, "type");
  const found = typeOf(value);
  const fits =
    type === "" ||
    type === found ||
    (type === "number" && found === "integer") ||
    (schema["x-kubernetes-int-or-string"] === true && (found === "integer" || found === "string"));
  if (!fits) {
    causes.push(wrongType(path, value, type));
    return;
  }
  const options = schema["enum"];
  if (Array.isArray(options) && !options.some((option) => equal(option, value)))
    causes.push({
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${show(value)}: supported values: ${options.map((option) => show(option)).join(", ")}`,
      field: path,
    });
  if (typeof value === "string") checkString(schema, value, path, causes);
  else if (typeof value === "number") checkNumber(schema, value, path, causes);
  else if (Array.isArray(value)) checkArray(schema, value, path, causes);
  else if (isObject(value)) checkObject(schema, value, path, causes);
}

function wrongType(path: string, value: Json, type: string): Cause {
  return {
    reason: "FieldValueTypeInvalid",
    message: `Invalid value: ${value === null ? '"null"' : JSON.stringify(typeOf(value))}: ${path} in body must be of type ${type}: ${JSON.stringify(typeOf(value))}`,
    field: path,
  };
}

/** The first thing wrong with a string: the checks after it are not made. */
function checkString(schema: JsonObject, value: string, path: string, causes: Cause[]): void {
  const { minLength, maxLength, pattern } = schema;
  if (typeof maxLength === "number" && characters(value) > maxLength)
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${maxLength} bytes`,
      field: path,
    });
  else if (typeof minLength === "number" && characters(value) < minLength)
    causes.push(bad(path, value, `${path} in body should be at least ${minLength} chars long`));
  else if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value))
    causes.push(bad(path, value, `${path} in body should match '${pattern}'`));
}

/** The number of code points, as schemas count. */
function characters(value: string): number {
  return Array.from(value).length;
}

function checkNumber(schema: JsonObject, value: number, path: string, causes: Cause[]): void {
  const { minimum, maximum } = schema;
  if (typeof minimum === "number" && value < minimum)
    causes.push(bad(path, value, `${path} in body should be greater than or equal to ${minimum}`));
  if (typeof maximum === "number" && value > maximum)
    causes.push(bad(path, value, `${path} in body should be less than or equal to ${maximum}`));
}

function checkArray(schema: JsonObject, value: Json[], path: string, causes: Cause[]): void {
  const { items, minItems, maxItems } = schema;
  if (typeof maxItems === "number" && value.length > maxItems)
    causes.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${value.length}: must have at most ${maxItems} items`,
      field: path,
    });
  if (typeof minItems === "number" && value.length < minItems)
    causes.push(bad(path, value.length, `${path} in body should have at least ${minItems} items`));
  if (isObject(items))
    for (const [index, item] of value.entries()) check(items, item, `${path}[${index}]`, causes);
  const listType = stringAt(schema, "x-kubernetes-list-type");
  const keys = stringListAt(schema, "x-kubernetes-list-map-keys");
  if (listType !== "set" && listType !== "map") return;
  const seen: Json[] = [];
  for (const [index, item] of value.entries()) {
    const identity = listType === "set" ? item : keyOf(item, keys);
    if (seen.some((other) => equal(other, identity)))
      causes.push({
        reason: "FieldValueDuplicate",
        message: `Duplicate value: ${show(identity)}`,
        field: `${path}[${index}]`,
      });
    seen.push(identity);
  }
}

function keyOf(item: Json, keys: readonly string[]): JsonObject {
  const out: JsonObject = {};
  if (isObject(item)) for (const key of keys) if (item[key] !== undefined) out[key] = item[key];
  return out;
}

function checkObject(schema: JsonObject, value: JsonObject, path: string, causes: Cause[]): void {
  const properties = objectAt(schema, "properties");
  const additional = schema["additionalProperties"];
  for (const [key, item] of Object.entries(value)) {
    const property = properties[key];
    if (isObject(property)) check(property, item, `${path}.${key}`, causes);
    else if (isObject(additional)) check(additional, item, `${path}.${key}`, causes);
  }
  for (const name of stringListAt(schema, "required"))
    if (value[name] === undefined) causes.push(required(`${path}.${name}`));
}
