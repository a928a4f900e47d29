import { containsIp, formatCidr } from "../address/cidr.ts";
import { formatIp, type Ip } from "../address/ip.ts";
import type { ClusterName } from "../model/names.ts";
import type { Protocol } from "../model/pod.ts";
import { NAMESPACE_NAME_LABEL } from "../selector/labels.ts";
import { formatClusterWarning } from "../selector/cluster-term.ts";
import { formatSelector, matches, matchesKnown, type Ternary } from "../selector/selector.ts";
import type { PolicyPort } from "./network-policy.ts";
import type { Refusal, ResolvedPeer, View } from "./view.ts";
import { plainIp, podPath, type PodFact } from "./facts.ts";

/** One end of a packet: an address, a pod, or a pod at an address. A pod without an address yet has no `ip`. */
export interface Endpoint {
  readonly ip: Ip | undefined;
  /** The pod that is meant. Undefined: whoever has the address. */
  readonly pod: PodFact | undefined;
}

/** The first packet of a connection. `port` is the destination's; ICMP has none. */
export interface Packet {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly protocol: Protocol | "ICMP";
  readonly port: number | undefined;
}

/** How one peer fares against one end of a packet. `pods` are those through which it matches, or may match. */
export interface PeerOutcome {
  readonly answer: Ternary;
  readonly pods: readonly PodFact[];
  readonly why: PeerReason;
}

/** The reason of a PeerOutcome, in data. */
export type PeerReason =
  | { readonly kind: "in-block" | "not-in-block" | "in-except" | "no-address" }
  | { readonly kind: "invalid" }
  | { readonly kind: "selected"; readonly by: PodFact }
  | { readonly kind: "nothing-selected" }
  | { readonly kind: "not-a-pod" }
  | { readonly kind: "host-network" | "finished"; readonly pod: PodFact }
  | { readonly kind: "refused"; readonly pod: PodFact; readonly refusal: Refusal }
  | { readonly kind: "unread-cluster"; readonly cluster: ClusterName }
  | { readonly kind: "other-cluster" | "other-namespace" | "other-labels"; readonly pod: PodFact }
  | { readonly kind: "namespace-unknown" | "namespace-labels"; readonly pod: PodFact };

type PodsPeer = Extract<ResolvedPeer, { kind: "pods" }>;

/** Who may stand behind an end of a packet, as selectors see it. */
export function candidates(end: Endpoint, view: View): readonly PodFact[] {
  if (end.ip !== undefined) return view.ownersOf(end.ip);
  return end.pod?.isOnPodNetwork === true ? [end.pod] : [];
}

function nobody(end: Endpoint, peer: PodsPeer, view: View): PeerOutcome {
  const { pod, ip } = end;
  const no = (why: PeerReason): PeerOutcome => ({ answer: "no", pods: [], why });
  if (pod?.pod.hostNetwork === true) return no({ kind: "host-network", pod });
  if (pod !== undefined && !pod.isOnPodNetwork) return no({ kind: "finished", pod });
  if (pod !== undefined && ip !== undefined) {
    const refusal = view.refusalOf(pod, ip);
    if (refusal !== undefined) return no({ kind: "refused", pod, refusal });
  }
  const unread = view.unread.find((cluster) => peer.clusters.has(cluster));
  if (pod === undefined && unread !== undefined) {
    return { answer: "unknown", pods: [], why: { kind: "unread-cluster", cluster: unread } };
  }
  return no({ kind: "not-a-pod" });
}

function matchPod(peer: PodsPeer, fact: PodFact): PeerOutcome {
  const no = (why: PeerReason): PeerOutcome => ({ answer: "no", pods: [], why });
  if (!peer.clusters.has(fact.cluster)) return no({ kind: "other-cluster", pod: fact });
  let namespace: Ternary = "yes";
  if (peer.namespaceSelector === undefined) {
    if (fact.pod.namespace !== peer.namespace) return no({ kind: "other-namespace", pod: fact });
  } else if (fact.namespaceLabels === undefined) {
    namespace = matchesKnown(peer.namespaceSelector, {
      [NAMESPACE_NAME_LABEL]: fact.pod.namespace,
    });
  } else if (!matches(peer.namespaceSelector, fact.namespaceLabels)) {
    namespace = "no";
  }
  if (namespace === "no") return no({ kind: "namespace-labels", pod: fact });
  if (!matches(peer.podSelector, fact.labels)) return no({ kind: "other-labels", pod: fact });
  return namespace === "unknown"
    ? { answer: "unknown", pods: [fact], why: { kind: "namespace-unknown", pod: fact } }
    : { answer: "yes", pods: [fact], why: { kind: "selected", by: fact } };
}

/** Whether `peer` names the given end of a packet. */
export function matchPeer(peer: ResolvedPeer, end: Endpoint, view: View): PeerOutcome {
  if (peer.kind === "invalid") return { answer: "no", pods: [], why: { kind: "invalid" } };
  if (peer.kind === "block") {
    const ip = end.ip === undefined ? undefined : plainIp(end.ip);
    const pods = candidates(end, view);
    if (ip === undefined) return { answer: "unknown", pods, why: { kind: "no-address" } };
    if (!containsIp(peer.block.cidr, ip)) {
      return { answer: "no", pods: [], why: { kind: "not-in-block" } };
    }
    return peer.block.excepts.some((except) => containsIp(except, ip))
      ? { answer: "no", pods: [], why: { kind: "in-except" } }
      : { answer: "yes", pods, why: { kind: "in-block" } };
  }
  if (peer.clusters.size === 0) {
    return { answer: "no", pods: [], why: { kind: "nothing-selected" } };
  }
  const pods = candidates(end, view);
  if (pods.length === 0) return nobody(end, peer, view);
  const outcomes = pods.map((fact) => matchPod(peer, fact));
  for (const answer of ["yes", "unknown"] as const) {
    const hits = outcomes.filter((outcome) => outcome.answer === answer);
    const [first] = hits;
    if (first !== undefined) return { ...first, pods: hits.flatMap((hit) => hit.pods) };
  }
  return outcomes[0] as PeerOutcome;
}

