import { formatCidr, hostCidr } from "../address/cidr.ts";
import type { Fence } from "../address/fence.ts";
import { parseIp } from "../address/ip.ts";
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

/**
 * What `pod` puts into sets under `profile`, its addresses being within `fence`.
 * Nothing while it is hostNetwork, Succeeded, Failed, without an address, or terminating with its address released.
 */
export function claimOf(pod: PodRecord, profile: LabelProfile, fence: Fence): Claim {
  const asked = new Set(profile.setNamesOf(pod).filter((set) => set !== ""));
  if (asked.size === 0 || !hasItsAddress(pod)) return NOTHING;
  const refusals: Refusal[] = [];
  const sets: string[] = [];
  for (const set of asked) {
    if (isDnsSubdomain(set, MAX_SET_NAME)) {
      sets.push(set);
    } else {
      const why = `is not a DNS-1123 subdomain of at most ${MAX_SET_NAME} characters`;
      refusals.push({ field: "set name", value: set, why });
    }
  }
  if (sets.length === 0) return { ...NOTHING, refusals };
  const nets = new Set<string>();
  for (const text of pod.ips) {
    const ip = parseIp(text);
    const why = ip === undefined ? "is not an IP address" : fence.refusal(ip);
    if (ip !== undefined && why === undefined) nets.add(formatCidr(hostCidr(ip)));
    else refusals.push({ field: "address", value: text, why: why ?? "" });
  }
  return { sets: nets.size > 0 ? sets : [], nets: [...nets], refusals };
}
