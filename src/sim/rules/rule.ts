import type { Cause } from "../api/errors.ts";
import type { NameRule } from "../api/names.ts";
import type { JsonObject } from "../json.ts";

/** What an API server does to objects of one kind before it stores them, and what it refuses. */
export interface Rules {
  readonly nameRule: NameRule;
  /** Whether an update may leave out the resourceVersion. */
  readonly unconditionalUpdate: boolean;
  /** Fills in defaults. The object is changed. */
  readonly defaults?: (object: JsonObject) => void;
  /** Sets what the server decides on creation. The object is changed. */
  readonly onCreate?: (object: JsonObject) => void;
  /** Restores what an update of the main resource cannot change. `fresh` is changed. */
  readonly onUpdate?: (fresh: JsonObject, old: JsonObject) => void;
  /** Everything wrong with the object, metadata apart. */
  readonly validate?: (object: JsonObject) => Cause[];
  /** Everything wrong with the change, metadata apart. */
  readonly validateUpdate?: (fresh: JsonObject, old: JsonObject) => Cause[];
}
