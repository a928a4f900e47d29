import { formatIp, type Family, type Ip } from "../core/address/ip.ts";
import type { Protocol } from "../core/model/pod.ts";
import {
  evaluate,
  type DirectionVerdict,
  type PacketVerdict,
  type Verdict,
} from "../core/policy/evaluate.ts";
import { podPath, type PodFact } from "../core/policy/facts.ts";
import type { Endpoint, Packet } from "../core/policy/match.ts";
import { pairEnds, portOn } from "../core/policy/probe.ts";
import type { World } from "../core/policy/world.ts";
import type { ClusterObjects } from "./collect.ts";
import {
  parseDestination,
  resolveReference,
  type DestinationText,
  type ServicePorts,
  type Target,
} from "./reference.ts";
import { usage } from "./source.ts";

/** The version of every JSON document of this program. */
export const API_VERSION = "wayleave.dev/v1alpha1";

/** One end of an explained connection. */
export interface EndReport {
  /** `cluster/namespace/name`, or null for an address that is no known pod's. */
  readonly pod: string | null;
  /** Null for a pod without an address. */
  readonly ip: string | null;
}

/** One policy's result in one direction. `reason` is all of `reasons` in one text. */
export interface PolicyReport {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly result: "NotApplicable" | "Admits" | "DoesNotAdmit" | "Undecidable";
  readonly reason: string;
  readonly reasons: readonly string[];
}

/** One direction's verdict with every policy of the cluster whose policies count. */
export interface DirectionReport {
  readonly verdict: Verdict;
  readonly isolated: boolean;
  readonly reason: string;
  readonly policies: readonly PolicyReport[];
}

/** How current the facts of a cluster are. `asOf` is null for files. */
export interface ClusterReport {
  readonly name: string;
  readonly link: string;
  readonly asOf: string | null;
}

/** What `wayleave explain -o json` prints (docs/schemas/explanation.json). */
export interface Explanation {
  readonly apiVersion: string;
  readonly kind: "Explanation";
  readonly verdict: Verdict;
  readonly source: EndReport;
  readonly destination: EndReport;
  readonly protocol: Protocol | "ICMP";
  readonly port: number | null;
  readonly defaultClusterScope: "local" | "clusterset";
  readonly egress: DirectionReport;
  readonly ingress: DirectionReport;
  /** Every pair of pods that was asked about; the one explained above comes first. */
  readonly pairs: readonly {
    readonly source: string;
    readonly destination: string;
    readonly verdict: Verdict;
  }[];
  readonly clusters: readonly ClusterReport[];
  readonly notes: readonly string[];
}

/** A question as it was typed. */
export interface Question {
  readonly source: string;
  readonly destination: string;
  readonly namespace: string;
  readonly family: Family | undefined;
}

/** More pairs than this are not evaluated: a reference to so many pods is a question for `matrix`. */
const MAX_PAIRS = 10_000;

interface Pair {
  readonly packet: Packet;
  readonly verdict: PacketVerdict;
}

function endReport({ ip, pod }: Endpoint, world: World): EndReport {
  const owner = pod ?? (ip === undefined ? undefined : onlyOwner(world, ip));
  return {
    pod: owner === undefined ? null : podPath(owner),
    ip: ip === undefined ? null : formatIp(ip),
  };
}

function onlyOwner(world: World, ip: Ip): PodFact | undefined {
  const owners = world.podsAt(ip).filter(({ isOnPodNetwork }) => isOnPodNetwork);
  return owners.length === 1 ? owners[0] : undefined;
}

function directionReport(verdict: DirectionVerdict): DirectionReport {
  return {
    verdict: verdict.verdict,
    isolated: verdict.isolated,
    reason: verdict.reason,
    policies: verdict.policies.map(({ cluster, namespace, name, result, reasons }) => ({
      cluster,
      namespace,
      name,
      result,
      reason: reasons.join("; "),
      reasons,
    })),
  };
}

