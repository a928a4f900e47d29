import { formatCidr, hostCidr } from "../address/cidr.ts";
import { isIpv4Mapped, parseIp } from "../address/ip.ts";
import { isDnsSubdomain } from "../model/names.ts";
import type { PodRecord } from "../model/pod.ts";
import type { LabelProfile } from "./profile.ts";

/** Why part of what a pod asks for was not granted; `value` is what it asked for. */
export interface Refusal {
  readonly field: "set name" | "address";
  readonly value: string;
  readonly why: string;
}

/** What a pod puts where: its canonical host CIDRs, into the sets that it names. Both are empty when it has no part in any set. */
export interface Claim {
  readonly sets: readonly string[];
  readonly nets: readonly string[];
  readonly refusals: readonly Refusal[];
}

const NOTHING: Claim = { sets: [], nets: [], refusals: [] };
const MAX_SET_NAME = 63;

/** Annotations by which a CNI says that a terminating pod's addresses were given back (calico.md 2.2 #5). */
export const RELEASED_ANNOTATIONS = [
  "cni.projectcalico.org/podIP",
  "vpc.amazonaws.com/pod-ips",
] as const;

function hasItsAddress(pod: PodRecord): boolean {
  if (pod.hostNetwork || pod.phase === "Succeeded" || pod.phase === "Failed") return false;
  return !(pod.terminating && RELEASED_ANNOTATIONS.some((key) => pod.annotations[key] === ""));
}

function netOf(text: string): { readonly net: string } | { readonly why: string } {
  const ip = parseIp(text);
  if (ip === undefined) return { why: "is not an IP address" };
  // Felix panics on such a net, on every node, until it is gone (calico.md 1.9).
  if (isIpv4Mapped(ip)) return { why: "is an IPv4-mapped IPv6 address" };
  return { net: formatCidr(hostCidr(ip)) };
}

/**
 * What `pod` puts into sets under `profile`.
 * Nothing while it is hostNetwork, Succeeded, Failed, without an address, or terminating with its address released.
 */
export function claimOf(pod: PodRecord, profile: LabelProfile): Claim {
  const set = profile.setNameOf(pod);
  if (set === undefined || set === "" || !hasItsAddress(pod)) return NOTHING;
  if (!isDnsSubdomain(set, MAX_SET_NAME)) {
    const why = `is not a DNS-1123 subdomain of at most ${MAX_SET_NAME} characters`;
    return { ...NOTHING, refusals: [{ field: "set name", value: set, why }] };
  }
  const nets = new Set<string>();
  const refusals: Refusal[] = [];
  for (const ip of pod.ips) {
    const result = netOf(ip);
    if ("net" in result) nets.add(result.net);
    else refusals.push({ field: "address", value: ip, why: result.why });
  }
  return { sets: nets.size > 0 ? [set] : [], nets: [...nets], refusals };
}
