import { Fault } from "../core/model/fault.ts";

/** A JSON object whose fields are not checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** `value` as an object, or undefined when it is none. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** `value` when it is a string, else "". */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The string in `field`, or `fallback` when it is absent or null. Throws a Fault `malformed` for anything else. */
export function text(parent: JsonObject, field: string, path: string, fallback: string): string {
  const value = parent[field];
  if (value === undefined || value === null) return fallback;
  if (typeof value !== "string") throw wrongType(`${path}.${field}`, "a string", value);
  return value;
}

/** The boolean in `field`, false when absent. Throws a Fault `malformed` for anything else. */
export function flag(parent: JsonObject, field: string, path: string): boolean {
  const value = parent[field];
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw wrongType(`${path}.${field}`, "true or false", value);
  return value;
}

/** The object in `field`, empty when absent. Throws a Fault `malformed` for anything else. */
export function object(parent: JsonObject, field: string, path: string): JsonObject {
  const value = parent[field];
  if (value === undefined || value === null) return {};
  const found = asObject(value);
  if (found === undefined) throw wrongType(`${path}.${field}`, "an object", value);
  return found;
}

/** The list in `field`, empty when absent. Throws a Fault `malformed` for anything else. */
export function list(parent: JsonObject, field: string, path: string): readonly unknown[] {
  const value = parent[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(`${path}.${field}`, "a list", value);
  return value;
}

/** The complaint about a field that holds something else than it should. */
export function wrongType(path: string, wanted: string, value: unknown): Fault {
  const shown = JSON.stringify(value) ?? String(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return new Fault("malformed", `${path} is not ${wanted}: ${short}`);
}
