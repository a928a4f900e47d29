import type { Labels } from "../core/membership/profile.ts";

/** A JSON object whose fields are not checked yet. */
export type Json = Readonly<Record<string, unknown>>;

/** `value` as an object, empty when it is none. */
export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

/** `value` when it is a string, else "". */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The string values of `value`, as labels and annotations have them. */
export function asTexts(value: unknown): Labels {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