/** Whether one entry of `ports` holds for the packet. Names are looked up in what `pods` declare (R10). */
function portHolds(entry: PolicyPort, packet: Packet, pods: readonly PodFact[]): boolean {
  if (entry.kind === "invalid" || entry.protocol !== packet.protocol) return false;
  if (entry.kind === "any") return true;
  const { port } = packet;
  if (port === undefined) return false;
  if (entry.kind === "range") return entry.port <= port && port <= entry.endPort;
  return pods.some(({ pod }) =>
    pod.ports.some(
      (declared) =>
        declared.name === entry.name &&
        declared.protocol === entry.protocol &&
        declared.port === port,
    ),
  );
}

/** Whether `ports` admit the packet: undefined is no restriction; ICMP passes only then (semantics.md B20). */
export function matchPorts(
  ports: readonly PolicyPort[] | undefined,
  packet: Packet,
  pods: readonly PodFact[],
): boolean {
  return ports === undefined || ports.some((entry) => portHolds(entry, packet, pods));
}

/** A port entry for people: `TCP/80`, `TCP/80-90`, `TCP/http`, `UDP`. */
export function formatPolicyPort(entry: PolicyPort): string {
  switch (entry.kind) {
    case "any":
      return entry.protocol;
    case "named":
      return `${entry.protocol}/${entry.name}`;
    case "range":
      return entry.port === entry.endPort
        ? `${entry.protocol}/${entry.port}`
        : `${entry.protocol}/${entry.port}-${entry.endPort}`;
    case "invalid":
      return "unreadable";
    default:
      return entry satisfies never;
  }
}

/** A peer for people: what it names. */
export function formatPeer(peer: ResolvedPeer): string {
  if (peer.kind === "invalid") return "an entry that cannot be read";
  if (peer.kind === "block") {
    const excepts = peer.block.excepts.map(formatCidr);
    const except = excepts.length === 0 ? "" : ` except ${excepts.join(", ")}`;
    return `ipBlock ${formatCidr(peer.block.cidr)}${except}`;
  }
  const clusters = [...peer.clusters].toSorted((a, b) => (a < b ? -1 : 1)).join(", ");
  const namespaces =
    peer.namespaceSelector === undefined
      ? `namespace ${peer.namespace}`
      : `namespaces ${formatSelector(peer.namespaceSelector)}`;
  const where = clusters === "" ? "no cluster" : `cluster ${clusters}`;
  return `pods ${formatSelector(peer.podSelector)} in ${namespaces} of ${where}`;
}

function formatRefusal(fact: PodFact, refusal: Refusal): string {
  switch (refusal.kind) {
    case "link":
      return refusal.link === "expired"
        ? `cluster ${fact.cluster} has been silent for too long, so its addresses are withdrawn`
        : `cluster ${fact.cluster} has not been read yet`;
    case "special-address":
      return "its address is loopback, link-local, multicast or unspecified";
    case "outside-declared-cidrs":
      return `its address is outside the pod ranges of cluster ${fact.cluster}`;
    case "inside-local-ranges":
      return "its address is inside this cluster's own ranges";
    case "held-locally":
      return "its address belongs to a pod or node of this cluster";
    case "claimed-twice":
      return `its address is also claimed by cluster ${refusal.by}, so selectors leave it out`;
    default:
      return refusal satisfies never;
  }
}

/** Why a peer does, or does not, name an end of a packet: a phrase that follows the peer's own text. */
export function formatPeerReason(peer: ResolvedPeer, why: PeerReason, end: Endpoint): string {
  const address = end.ip === undefined ? "the address" : formatIp(end.ip);
  switch (why.kind) {
    case "in-block":
      return `contains ${address}`;
    case "not-in-block":
      return `does not contain ${address}`;
    case "in-except":
      return `excepts ${address}`;
    case "no-address":
      return "cannot be compared: the pod has no address yet";
    case "invalid":
      return "admits nobody";
    case "selected":
      return `select ${podPath(why.by)}`;
    case "nothing-selected":
      return peer.kind === "pods" && peer.warnings.length > 0
        ? `select nothing: ${peer.warnings.map(formatClusterWarning).join("; ")}`
        : "select nothing";
    case "not-a-pod":
      return `do not select ${address}: it is not a known pod's address`;
    case "host-network":
      return `do not select ${podPath(why.pod)}: it uses its node's network`;
    case "finished":
      return `do not select ${podPath(why.pod)}: it is ${why.pod.pod.phase}`;
    case "refused":
      return `do not select ${podPath(why.pod)}: ${formatRefusal(why.pod, why.refusal)}`;
    case "unread-cluster":
      return `may select ${address}: the pods of cluster ${why.cluster} have not been read`;
    case "other-cluster":
      return `do not select ${podPath(why.pod)}: it is in cluster ${why.pod.cluster}`;
    case "other-namespace":
      return `do not select ${podPath(why.pod)}: it is in namespace ${why.pod.pod.namespace}`;
    case "other-labels":
      return `do not select ${podPath(why.pod)}: the pod's labels differ`;
    case "namespace-labels":
      return `do not select ${podPath(why.pod)}: the namespace's labels differ`;
    case "namespace-unknown":
      return `may select ${podPath(why.pod)}: the labels of its namespace are unknown`;
    default:
      return why satisfies never;
  }
}
