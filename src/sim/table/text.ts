import type { Column } from "../kinds/kind.ts";
import { arrayAt, isObject, objectAt, objectsAt, stringAt, type JsonObject } from "../json.ts";

/** A column of the given name. */
export function column(
  name: string,
  description: string,
  options: { readonly type?: string; readonly format?: string; readonly wide?: boolean } = {},
): Column {
  return {
    name,
    type: options.type ?? "string",
    format: options.format ?? "",
    description,
    priority: options.wide === true ? 1 : 0,
  };
}

/** The column that every kind begins with. */
export const NAME_COLUMN: Column = column("Name", "The name of the object.", { format: "name" });

/** The column of ages. */
export const AGE_COLUMN: Column = column("Age", "The time since the object was created.");

/** How long ago `time` (RFC 3339) was, as kubectl and API servers print it; `<unknown>` without a time. */
export function ageText(time: string, nowMs: number): string {
  if (time === "") return "<unknown>";
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? "<invalid>" : durationText(nowMs - ms);
}

/** A duration in the two largest units that matter (apimachinery duration.HumanDuration). */
export function durationText(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? two(years, "y", days % 365, "d") : `${years}y`;
}

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second === 0 ? `${first}${firstUnit}` : `${first}${firstUnit}${second}${secondUnit}`;
}

/** The age of `object`. */
export function ageOf(object: JsonObject, nowMs: number): string {
  return ageText(stringAt(objectAt(object, "metadata"), "creationTimestamp"), nowMs);
}

/** The name of `object`. */
export function nameOf(object: JsonObject): string {
  return stringAt(objectAt(object, "metadata"), "name");
}

/** `text`, or `fallback` when it is "". */
export function orElse(text: string, fallback: string): string {
  return text === "" ? fallback : text;
}

/** A LabelSelector (meta/v1) in the syntax of query strings. */
export function selectorText(selector: JsonObject): string {
  const labels = objectAt(selector, "matchLabels");
  const parts = Object.keys(labels).map((key) => `${key}=${stringAt(labels, key)}`);
  for (const item of objectsAt(selector, "matchExpressions")) {
    const key = stringAt(item, "key");
    const values = `(${arrayAt(item, "values").map(String).toSorted().join(",")})`;
    switch (stringAt(item, "operator")) {
      case "In":
        parts.push(`${key} in ${values}`);
        break;
      case "NotIn":
        parts.push(`${key} notin ${values}`);
        break;
      case "Exists":
        parts.push(key);
        break;
      default:
        parts.push(`!${key}`);
    }
  }
  return parts.length === 0 ? "<none>" : parts.toSorted().join(",");
}

/** A string map as `a=b,c=d`, sorted; `<none>` when empty. */
export function mapText(map: JsonObject): string {
  const parts = Object.keys(map)
    .toSorted()
    .map((key) => `${key}=${stringAt(map, key)}`);
  return parts.length === 0 ? "<none>" : parts.join(",");
}

/** The condition of the given type, if `object.status` has one. */
export function conditionOf(object: JsonObject, type: string): JsonObject | undefined {
  return objectsAt(objectAt(object, "status"), "conditions").find(
    (condition) => condition["type"] === type,
  );
}

/** The first key of a one-of struct such as a container state. */
export function stateOf(container: JsonObject, key: string): JsonObject | undefined {
  const value = objectAt(container, "state")[key];
  return isObject(value) ? value : undefined;
}