function endsOf(
  from: Target,
  to: Target,
  family: Family | undefined,
): { readonly source: Endpoint; readonly destination: Endpoint }[] {
  const bare = (ip: Ip): Endpoint => ({ ip, pod: undefined });
  if (from.kind === "ip" && to.kind === "ip") {
    if (from.ip.family !== to.ip.family) throw usage("the two addresses are of different families");
    return [{ source: bare(from.ip), destination: bare(to.ip) }];
  }
  const beside = (fact: PodFact, ip: Ip): Endpoint => {
    const own = fact.ips.find((each) => each.family === ip.family);
    if (own === undefined && fact.ips.length > 0) {
      throw usage(`${podPath(fact)} has no address of the family of ${formatIp(ip)}`);
    }
    return { ip: own, pod: fact };
  };
  if (from.kind === "ip" && to.kind === "pods") {
    return to.pods.map((fact) => ({ source: bare(from.ip), destination: beside(fact, from.ip) }));
  }
  if (from.kind === "pods" && to.kind === "ip") {
    return from.pods.map((fact) => ({ source: beside(fact, to.ip), destination: bare(to.ip) }));
  }
  if (from.kind !== "pods" || to.kind !== "pods") return [];
  if (from.pods.length * to.pods.length > MAX_PAIRS) {
    throw usage(`${from.pods.length} x ${to.pods.length} pods are too many to explain; use matrix`);
  }
  return from.pods.flatMap((source) =>
    to.pods.map((destination) => {
      const pair = pairEnds(source, destination, family);
      if (pair.kind === "pair") return pair;
      throw usage(
        `${podPath(source)} and ${podPath(destination)} have no address family in common`,
      );
    }),
  );
}

function servicePort(
  service: ServicePorts,
  asked: DestinationText,
): { readonly target: number | string; readonly protocol: Protocol } {
  const matching = service.ports.filter(
    ({ name, port, protocol }) =>
      (asked.port === port || asked.port === name) && (asked.protocol ?? protocol) === protocol,
  );
  const found = matching.find(({ protocol }) => protocol === "TCP") ?? matching[0];
  if (found === undefined) {
    const ports = service.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(", ");
    throw usage(
      `Service ${service.name} has no port ${asked.port ?? "for ICMP"}; it has ${ports || "none"}`,
    );
  }
  return found;
}

/** The port to use on one destination. */
function portFor(
  asked: DestinationText,
  target: Target,
  end: Endpoint,
): { readonly port: number | undefined; readonly protocol: Packet["protocol"] } {
  if (asked.protocol === "ICMP") return { port: undefined, protocol: "ICMP" };
  const service = target.kind === "pods" ? target.service : undefined;
  const mapped = service === undefined ? undefined : servicePort(service, asked);
  const wanted = mapped?.target ?? asked.port ?? 0;
  const declared =
    typeof wanted === "string"
      ? end.pod?.pod.ports.find(
          ({ name, protocol }) =>
            name === wanted && (mapped?.protocol ?? asked.protocol ?? protocol) === protocol,
        )?.protocol
      : undefined;
  const protocol = mapped?.protocol ?? asked.protocol ?? declared ?? "TCP";
  const port = portOn({ port: wanted, protocol }, end.pod);
  if (port === undefined) {
    const who = end.pod === undefined ? "an address" : podPath(end.pod);
    throw usage(`${who} declares no port named "${wanted}" for ${protocol}`);
  }
  return { port, protocol };
}

function combined(pairs: readonly Pair[]): Verdict {
  const verdicts = new Set(pairs.map(({ verdict }) => verdict.verdict));
  const [only = "Undecidable"] = verdicts;
  return verdicts.size === 1 ? only : "Undecidable";
}

