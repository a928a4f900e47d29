import { X509Certificate } from "node:crypto";
import { asObject } from "./json.ts";

/**
 * When a bearer token ends, ms since the epoch: the `exp` of a JWT (RFC 7519, 4.1.4), which is read and not verified.
 * Undefined when it is no JWT, or says nothing.
 */
export function tokenExpiry(token: string): number | undefined {
  const parts = token.split(".");
  if (parts.length !== 3) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  const exp = asObject(claims)?.["exp"];
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
}

/** When the first certificate of `pem` ends (notAfter), ms since the epoch. Undefined when there is none. */
export function certificateExpiry(pem: string): number | undefined {
  try {
    const endsAt = Date.parse(new X509Certificate(pem).validTo);
    return Number.isNaN(endsAt) ? undefined : endsAt;
  } catch {
    return undefined;
  }
}

/** The smallest of those that are known. */
export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
