import { formatIp } from "../address/ip.ts";
import type { ClusterName } from "../model/names.ts";
import { formatSelector, matches, type Ternary } from "../selector/selector.ts";
import {
  candidates,
  formatPeer,
  formatPeerReason,
  formatPolicyPort,
  matchPeer,
  matchPorts,
  type Endpoint,
  type Packet,
} from "./match.ts";
import type { Direction } from "./network-policy.ts";
import type { ResolvedPolicy, ResolvedRule, View } from "./view.ts";
import { podPath, type PodFact } from "./facts.ts";
import type { World } from "./world.ts";

/** Whether a new connection passes. Undecidable: a fact is missing, and it matters. */
export type Verdict = "Allowed" | "Denied" | "Undecidable";

/** What one policy says of one direction. Policies only ever allow, so there is no "denies". */
export interface PolicyResult {
  readonly cluster: ClusterName;
  readonly namespace: string;
  readonly name: string;
  readonly result: "NotApplicable" | "Admits" | "DoesNotAdmit" | "Undecidable";
  /** Why: for Admits the rule quoted, for DoesNotAdmit why each rule failed, for Undecidable the missing fact. */
  readonly reasons: readonly string[];
}

/** The verdict of one direction. `isolated` is whether any policy selects the subject for it. */
export interface DirectionVerdict {
  readonly verdict: Verdict;
  readonly isolated: boolean;
  /** The verdict's ground in a sentence. */
  readonly reason: string;
  readonly policies: readonly PolicyResult[];
}

/** The verdict of a packet: both directions must allow it. */
export interface PacketVerdict {
  readonly verdict: Verdict;
  readonly egress: DirectionVerdict;
  readonly ingress: DirectionVerdict;
}

function ports(packet: Packet): string {
  return packet.port === undefined ? packet.protocol : `${packet.protocol}/${packet.port}`;
}

interface RuleOutcome {
  readonly answer: Ternary;
  readonly reasons: readonly string[];
}

function judgeRule(
  rule: ResolvedRule,
  path: string,
  direction: Direction,
  subjects: readonly PodFact[],
  other: Endpoint,
  packet: Packet,
  view: View,
): RuleOutcome {
  const peersKey = direction === "ingress" ? "from" : "to";
  const portTexts = rule.ports?.map(formatPolicyPort).join(", ");
  const portFails = `${path}.ports ${portTexts ?? ""} do not include ${ports(packet)}`;
  const onPorts = portTexts === undefined ? "on all ports" : `on ${portTexts}`;
  // A port name means the destination's number: the subject's for ingress, each peer's own for egress (B7).
  const named = (peers: readonly PodFact[]): readonly PodFact[] =>
    direction === "ingress" ? subjects : peers;
  if (rule.peers === undefined) {
    return matchPorts(rule.ports, packet, named(candidates(other, view)))
      ? { answer: "yes", reasons: [`${path} admits every peer ${onPorts}`] }
      : { answer: "no", reasons: [portFails] };
  }
  const failures: string[] = [];
  let doubt: string | undefined;
  for (const [index, peer] of rule.peers.entries()) {
    const outcome = matchPeer(peer, other, view);
    const where = `${path}.${peersKey}[${index}]`;
    const text = `${where} ${formatPeer(peer)} ${formatPeerReason(peer, outcome.why, other)}`;
    if (outcome.answer === "no") {
      failures.push(text);
    } else if (!matchPorts(rule.ports, packet, named(outcome.pods))) {
      if (!failures.includes(portFails)) failures.push(portFails);
    } else if (outcome.answer === "yes") {
      return { answer: "yes", reasons: [`${text}, ${onPorts}`] };
    } else {
      doubt ??= text;
    }
  }
  return doubt === undefined
    ? { answer: "no", reasons: failures }
    : { answer: "unknown", reasons: [doubt] };
}

function judgePolicy(
  resolved: ResolvedPolicy,
  direction: Direction,
  subjects: readonly PodFact[],
  other: Endpoint,
  packet: Packet,
  view: View,
): PolicyResult {
  const { policy } = resolved;
  const done = (result: PolicyResult["result"], reasons: readonly string[]): PolicyResult => ({
    cluster: view.local,
    namespace: policy.namespace,
    name: policy.name,
    result,
    reasons,
  });
  if (!subjects.some(({ pod }) => pod.namespace === policy.namespace)) {
    return done("NotApplicable", [`it selects pods of namespace ${policy.namespace} only`]);
  }
  if (!resolved.appliesHere) {
    return done("NotApplicable", [
      `its podSelector names another cluster than ${view.local}, so it selects nothing here`,
    ]);
  }
  const selected = subjects.filter(
    (fact) => fact.pod.namespace === policy.namespace && matches(resolved.subject, fact.labels),
  );
  if (selected.length === 0) {
    const selector = formatSelector(resolved.subject);
    return done("NotApplicable", [`podSelector ${selector} does not select the pod`]);
  }
  if (!policy.isolates.has(direction)) {
    const [only] = policy.isolates;
    return done("NotApplicable", [`it isolates ${only ?? "nothing"} only`]);
  }
  const rules = resolved[direction];
  if (rules.length === 0) return done("DoesNotAdmit", [`has no ${direction} rules`]);
  const outcomes = rules.map((rule, index) =>
    judgeRule(rule, `${direction}[${index}]`, direction, selected, other, packet, view),
  );
  const hit =
    outcomes.find(({ answer }) => answer === "yes") ??
    outcomes.find(({ answer }) => answer === "unknown");
  if (hit === undefined) {
    return done(
      "DoesNotAdmit",
      outcomes.flatMap(({ reasons }) => reasons),
    );
  }
  return done(hit.answer === "yes" ? "Admits" : "Undecidable", hit.reasons);
}