function notesOn(pairs: readonly Pair[], world: World, verdict: Verdict): string[] {
  const notes: string[] = [];
  const [first] = pairs;
  if (first === undefined) return notes;
  if (pairs.length > 1 && new Set(pairs.map((pair) => pair.verdict.verdict)).size > 1) {
    notes.push("the verdict depends on which of the pods is meant: see the pairs");
  }
  const { source, destination } = first.packet;
  const from = source.pod?.cluster;
  const to = destination.pod?.cluster;
  if (from !== undefined && to !== undefined && from !== to && verdict === "Allowed") {
    notes.push(
      "another engine that enforces the same policies without knowing cluster terms may still deny",
    );
  }
  for (const { name, link } of world.facts.clusters) {
    if (link === "stale") notes.push(`cluster ${name} is stale: its last known pods are used`);
    if (link === "expired")
      notes.push(`cluster ${name} is silent for too long: its pods are left out`);
    if (link === "connecting") notes.push(`cluster ${name} was not read`);
  }
  return notes;
}

/** Addresses in policies that failed to admit, which belonged to a pod that is finished: the usual stale ipBlock. */
function staleBlocks({ packet, verdict }: Pair, world: World): string[] {
  const notes = new Set<string>();
  for (const direction of ["egress", "ingress"] as const) {
    for (const { cluster, namespace, name, result } of verdict[direction].policies) {
      if (result !== "DoesNotAdmit") continue;
      const policy = world
        .cluster(cluster)
        ?.policies?.find((each) => each.namespace === namespace && each.name === name);
      for (const peer of (policy?.[direction] ?? []).flatMap(({ peers }) => peers ?? [])) {
        if (peer.kind !== "block") continue;
        const { cidr } = peer.block;
        if (cidr.prefix !== (cidr.family === 4 ? 32 : 128)) continue;
        const other = direction === "egress" ? packet.destination : packet.source;
        const owners = world.podsAt(cidr).filter((fact) => fact !== other.pod);
        const [gone] = owners.filter(
          ({ pod }) => pod.phase === "Succeeded" || pod.phase === "Failed",
        );
        if (gone === undefined || owners.some(({ isOnPodNetwork }) => isOnPodNetwork)) continue;
        const what = `${formatIp(cidr)} in ${namespace}/${name} was the address of ${podPath(gone)}, which is ${gone.pod.phase}`;
        notes.add(`${what}; addresses of pods change (WL004)`);
      }
    }
  }
  return [...notes];
}

/** Answers one question with every policy's reason. @throws Fault `bad-request` for a reference that means nothing. */
export function explain(
  question: Question,
  world: World,
  clusters: readonly ClusterObjects[],
): Explanation {
  const localName = clusters[0]?.name ?? "local";
  const asked = parseDestination(question.destination);
  const resolve = (text: string): Target =>
    resolveReference(text, world, clusters, localName, question.namespace);
  const from = resolve(question.source);
  const to = resolve(asked.reference);
  const pairs = endsOf(from, to, question.family).map(({ source, destination }): Pair => {
    const packet: Packet = { source, destination, ...portFor(asked, to, destination) };
    return { packet, verdict: evaluate(packet, world) };
  });
  const verdict = combined(pairs);
  // A pair that does not pass says more than one that does.
  const shown = pairs.find((pair) => pair.verdict.verdict !== "Allowed") ?? pairs[0];
  if (shown === undefined) throw usage("nothing to explain: no pair of pods");
  const label = (end: Endpoint): string => {
    const { pod, ip } = endReport(end, world);
    return pod ?? ip ?? "unknown";
  };
  return {
    apiVersion: API_VERSION,
    kind: "Explanation",
    verdict,
    source: endReport(shown.packet.source, world),
    destination: endReport(shown.packet.destination, world),
    protocol: shown.packet.protocol,
    port: shown.packet.port ?? null,
    defaultClusterScope: world.facts.defaultScope,
    egress: directionReport(shown.verdict.egress),
    ingress: directionReport(shown.verdict.ingress),
    pairs: [shown, ...pairs.filter((pair) => pair !== shown)].map((pair) => ({
      source: label(pair.packet.source),
      destination: label(pair.packet.destination),
      verdict: pair.verdict.verdict,
    })),
    clusters: clusters.map(({ name, link, asOf }) => ({ name, link, asOf: asOf ?? null })),
    notes: [...staleBlocks(shown, world), ...notesOn(pairs, world, verdict)],
  };
}
