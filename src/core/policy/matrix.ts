import { formatCidr } from "../address/cidr.ts";
import type { Family } from "../address/ip.ts";
import { canonicalScope } from "../grouping/selection.ts";
import { canonicalSelector, matches } from "../selector/selector.ts";
import type { PodFact } from "./facts.ts";
import { matchPeer, matchPorts, type Endpoint } from "./match.ts";
import type { Direction } from "./network-policy.ts";
import { packetOf, pairEnds, portOn, type Pairing, type Probe } from "./probe.ts";
import type { ResolvedPeer, ResolvedPolicy, ResolvedRule, View } from "./view.ts";
import { selectionOfPeer } from "./selections.ts";
import type { World } from "./world.ts";

/** A cell: allowed, denied, undecidable. */
export type Mark = "+" | "-" | "?";

const NO = 0;
const UNKNOWN = 1;
const YES = 2;
const MARKS: readonly Mark[] = ["-", "?", "+"];

/** One pod at one address, as a row or a column. */
interface Slot {
  readonly end: Endpoint;
  readonly fact: PodFact;
  readonly index: number;
}

/** Answers of one policy direction for all slots, shared by every subject to whom the same rules apply. */
type Answers = Uint8Array;

/**
 * Computes what `evaluate` says for all pairs of pods at once. A peer is matched once per pod instead of once per pair,
 * and subjects with equal rules share their answers. The law that ties both is test/property/core/policy.
 */
class Table {
  readonly #world: World;
  readonly #slots: readonly Slot[];
  readonly #probe: Probe;
  readonly #peers = new Map<ResolvedPeer, Uint8Array>();
  /** The same by meaning: policies often repeat one another's peers. */
  readonly #peersByMeaning = new Map<string, Uint8Array>();
  readonly #ids = new Map<ResolvedPolicy, number>();
  readonly #answers = new Map<string, Answers>();

  constructor(world: World, slots: readonly Slot[], probe: Probe) {
    this.#world = world;
    this.#slots = slots;
    this.#probe = probe;
  }

