import { Fault, type FaultCode, errorText } from "../core/model/fault.ts";
import { TOO_LARGE_VERSION } from "../core/reflector/machine.ts";
import { asObject, asText } from "./json.ts";

/**
 * The Fault for an API server's refusal. `what` says what was asked (`GET /api/v1/pods`),
 * `body` is the parsed answer (a Status, or undefined when it was none), `retryAfter` the header of that name.
 * `reason` is the Status's own, but `ResourceVersionTooLarge` where a cause says so (apimachinery, api/errors).
 */
export function statusFault(
  what: string,
  status: number,
  body: unknown,
  retryAfter?: string,
  nowMs = 0,
): Fault {
  const answer = asObject(body);
  const details = asObject(answer?.["details"]);
  const message = asText(answer?.["message"]);
  const reason = isTooLargeVersion(details, message)
    ? TOO_LARGE_VERSION
    : asText(answer?.["reason"]);
  const text = message === "" ? `status ${status}` : `status ${status}: ${message}`;
  const retryAfterMs =
    secondsToMs(details?.["retryAfterSeconds"]) ?? parseRetryAfter(retryAfter, nowMs);
  return new Fault(codeOf(status, reason), `${what}: ${text}`, {
    status,
    ...(reason === "" ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function codeOf(status: number, reason: string): FaultCode {
  switch (status) {
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 408:
    case 504:
      return "timeout";
    case 409:
      return reason === "AlreadyExists" ? "already-exists" : "conflict";
    case 410:
      return "gone";
    case 422:
      return "invalid";
    case 429:
      return "too-many-requests";
    case 502:
    case 503:
      return "unavailable";
    default:
      if (status >= 500) return "server-error";
      return status >= 400 ? "bad-request" : "malformed";
  }
}

function isTooLargeVersion(
  details: Readonly<Record<string, unknown>> | undefined,
  message: string,
): boolean {
  const causes = details?.["causes"];
  const isCause = (cause: unknown): boolean => asObject(cause)?.["reason"] === TOO_LARGE_VERSION;
  return (
    (Array.isArray(causes) && causes.some(isCause)) ||
    message.includes("Too large resource version")
  );
}

/** Milliseconds of a Retry-After header (RFC 9110 10.2.3): seconds or a date. Undefined when absent or unreadable. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1_000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function secondsToMs(seconds: unknown): number | undefined {
  return typeof seconds === "number" && seconds > 0 ? seconds * 1_000 : undefined;
}

/** OpenSSL's verification results, as Node names them. */
const CERTIFICATE_CODES = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "HOSTNAME_MISMATCH",
]);

/** The Fault for a request to `what` at `server` that got no answer, or not a whole one. */
export function connectionFault(what: string, server: string, error: unknown): Fault {
  const code = errorCode(error);
  const to = `${what}: server ${server}`;
  const facts = { cause: error };
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO") {
    return new Fault("connection", `${to} does not speak TLS`, facts);
  }
  if (
    CERTIFICATE_CODES.has(code) ||
    code.startsWith("CERT_") ||
    code.startsWith("CRL_") ||
    code === "ERR_TLS_CERT_ALTNAME_INVALID"
  ) {
    return new Fault(
      "certificate",
      `${to} shows a certificate that is not trusted: ${errorText(error)} (${code})`,
      facts,
    );
  }
  if (code.startsWith("ERR_SSL_") && code.includes("ALERT")) {
    return new Fault("certificate", `${to} refuses our client certificate (${code})`, facts);
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new Fault("connection", `${to}: name does not resolve (${code})`, facts);
    case "ECONNREFUSED":
      return new Fault("connection", `${to} refuses connections (${code})`, facts);
    case "ECONNRESET":
    case "EPIPE":
    case "ERR_STREAM_PREMATURE_CLOSE":
      return new Fault("connection", `${to} closed the connection mid-way (${code})`, facts);
    case "ETIMEDOUT":
    case "ERR_SOCKET_CONNECTION_TIMEOUT":
      return new Fault("timeout", `${to} does not answer (${code})`, facts);
    default:
      if (code.startsWith("HPE_")) {
        return new Fault("malformed", `${to} does not speak HTTP: ${errorText(error)}`, facts);
      }
      return new Fault("connection", `${to}: ${errorText(error)}`, facts);
  }
}

function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  // Several addresses were tried, and none answered.
  if ("errors" in error && Array.isArray(error.errors)) return errorCode(error.errors[0]);
  return "";
}
