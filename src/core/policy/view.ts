import { parseCidr, type Cidr } from "../address/cidr.ts";
import type { Ip } from "../address/ip.ts";
import type { ClusterName } from "../model/names.ts";
import {
  resolveClusters,
  splitClusterTerms,
  type ClusterRegistry,
  type ClusterWarning,
} from "../selector/cluster-term.ts";
import { EVERYTHING, type Selector } from "../selector/selector.ts";
import type { IpBlock, NetworkPolicy, Peer, PolicyPort } from "./network-policy.ts";
import { inAny, ipKey, type ClusterFacts, type Lookups, type PodFact } from "./facts.ts";

/** A peer with its cluster terms resolved for one local cluster (R2 to R7). */
export type ResolvedPeer =
  | { readonly kind: "block"; readonly block: IpBlock }
  | { readonly kind: "invalid" }
  | {
      readonly kind: "pods";
      readonly clusters: ReadonlySet<ClusterName>;
      readonly namespaceSelector: Selector | undefined;
      /** The policy's namespace: where to select from without a namespaceSelector, in every cluster (R7). */
      readonly namespace: string;
      readonly podSelector: Selector;
      readonly warnings: readonly ClusterWarning[];
    };

/** A rule with resolved peers. */
export interface ResolvedRule {
  readonly peers: readonly ResolvedPeer[] | undefined;
  readonly ports: readonly PolicyPort[] | undefined;
}

/** A policy as its own cluster reads it. */
export interface ResolvedPolicy {
  readonly policy: NetworkPolicy;
  /** Whether the cluster terms of `spec.podSelector` allow this cluster (R8). */
  readonly appliesHere: boolean;
  readonly subject: Selector;
  readonly ingress: readonly ResolvedRule[];
  readonly egress: readonly ResolvedRule[];
  readonly warnings: readonly ClusterWarning[];
}

/** Why an address of a remote pod is no identity here (R13, R14). */
export type Refusal =
  | { readonly kind: "link"; readonly link: "expired" | "connecting" }
  | { readonly kind: "special-address" }
  | { readonly kind: "outside-declared-cidrs" }
  | { readonly kind: "inside-local-ranges" }
  | { readonly kind: "held-locally" }
  | { readonly kind: "claimed-twice"; readonly by: ClusterName };

const SPECIAL: readonly Cidr[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/128",
  "::1/128",
  "fe80::/10",
  "ff00::/8",
].flatMap((text) => parseCidr(text) ?? []);

/** Resolves `policy` as the policies of `registry.local` are read. */
export function resolvePolicy(
  policy: NetworkPolicy,
  registry: ClusterRegistry,
  scope: "local" | "clusterset",
  reservedKeys: readonly string[],
): ResolvedPolicy {
  const warnings: ClusterWarning[] = [];
  const resolvePeer = (peer: Peer): ResolvedPeer => {
    if (peer.kind !== "pods") return peer;
    const pods = splitClusterTerms(peer.podSelector ?? EVERYTHING, reservedKeys);
    const namespaces =
      peer.namespaceSelector === undefined
        ? undefined
        : splitClusterTerms(peer.namespaceSelector, reservedKeys);
    const terms = [...pods.terms, ...(namespaces?.terms ?? [])];
    const requirement = resolveClusters(terms, registry, scope);
    warnings.push(...requirement.warnings);
    return {
      kind: "pods",
      clusters: requirement.clusters,
      namespaceSelector: namespaces?.residual,
      namespace: policy.namespace,
      podSelector: pods.residual,
      warnings: requirement.warnings,
    };
  };
  const resolveRules = (rules: NetworkPolicy["ingress"]): ResolvedRule[] =>
    rules.map(({ peers, ports }) => ({ peers: peers?.map(resolvePeer), ports }));
  const subject = splitClusterTerms(policy.podSelector, reservedKeys);
  const here = resolveClusters(subject.terms, registry, "local");
  return {
    policy,
    appliesHere: here.clusters.has(registry.local),
    subject: subject.residual,
    ingress: resolveRules(policy.ingress),
    egress: resolveRules(policy.egress),
    warnings,
  };
}

