/**
 * What went wrong, by what a caller can do about it:
 * the API server's answers by status, and the ways in which no answer came.
 */
export type FaultCode =
  | "bad-request"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "already-exists"
  | "gone"
  | "invalid"
  | "too-many-requests"
  | "server-error"
  | "unavailable"
  | "timeout"
  | "connection"
  | "certificate"
  | "credentials"
  | "malformed"
  | "aborted";

/** Facts about a fault that not every fault has. */
export interface FaultFacts {
  /** The HTTP status, when an answer came. */
  readonly status?: number;
  /** What the server asked us to wait, in milliseconds (Retry-After). */
  readonly retryAfterMs?: number;
  /** `reason` of the Kubernetes Status object, e.g. `Expired`. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/** A failure at an edge, translated once where it happened. Decide by `code`, never by class. */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly reason: string | undefined;

  constructor(code: FaultCode, message: string, facts: FaultFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "Fault";
    this.code = code;
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
    this.reason = facts.reason;
  }
}

/** The code of `error` when it is a Fault, else undefined. */
export function faultCode(error: unknown): FaultCode | undefined {
  return typeof error === "object" && error !== null && "name" in error && error.name === "Fault"
    ? (error as Fault).code
    : undefined;
}

/** A text for people that says what failed, whatever was thrown. */
export function errorText(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error
    ? String(error.message)
    : String(error);
}
