import type { JsonObject } from "../json.ts";

/** Names of fields: events.k8s.io/v1 on the left, core/v1 on the right. */
const NAMES: readonly (readonly [string, string])[] = [
  ["regarding", "involvedObject"],
  ["note", "message"],
  ["reportingController", "reportingComponent"],
  ["deprecatedSource", "source"],
  ["deprecatedFirstTimestamp", "firstTimestamp"],
  ["deprecatedLastTimestamp", "lastTimestamp"],
  ["deprecatedCount", "count"],
];

/** An Event of events.k8s.io/v1 as core/v1 keeps it. */
export function eventsToStorage(event: JsonObject): JsonObject {
  return renamed(event, new Map(NAMES));
}

/** An Event of core/v1 as events.k8s.io/v1 shows it. */
export function eventsFromStorage(event: JsonObject): JsonObject {
  return renamed(event, new Map(NAMES.map(([a, b]) => [b, a])));
}

function renamed(event: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(event)) out[names.get(key) ?? key] = value;
  return out;
}
