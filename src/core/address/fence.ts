import { containsIp, parseCidr, type Cidr } from "./cidr.ts";
import { isIpv4Mapped, type Family, type Ip } from "./ip.ts";

/** Which addresses a remote cluster is believed about (semantics.md R14). */
export interface Fence {
  /** Why `ip` is refused, e.g. `lies in the local range 10.0.0.0/16`, or undefined when it is not. */
  readonly refusal: (ip: Ip) => string | undefined;
}

/** A range, and what lies in it, for messages. */
export interface NamedRange {
  readonly cidr: Cidr;
  readonly what: string;
}

function range(text: string, what: string): NamedRange {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new Error(`${text} is not a range`);
  return { cidr, what };
}

/** Addresses that no pod has, of either family (RFC 6890, RFC 4291). */
const NEVER: readonly NamedRange[] = [
  range("0.0.0.0/8", "is an unspecified address"),
  range("127.0.0.0/8", "is a loopback address"),
  range("169.254.0.0/16", "is a link-local address"),
  range("224.0.0.0/4", "is a multicast address"),
  range("240.0.0.0/4", "is a reserved address"),
  range("::/128", "is an unspecified address"),
  range("::1/128", "is a loopback address"),
  range("fe80::/10", "is a link-local address"),
  range("ff00::/8", "is a multicast address"),
];

function isOf(family: Family): (range: NamedRange) => boolean {
  return ({ cidr }) => cidr.family === family;
}

/**
 * The fence of one remote cluster. `declared` are its pod CIDRs; without any, all that is not refused otherwise is
 * believed. `local` are the local cluster's own ranges, and what each is.
 */
export function makeFence(declared: readonly Cidr[], local: readonly NamedRange[]): Fence {
  const refused = [...NEVER, ...local];
  const byFamily = { 4: refused.filter(isOf(4)), 6: refused.filter(isOf(6)) };
  return {
    refusal: (ip) => {
      // Felix panics on such a net, on every node, until it is gone (calico.md 1.9).
      if (isIpv4Mapped(ip)) return "is an IPv4-mapped IPv6 address";
      const found = byFamily[ip.family].find(({ cidr }) => containsIp(cidr, ip));
      if (found !== undefined) return found.what;
      return declared.length === 0 || declared.some((cidr) => containsIp(cidr, ip))
        ? undefined
        : "lies outside the ranges declared for its cluster";
    },
  };
}

/** The fence of a cluster for which nothing is declared and nothing of the local one is known. */
export const OPEN_FENCE: Fence = makeFence([], []);
