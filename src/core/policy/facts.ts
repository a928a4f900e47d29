import { containsIp, type Cidr } from "../address/cidr.ts";
import { isIpv4Mapped, type Ip } from "../address/ip.ts";
import type { ClusterName } from "../model/names.ts";
import type { PodRecord } from "../model/pod.ts";
import type { Labels } from "../selector/labels.ts";
import type { NetworkPolicy } from "./network-policy.ts";

/**
 * How much is known of a cluster's pods. `synced`: all. `stale`: as of the last contact, still used (R13).
 * `expired`: stale beyond its time, its addresses are withdrawn. `connecting`: never read.
 */
export type LinkState = "synced" | "stale" | "expired" | "connecting";

/** A node and its addresses, as its cluster wrote them. */
export interface NodeFacts {
  readonly name: string;
  readonly ips: readonly string[];
}

/** What is known of one cluster. */
export interface ClusterFacts {
  readonly name: ClusterName;
  /** Other names that a selector may use for it, e.g. its ClusterProperty id (R15). */
  readonly aliases: readonly string[];
  readonly link: LinkState;
  /** Labels by namespace name. A namespace that is not here has unknown labels, not none. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly pods: readonly PodRecord[];
  readonly nodes: readonly NodeFacts[];
  /** Undefined when its policies could not be read. */
  readonly policies: readonly NetworkPolicy[] | undefined;
  /** The ranges its pods may have; empty when none are declared (R14). */
  readonly podCidrs: readonly Cidr[];
  /** Further ranges that no other cluster's pod may claim: services, nodes. */
  readonly reservedCidrs: readonly Cidr[];
}

/** Everything that a verdict depends on. Each cluster is the local one for its own policies. */
export interface WorldFacts {
  readonly clusters: readonly ClusterFacts[];
  /** What a peer without a cluster term selects from (R4). */
  readonly defaultScope: "local" | "clusterset";
  readonly reservedKeys: readonly string[];
  /** Whether a pod's egress policy holds for its own node (semantics.md B14). */
  readonly podToNode: "enforce" | "allow";
}

/** A pod with its cluster and what its cluster says of its namespace. Labels are free of reserved keys (R1). */
export interface PodFact {
  readonly cluster: ClusterName;
  readonly pod: PodRecord;
  readonly labels: Labels;
  readonly namespaceLabels: Labels | undefined;
  readonly ips: readonly Ip[];
  /** Whether it has a network of its own that can carry packets: not hostNetwork, not Succeeded or Failed. */
  readonly isOnPodNetwork: boolean;
}

/** `cluster/namespace/name` of a pod. */
export function podPath({ cluster, pod }: PodFact): string {
  return `${cluster}/${pod.namespace}/${pod.name}`;
}

/** `ip` with an IPv4-mapped address as the IPv4 address it carries. */
export function plainIp(ip: Ip): Ip {
  return isIpv4Mapped(ip) ? { family: 4, bits: ip.bits & 0xffff_ffffn } : ip;
}

/** A Map key for an address: equal for equal addresses of one family, and cheaper than their text. */
export function ipKey(ip: Ip): number | bigint {
  const { family, bits } = plainIp(ip);
  return family === 4 ? Number(bits) : bits;
}

/** Whether any of `cidrs` holds `ip`. */
export function inAny(cidrs: readonly Cidr[], ip: Ip): boolean {
  return cidrs.some((cidr) => containsIp(cidr, ip));
}

/** What a View asks of the world: pods and nodes of all clusters by address. */
export interface Lookups {
  readonly facts: WorldFacts;
  readonly aliases: ReadonlyMap<string, ClusterName>;
  cluster(name: ClusterName): ClusterFacts | undefined;
  podsAt(ip: Ip): readonly PodFact[];
  nodesAt(ip: Ip): readonly { readonly cluster: ClusterName; readonly node: string }[];
}
