import type { Claim, LeaseRecord } from "../core/lease/state.ts";
import { asObject, object, text, wrongType, type JsonObject } from "./json.ts";

const API_VERSION = "coordination.k8s.io/v1";

/** Path of the Leases of `namespace`, or of the one called `name`. */
export function leasePath(namespace: string, name?: string): string {
  const path = `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/leases`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

/** What a Lease says. Throws a Fault `malformed` for what is none; an absent spec is a Lease that nobody holds. */
export function decodeLease(body: unknown): LeaseRecord {
  const lease = asObject(body);
  if (lease?.["kind"] !== "Lease") throw wrongType("Lease", "a Lease", lease?.["kind"] ?? body);
  const metadata = object(lease, "metadata", "Lease");
  const spec = object(lease, "spec", "Lease");
  const resourceVersion = text(metadata, "resourceVersion", "Lease.metadata", "");
  if (resourceVersion === "") {
    throw wrongType("Lease.metadata.resourceVersion", "a version", resourceVersion);
  }
  return {
    resourceVersion,
    holder: text(spec, "holderIdentity", "Lease.spec", ""),
    durationMs: count(spec, "leaseDurationSeconds") * 1_000,
    transitions: count(spec, "leaseTransitions"),
    acquireTime: text(spec, "acquireTime", "Lease.spec", ""),
    renewTime: text(spec, "renewTime", "Lease.spec", ""),
  };
}

/** The Lease that `claim` makes of `over`, of which everything else stays, resourceVersion included; or a new one. */
export function encodeLease(
  place: { readonly namespace: string; readonly name: string },
  claim: Claim & { readonly durationMs: number },
  now: string,
  over: JsonObject | undefined,
): JsonObject {
  const spec = over === undefined ? {} : object(over, "spec", "Lease");
  return {
    apiVersion: API_VERSION,
    kind: "Lease",
    metadata: over === undefined ? { ...place } : withoutManagedFields(over),
    spec: {
      ...spec,
      holderIdentity: claim.holder,
      leaseDurationSeconds: claim.durationMs / 1_000,
      leaseTransitions: claim.transitions,
      acquireTime: claim.isNew ? now : (spec["acquireTime"] ?? now),
      renewTime: now,
    },
  };
}

/** `micros` since the epoch as Kubernetes writes a MicroTime: RFC 3339 with six decimals, in UTC. */
export function microTime(micros: number): string {
  const whole = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, -1);
  return `${whole}${String(micros % 1_000).padStart(3, "0")}Z`;
}

function withoutManagedFields(lease: JsonObject): JsonObject {
  const { managedFields: _, ...metadata } = object(lease, "metadata", "Lease");
  return metadata;
}

function count(spec: JsonObject, field: string): number {
  const value = spec[field];
  if (value === undefined || value === null) return 0;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw wrongType(`Lease.spec.${field}`, "a count", value);
}
