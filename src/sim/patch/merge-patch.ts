import { clone, isObject, type Json, type JsonObject } from "../json.ts";

/** Applies a JSON merge patch (RFC 7386) to a copy of `document`. */
export function applyMergePatch(document: JsonObject, patch: JsonObject): JsonObject {
  return merge(clone(document), patch) as JsonObject;
}

function merge(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return clone(patch);
  const out: JsonObject = isObject(target) ? target : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete out[key];
    else out[key] = merge(out[key], value);
  return out;
}