/** The pods whose policies bind this end of the packet, or why none can be named. */
function subjectsOf(
  end: Endpoint,
  world: World,
): { readonly pods: readonly PodFact[]; readonly doubt?: string; readonly none?: string } {
  if (end.pod !== undefined) {
    if (end.pod.isOnPodNetwork) return { pods: [end.pod] };
    const state = end.pod.pod.hostNetwork ? "uses its node's network" : `is ${end.pod.pod.phase}`;
    return { pods: [], none: `${podPath(end.pod)} ${state}, so no policy selects it` };
  }
  if (end.ip === undefined) return { pods: [], none: "no pod, so no policy selects it" };
  const owners = world.podsAt(end.ip).filter(({ isOnPodNetwork }) => isOnPodNetwork);
  const clusters = new Set(owners.map(({ cluster }) => cluster));
  if (clusters.size > 1) {
    const names = owners.map(podPath).join(" and ");
    return { pods: [], doubt: `${formatIp(end.ip)} belongs to ${names}: name the pod` };
  }
  return owners.length === 0
    ? {
        pods: [],
        none: `${formatIp(end.ip)} is not a known pod's address, so no policy selects it`,
      }
    : { pods: owners };
}

function isHairpin({ source, destination }: Packet): boolean {
  if (source.ip === undefined || destination.ip === undefined) {
    return source.pod !== undefined && source.pod === destination.pod;
  }
  return source.ip.family === destination.ip.family && source.ip.bits === destination.ip.bits;
}

/**
 * The verdict of one direction of a packet: egress by the policies on its source, ingress by those on its
 * destination, each in the cluster of that pod (R9). A pod never blocks itself (B15); its own node reaches it (B13).
 */
export function evaluateDirection(
  direction: Direction,
  packet: Packet,
  world: World,
): DirectionVerdict {
  const free = (reason: string): DirectionVerdict => ({
    verdict: "Allowed",
    isolated: false,
    reason,
    policies: [],
  });
  const doubtful = (reason: string): DirectionVerdict => ({
    verdict: "Undecidable",
    isolated: false,
    reason,
    policies: [],
  });
  if (isHairpin(packet)) return free("a pod is never cut off from itself");
  const [end, other] =
    direction === "egress"
      ? [packet.source, packet.destination]
      : [packet.destination, packet.source];
  const { pods, doubt, none } = subjectsOf(end, world);
  if (doubt !== undefined) return doubtful(doubt);
  const [subject] = pods;
  if (subject === undefined) return free(none ?? "no policy selects it");
  const view = world.view(subject.cluster);
  const nodeCounts = direction === "ingress" || view.podToNode === "allow";
  const ownNode = other.ip === undefined ? "no" : view.isOwnNode(subject, other.ip);
  if (nodeCounts && ownNode === "yes") {
    return free(
      direction === "ingress"
        ? "a node always reaches its own pods"
        : "a pod always reaches its own node here",
    );
  }
  if (view.policies === undefined) {
    return doubtful(`the policies of cluster ${subject.cluster} could not be read`);
  }
  const policies = view.policies.map((resolved) =>
    judgePolicy(resolved, direction, pods, other, packet, view),
  );
  const named = podPath(subject);
  const isolating = policies.filter(({ result }) => result !== "NotApplicable");
  const result = (verdict: Verdict, reason: string): DirectionVerdict => ({
    verdict,
    isolated: isolating.length > 0,
    reason,
    policies,
  });
  if (isolating.length === 0) {
    return result("Allowed", `no policy isolates ${named} for ${direction}`);
  }
  const count = isolating.length === 1 ? "1 policy" : `${isolating.length} policies`;
  const isolated = `${count} ${isolating.length === 1 ? "isolates" : "isolate"} ${named} for ${direction}`;
  const admitting = isolating.find((policy) => policy.result === "Admits");
  if (admitting !== undefined) {
    return result(
      "Allowed",
      `${isolated}; ${admitting.namespace}/${admitting.name} admits the packet`,
    );
  }
  if (isolating.some((policy) => policy.result === "Undecidable")) {
    return result(
      "Undecidable",
      `${isolated}; whether one admits the packet depends on a missing fact`,
    );
  }
  if (nodeCounts && ownNode === "unknown") {
    return result("Undecidable", `${isolated}; whether the other end is its own node is not known`);
  }
  return result("Denied", `${isolated}; none admits the packet`);
}

/** Both verdicts as one: a denial of either side is final, then doubt counts. */
export function bothVerdicts(a: Verdict, b: Verdict): Verdict {
  if (a === "Denied" || b === "Denied") return "Denied";
  return a === "Undecidable" || b === "Undecidable" ? "Undecidable" : "Allowed";
}

/** Whether the first packet of a connection passes, and why: egress at its source and ingress at its destination. */
export function evaluate(packet: Packet, world: World): PacketVerdict {
  const egress = evaluateDirection("egress", packet, world);
  const ingress = evaluateDirection("ingress", packet, world);
  return { verdict: bothVerdicts(egress.verdict, ingress.verdict), egress, ingress };
}

/** The ends that a pod has: one for each of its addresses, or one without an address. */
export function endpointsOf(fact: PodFact): Endpoint[] {
  return fact.ips.length === 0
    ? [{ ip: undefined, pod: fact }]
    : fact.ips.map((ip) => ({ ip, pod: fact }));
}