  /** The answers of `direction` with `subject` as the one that policies select; undefined: nothing isolates it. */
  of(direction: Direction, subject: Slot): Answers | "free" | "unreadable" {
    if (!subject.fact.isOnPodNetwork) return "free";
    const view = this.#world.view(subject.fact.cluster);
    if (view.policies === undefined) return "unreadable";
    const applying = view.policies.filter((resolved) => selects(resolved, direction, subject.fact));
    if (applying.length === 0) return "free";
    const key = this.#key(direction, applying, subject);
    let answers = this.#answers.get(key);
    if (answers === undefined) {
      answers = new Uint8Array(this.#slots.length);
      for (const resolved of applying) {
        for (const rule of resolved[direction]) {
          this.#addRule(answers, rule, direction, subject, view);
        }
      }
      this.#answers.set(key, answers);
    }
    return answers;
  }

  #key(direction: Direction, applying: readonly ResolvedPolicy[], subject: Slot): string {
    const ids = applying.map((resolved) => {
      const id = this.#ids.get(resolved) ?? this.#ids.size;
      this.#ids.set(resolved, id);
      return id;
    });
    if (direction === "egress") return `egress ${ids.join(",")}`;
    // For ingress the subject's own ports decide which rules count.
    const ports = applying.flatMap((resolved) =>
      resolved.ingress.map((rule) => (this.#ingressPorts(rule, subject) ? 1 : 0)),
    );
    return `ingress ${ids.join(",")} ${ports.join("")}`;
  }

  #ingressPorts(rule: ResolvedRule, subject: Slot): boolean {
    const packet = packetOf(this.#probe, subject.end, subject.end);
    return packet !== undefined && matchPorts(rule.ports, packet, [subject.fact]);
  }

  #addRule(
    answers: Answers,
    rule: ResolvedRule,
    direction: Direction,
    subject: Slot,
    view: View,
  ): void {
    if (direction === "ingress" && !this.#ingressPorts(rule, subject)) return;
    const namesPort = rule.ports?.some(({ kind }) => kind === "named") === true;
    const everyone = rule.peers === undefined;
    for (const peer of rule.peers ?? [undefined]) {
      const found = peer === undefined ? undefined : this.#peer(peer, view);
      for (const slot of this.#slots) {
        const answer = found?.[slot.index] ?? YES;
        if (answer <= (answers[slot.index] ?? NO)) continue;
        if (direction === "egress") {
          const packet = packetOf(this.#probe, subject.end, slot.end);
          if (packet === undefined) continue;
          const pods = namesPort ? throughWhom(peer, slot, everyone, view) : [];
          if (!matchPorts(rule.ports, packet, pods)) continue;
        }
        answers[slot.index] = answer;
      }
    }
  }

  #peer(peer: ResolvedPeer, view: View): Uint8Array {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const meaning = `${view.local} ${canonicalPeer(peer)}`;
    let found = this.#peersByMeaning.get(meaning);
    if (found === undefined) {
      found = new Uint8Array(this.#slots.length);
      for (const { end, index } of this.#slots) {
        const { answer } = matchPeer(peer, end, view);
        found[index] = answer === "yes" ? YES : answer === "unknown" ? UNKNOWN : NO;
      }
      this.#peersByMeaning.set(meaning, found);
    }
    this.#peers.set(peer, found);
    return found;
  }
}

function canonicalPeer(peer: ResolvedPeer): string {
  if (peer.kind === "invalid") return "invalid";
  if (peer.kind === "block") {
    return `block ${[peer.block.cidr, ...peer.block.excepts].map(formatCidr).join(" ")}`;
  }
  const selection = selectionOfPeer(peer);
  if (selection === undefined) return "invalid";
  return `pods ${canonicalScope(selection.scope)} ${canonicalSelector(selection.pods)}`;
}

function throughWhom(
  peer: ResolvedPeer | undefined,
  slot: Slot,
  everyone: boolean,
  view: View,
): readonly PodFact[] {
  if (everyone || peer === undefined) {
    if (slot.end.ip !== undefined) return view.ownersOf(slot.end.ip);
    return slot.fact.isOnPodNetwork ? [slot.fact] : [];
  }
  return matchPeer(peer, slot.end, view).pods;
}

function selects(resolved: ResolvedPolicy, direction: Direction, fact: PodFact): boolean {
  return (
    resolved.policy.isolates.has(direction) &&
    resolved.appliesHere &&
    resolved.policy.namespace === fact.pod.namespace &&
    matches(resolved.subject, fact.labels)
  );
}

function isSameAddress(source: Endpoint, destination: Endpoint): boolean {
  if (source.ip === undefined || destination.ip === undefined) {
    return source.pod === destination.pod;
  }
  return source.ip.family === destination.ip.family && source.ip.bits === destination.ip.bits;
}

/** The slots of all pods by (pod, address), and the way from a pair of pods to a pair of slots. */
class Slots {
  readonly all: readonly Slot[];
  readonly #first = new Map<PodFact, number>();
  /** Pods that have one address of one family all pair alike. */
  readonly #isUniform: boolean;
  readonly #family: Family | undefined;

  constructor(pods: readonly PodFact[], family: Family | undefined) {
    const all: Slot[] = [];
    for (const fact of pods) {
      this.#first.set(fact, all.length);
      const ips = fact.ips.length === 0 ? [undefined] : fact.ips;
      for (const ip of ips) all.push({ end: { ip, pod: fact }, fact, index: all.length });
    }
    this.all = all;
    this.#family = family;
    const families = new Set(pods.map(({ ips }) => ips[0]?.family));
    this.#isUniform =
      family === undefined &&
      pods.every(({ ips }) => ips.length <= 1) &&
      [...families].filter((each) => each !== undefined).length <= 1;
  }

  pair(from: PodFact, to: PodFact): readonly [Slot, Slot] | undefined {
    if (this.#isUniform) return [this.#slot(from, 0), this.#slot(to, 0)];
    const pairing: Pairing = pairEnds(from, to, this.#family);
    if (pairing.kind !== "pair") return undefined;
    const at = (fact: PodFact, end: Endpoint): number =>
      end.ip === undefined ? 0 : fact.ips.indexOf(end.ip);
    return [
      this.#slot(from, at(from, pairing.source)),
      this.#slot(to, at(to, pairing.destination)),
    ];
  }

  #slot(fact: PodFact, offset: number): Slot {
    return this.all[(this.#first.get(fact) ?? 0) + offset] as Slot;
  }
}

function judge(
  answers: Answers | "free" | "unreadable",
  direction: Direction,
  subject: Slot,
  other: Slot,
  world: World,
  otherIsNode: boolean,
): number {
  if (answers === "free") return YES;
  let ownNode: "yes" | "no" | "unknown" = "no";
  if (otherIsNode && other.end.ip !== undefined) {
    const view = world.view(subject.fact.cluster);
    if (direction === "ingress" || view.podToNode === "allow") {
      ownNode = view.isOwnNode(subject.fact, other.end.ip);
    }
    if (ownNode === "yes") return YES;
  }
  if (answers === "unreadable") return UNKNOWN;
  const answer = answers[other.index] ?? NO;
  return answer === NO && ownNode === "unknown" ? UNKNOWN : answer;
}

/**
 * Who reaches whom on one probe: one string per source in `pods`, in order, one mark per destination.
 * A cell is what `evaluate` says of the pair's packet. It is "?" where no packet can be made up: the destination
 * does not declare the probe's port name, or the two have no address family in common. A pod reaches itself.
 * @yields the row of the next source
 */
export function* matrixRows(
  world: World,
  pods: readonly PodFact[],
  probe: Probe,
  family?: Family,
): Generator<string, void, undefined> {
  const slots = new Slots(pods, family);
  const table = new Table(world, slots.all, probe);
  const ingress = slots.all.map((slot) => table.of("ingress", slot));
  const hasPort = pods.map((fact) => portOn(probe, fact) !== undefined);
  const isNode = slots.all.map(
    ({ end }) => end.ip !== undefined && world.nodesAt(end.ip).length > 0,
  );
  for (const from of pods) {
    const egress = new Map<Slot, Answers | "free" | "unreadable">();
    let row = "";
    for (const [column, to] of pods.entries()) {
      const pair = slots.pair(from, to);
      if (pair === undefined) {
        row += from === to ? "+" : "?";
        continue;
      }
      const [source, destination] = pair;
      if (isSameAddress(source.end, destination.end)) {
        row += "+";
        continue;
      }
      if (hasPort[column] !== true) {
        row += "?";
        continue;
      }
      let out = egress.get(source);
      if (out === undefined) {
        out = table.of("egress", source);
        egress.set(source, out);
      }
      const leaves = judge(
        out,
        "egress",
        source,
        destination,
        world,
        isNode[destination.index] === true,
      );
      const enters = judge(
        ingress[destination.index] ?? "free",
        "ingress",
        destination,
        source,
        world,
        isNode[source.index] === true,
      );
      row += MARKS[Math.min(leaves, enters)] ?? "?";
    }
    yield row;
  }
}
