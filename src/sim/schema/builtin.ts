import { APIEXTENSIONS_TYPES } from "./apiextensions.ts";
import { CORE_TYPES } from "./core.ts";
import { GROUP_TYPES } from "./groups.ts";
import { META_TYPES } from "./meta.ts";
import { parseSchema, type Schema } from "./parse.ts";
import { POD_TYPES } from "./pod.ts";
import { VOLUME_TYPES } from "./volume.ts";

/** The message types of every kind that the simulation knows by itself. */
export function builtinSchema(): Schema {
  return parseSchema(
    META_TYPES,
    VOLUME_TYPES,
    POD_TYPES,
    CORE_TYPES,
    GROUP_TYPES,
    APIEXTENSIONS_TYPES,
  );
}
