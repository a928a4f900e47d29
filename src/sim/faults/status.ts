import { ApiError } from "../api/errors.ts";
import type { FaultAction } from "./rules.ts";

const KNOWN: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ["BadRequest", "the server rejected our request for an unknown reason"],
  401: ["Unauthorized", "Unauthorized"],
  403: ["Forbidden", "forbidden: by a rule of the simulation"],
  404: ["NotFound", "the server could not find the requested resource"],
  405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"],
  409: ["Conflict", "the server reported a conflict"],
  410: ["Expired", "The resourceVersion for the provided list is too old."],
  422: ["Invalid", "the server rejected our request due to an error in our request"],
  429: ["TooManyRequests", "too many requests, please try again later"],
  500: ["InternalError", "Internal error occurred: by a rule of the simulation"],
  503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
  504: ["Timeout", "the server was unable to return a response in the time allotted"],
};

/** The answer that a rule of kind `status` gives. */
export function faultStatus(action: Extract<FaultAction, { kind: "status" }>): ApiError {
  const [reason, message] = KNOWN[action.code] ?? ["", `status ${action.code}`];
  const after = action.retryAfterSeconds ?? (action.code === 429 ? 1 : undefined);
  return new ApiError(
    action.code,
    action.reason ?? reason,
    action.message ?? message,
    after === undefined ? {} : { retryAfterSeconds: after },
    after === undefined ? {} : { "Retry-After": String(after) },
  );
}