/** The world as the policies of one cluster see it: whose address is whose, and what each policy names. */
export class View {
  readonly registry: ClusterRegistry;
  readonly #world: Lookups;
  readonly #local: ClusterFacts;
  #policies: readonly ResolvedPolicy[] | undefined;
  readonly #owners = new Map<number | bigint, readonly PodFact[]>();

  constructor(world: Lookups, local: ClusterFacts) {
    this.#world = world;
    this.#local = local;
    this.registry = {
      local: local.name,
      known: new Set(world.facts.clusters.map(({ name }) => name)),
      aliases: world.aliases,
    };
  }

  get local(): ClusterName {
    return this.#local.name;
  }

  /** The cluster's policies, resolved; undefined when they could not be read. */
  get policies(): readonly ResolvedPolicy[] | undefined {
    const { defaultScope, reservedKeys } = this.#world.facts;
    this.#policies ??= this.#local.policies?.map((policy) =>
      resolvePolicy(policy, this.registry, defaultScope, reservedKeys),
    );
    return this.#policies;
  }

  get podToNode(): "enforce" | "allow" {
    return this.#world.facts.podToNode;
  }

  /** Clusters whose pods were never read: an unknown address may belong to one of them. */
  get unread(): readonly ClusterName[] {
    return this.#world.facts.clusters
      .filter(({ link }) => link === "connecting")
      .map(({ name }) => name);
  }

  /** The pods that selectors may find behind `ip`: on a pod network, and not refused. */
  ownersOf(ip: Ip): readonly PodFact[] {
    const key = ipKey(ip);
    const known = this.#owners.get(key);
    if (known !== undefined) return known;
    const owners = this.#world
      .podsAt(ip)
      .filter((fact) => fact.isOnPodNetwork && this.refusalOf(fact, ip) === undefined);
    this.#owners.set(key, owners);
    return owners;
  }

  /** Why selectors do not find `fact` behind `ip`, or undefined when they do. Local pods are never refused. */
  refusalOf(fact: PodFact, ip: Ip): Refusal | undefined {
    if (fact.cluster === this.local) return undefined;
    const facts = this.#world.cluster(fact.cluster);
    if (facts === undefined) return { kind: "link", link: "connecting" };
    if (facts.link === "expired" || facts.link === "connecting") {
      return { kind: "link", link: facts.link };
    }
    if (inAny(SPECIAL, ip)) return { kind: "special-address" };
    if (facts.podCidrs.length > 0 && !inAny(facts.podCidrs, ip)) {
      return { kind: "outside-declared-cidrs" };
    }
    if (inAny(this.#local.podCidrs, ip) || inAny(this.#local.reservedCidrs, ip)) {
      return { kind: "inside-local-ranges" };
    }
    const claims = this.#world.podsAt(ip).filter(({ isOnPodNetwork }) => isOnPodNetwork);
    const isLocalNode = this.#world.nodesAt(ip).some(({ cluster }) => cluster === this.local);
    if (isLocalNode || claims.some(({ cluster }) => cluster === this.local)) {
      return { kind: "held-locally" };
    }
    const rival = claims.find(({ cluster }) => cluster !== fact.cluster);
    return rival === undefined ? undefined : { kind: "claimed-twice", by: rival.cluster };
  }

  /**
   * Whether the node of `subject` has `ip`; unknown when some node of its cluster has it
   * and the node of the pod is not known.
   */
  isOwnNode(subject: PodFact, ip: Ip): "yes" | "no" | "unknown" {
    const nodes = this.#world.nodesAt(ip).filter(({ cluster }) => cluster === subject.cluster);
    if (nodes.length === 0) return "no";
    if (subject.pod.nodeName === "") return "unknown";
    if (nodes.some(({ node }) => node === subject.pod.nodeName)) return "yes";
    return nodes.some(({ node }) => node === "") ? "unknown" : "no";
  }
}
