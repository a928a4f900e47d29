import { notSimulated } from "./errors.ts";
import type { ApiRequest, ObjectAnswer } from "./request.ts";

/** Serves server-side apply. */
export function applyPatch(_request: ApiRequest): ObjectAnswer {
  throw notSimulated("server-side apply");
}
