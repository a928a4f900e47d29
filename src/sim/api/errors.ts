import type { Json, JsonObject } from "../json.ts";

/** One reason of a Status: what is wrong with which field. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** An answer other than success, as a Kubernetes Status (apimachinery api/errors). */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject | undefined;
  /** Extra response headers, such as Retry-After. */
  readonly headers: Readonly<Record<string, string>>;
  /** The Status's own metadata: `continue` of an expired list. */
  readonly metadata: JsonObject;

  constructor(
    code: number,
    reason: string,
    message: string,
    about?: JsonObject,
    headers: Readonly<Record<string, string>> = {},
    metadata: JsonObject = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.details = about;
    this.headers = headers;
    this.metadata = metadata;
  }

  /** The Status object. */
  status(): JsonObject {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.metadata,
      status: "Failure",
      message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** A resource as errors name it. */
export interface ResourceName {
  readonly group: string;
  readonly resource: string;
}

/** Names `resource` in an error message: `pods`, `globalnetworksets.crd.projectcalico.org`. */
export function qualified(resource: ResourceName): string {
  return resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`;
}

function details(group: string, kind: string, name: string, more: JsonObject = {}): JsonObject {
  return {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    ...(kind === "" ? {} : { kind }),
    ...more,
  };
}

/** 400 BadRequest. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** 401 Unauthorized. */
export function unauthorized(): ApiError {
  return new ApiError(401, "Unauthorized", "Unauthorized");
}

/** 403 Forbidden, worded by the caller. */
export function forbidden(resource: ResourceName, name: string, message: string): ApiError {
  const what = name === "" ? qualified(resource) : `${qualified(resource)} "${name}"`;
  return new ApiError(
    403,
    "Forbidden",
    `${what} is forbidden: ${message}`,
    details(resource.group, resource.resource, name),
  );
}

/** 404 NotFound of one object. */
export function notFound(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    404,
    "NotFound",
    `${qualified(resource)} "${name}" not found`,
    details(resource.group, resource.resource, name),
  );
}

/** 404 NotFound of a resource type. */
export function noSuchResource(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource", {});
}

/** 405 MethodNotAllowed. */
export function methodNotAllowed(): ApiError {
  return new ApiError(
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );
}

/** 409 AlreadyExists. */
export function alreadyExists(resource: ResourceName, name: string): ApiError {
  return new ApiError(
    409,
    "AlreadyExists",
    `${qualified(resource)} "${name}" already exists`,
    details(resource.group, resource.resource, name),
  );
}

/** 409 Conflict, worded by the caller. `what` is a resource or, for preconditions, a kind. */
export function conflict(
  what: ResourceName,
  name: string,
  message: string,
  causes: readonly Cause[] = [],
): ApiError {
  return new ApiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(what)} "${name}": ${message}`,
    details(what.group, what.resource, name, causesOf(causes)),
  );
}

/** What optimistic locking answers. */
export const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

/** 410 Expired. */
export function expired(message: string): ApiError {
  return new ApiError(410, "Expired", message);
}

/** 422 Invalid with one cause for each field. */
export function invalid(
  group: string,
  kind: string,
  name: string,
  causes: readonly Cause[],
): ApiError {
  const texts = causes.map((cause) =>
    cause.field === undefined ? cause.message : `${cause.field}: ${cause.message}`,
  );
  const unique = [...new Set(texts)];
  const list = unique.length === 1 ? (unique[0] as string) : `[${unique.join(", ")}]`;
  const what = group === "" ? kind : `${kind}.${group}`;
  return new ApiError(
    422,
    "Invalid",
    `${what} "${name}" is invalid: ${list}`,
    details(group, kind, name, causesOf(causes)),
  );
}

/** 501: something that the simulation does not do, by name. */
export function notSimulated(feature: string): ApiError {
  return new ApiError(
    501,
    "NotImplemented",
    `this API server is a simulation: ${feature} is not simulated`,
  );
}

function causesOf(causes: readonly Cause[]): JsonObject {
  return causes.length === 0 ? {} : { causes: causes as unknown as Json };
}

/** Whether `error` is an answer made in this file. */
export function isApiError(error: unknown): error is ApiError {
  return (
    typeof error === "object" && error !== null && "name" in error && error.name === "ApiError"
  );
}
