import fc from "fast-check";
import { OPEN_FENCE } from "../../src/core/address/fence.ts";
import { claimOf, RELEASED_ANNOTATIONS } from "../../src/core/membership/claim.ts";
import { ClusterPods } from "../../src/core/membership/cluster-pods.ts";
import { Membership } from "../../src/core/membership/membership.ts";
import { labelProfile } from "../../src/core/membership/profile.ts";
import { setKey } from "../../src/core/membership/set-id.ts";
import {
  objectKey,
  type ObjectKey,
  type PodPhase,
  type PodRecord,
} from "../../src/core/model/pod.ts";
import { aPod, cluster, SET_ANNOTATION } from "./pod-records.ts";

const CLUSTERS = [cluster("a"), cluster("b"), cluster("c")] as const;
const profile = labelProfile("legacy-2021", SET_ANNOTATION, undefined);

/** One thing that happens in one cluster, or between it and us. With `tell`, the watch delivers it; else it is lost. */
export type Happening =
  /** A pod comes, or comes to be this; perhaps in a new life, with another pod's address, of any cluster. */
  | { readonly kind: "put"; readonly pod: PodRecord; readonly tell: boolean }
  /** A pod goes. Where there is none, a deletion of it is told all the same. */
  | { readonly kind: "remove"; readonly pod: PodRecord; readonly tell: boolean }
  /** What the server has of the pod called so is told again, perhaps after more was lost. */
  | { readonly kind: "repeat"; readonly pod: PodRecord }
  /** All pods go at once, and nothing is told. */
  | { readonly kind: "wipe" }
  /** A list fails after `part` pods; then one completes. */
  | { readonly kind: "relist"; readonly part: number }
  /** What is told so far is compared. */
  | { readonly kind: "look" };

/** What happens, with the cluster that it happens in. */
export type History = readonly (readonly [number, Happening])[];

/** Few of everything, so that they meet: six pods of three lives each, three addresses, two sets in each of two namespaces. */
const pods: fc.Arbitrary<PodRecord> = fc
  .record({
    namespace: fc.constantFrom("n", "m"),
    name: fc.constantFrom("p", "q", "r"),
    life: fc.nat(2),
    set: fc.constantFrom("", "s", "t", "s", "t", "Bad_Name"),
    ips: fc.uniqueArray(fc.constantFrom("10.0.0.1", "10.0.0.2", "fd00::1", "junk"), {
      maxLength: 2,
    }),
    phase: fc.constantFrom<PodPhase>("Pending", "Running", "Running", "Succeeded"),
    state: fc.constantFrom("", "", "", "host", "terminating", "released"),
  })
  .map(({ namespace, name, life, set, ips, phase, state }) =>
    aPod({
      namespace,
      name,
      uid: `${namespace}-${name}-${life}`,
      annotations: {
        ...(set === "" ? {} : { [SET_ANNOTATION]: set }),
        ...(state === "released" ? { [RELEASED_ANNOTATIONS[0]]: "" } : {}),
      },
      ips,
      phase,
      hostNetwork: state === "host",
      terminating: state === "terminating" || state === "released",
    }),
  );

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant("put" as const), pod: pods, tell: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), pod: pods, tell: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("repeat" as const), pod: pods }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wipe" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("relist" as const), part: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("look" as const) }) },
);

/** Any history. */
export const histories: fc.Arbitrary<History> = fc.array(
  fc.tuple(fc.nat(CLUSTERS.length - 1), happenings),
  { maxLength: 40 },
);

type Pods = Map<ObjectKey, PodRecord>;
type Sets = ReadonlyMap<string, readonly string[]>;

/** A cluster: what its server has, and what we were told. */
interface Side {
  readonly server: Pods;
  readonly told: Pods;
  readonly store: ClusterPods;
}

/**
 * Lets `history` happen. Looks when it says so, at the end, after a relist of all, and after everything was deleted:
 * the sets must equal a recomputation from the pods, sets told as changed must be those that changed, and of nothing
 * nothing must remain. Gives what is wrong, or undefined.
 */
export function play(history: History): string | undefined {
  const membership = new Membership();
  const changed = new Map<string, readonly string[]>();
  const sides = CLUSTERS.map((name): Side => ({
    server: new Map(),
    told: new Map(),
    store: new ClusterPods({
      cluster: name,
      membership,
      profile,
      brake: { maxRemovalPercent: 100, holdMs: 0 },
      fence: () => OPEN_FENCE,
      now: () => 0,
      events: {
        onChanged: (sets) => {
          for (const set of sets) {
            const nets = membership.nets(set);
            if (nets.length === 0) changed.delete(set);
            else changed.set(set, nets);
          }
        },
        onRefused: () => {},
        onComplete: () => {},
        onHeld: () => {},
      },
    }),
  }));
  const look = (when: string): string | undefined => {
    const wanted = recompute(sides.map(({ told }) => told));
    const present = new Map([...membership.sets()].map((set) => [set, membership.nets(set)]));
    return (
      difference(`${when}: sets`, wanted, present) ??
      difference(`${when}: sets as told`, wanted, changed)
    );
  };
  for (const [step, [index, happening]] of history.entries()) {
    const side = sides[index];
    if (side === undefined) throw new Error(`no cluster ${index}`);
    happen(side, happening);
    const wrong = happening.kind === "look" ? look(`step ${step}`) : undefined;
    if (wrong !== undefined) return wrong;
  }
  const atEnd = look("at the end");
  if (atEnd !== undefined) return atEnd;
  for (const side of sides) relist(side);
  const afterRelist = look("after a relist");
  if (afterRelist !== undefined) return afterRelist;
  for (const side of sides) {
    side.server.clear();
    relist(side);
  }
  const left = [membership.size, changed.size, ...sides.map(({ store }) => store.size)];
  return left.some((size) => size !== 0) ? `after deleting all: ${left.join(", ")}` : undefined;
}

function happen(side: Side, happening: Happening): void {
  const { server } = side;
  switch (happening.kind) {
    case "put": {
      const { pod, tell } = happening;
      server.set(keyOf(pod), pod);
      if (tell) tellPut(side, pod);
      return;
    }
    case "remove": {
      const key = keyOf(happening.pod);
      const pod = server.get(key) ?? happening.pod;
      server.delete(key);
      if (happening.tell) tellRemove(side, pod);
      return;
    }
    case "repeat": {
      const pod = server.get(keyOf(happening.pod));
      if (pod === undefined) tellRemove(side, happening.pod);
      else tellPut(side, pod);
      return;
    }
    case "wipe":
      server.clear();
      return;
    case "relist":
      side.store.beginList();
      for (const pod of [...server.values()].slice(0, happening.part)) tellPut(side, pod);
      side.store.abandonList();
      relist(side);
      return;
    case "look":
      return;
    default:
      happening satisfies never;
  }
}

function tellPut({ store, told }: Side, pod: PodRecord): void {
  store.put(pod);
  told.set(keyOf(pod), pod);
}

/** A deletion of another life than the one we know of is none of it. */
function tellRemove({ store, told }: Side, pod: PodRecord): void {
  store.remove(pod);
  if (told.get(keyOf(pod))?.uid === pod.uid) told.delete(keyOf(pod));
}

function relist(side: Side): void {
  side.store.beginList();
  side.told.clear();
  for (const pod of side.server.values()) tellPut(side, pod);
  side.store.endList();
}

function keyOf(pod: PodRecord): ObjectKey {
  return objectKey(pod.namespace, pod.name);
}

/** The sets of these pods, computed from nothing else; an address that two clusters claim is in none. */
function recompute(clusters: readonly Pods[]): Sets {
  const sets = new Map<string, Set<string>>();
  const claimants = new Map<string, Set<number>>();
  for (const [index, known] of clusters.entries()) {
    for (const pod of known.values()) {
      const claim = claimOf(pod, profile, OPEN_FENCE);
      for (const name of claim.sets) {
        const key = setKey({
          cluster: CLUSTERS[index] ?? CLUSTERS[0],
          namespace: pod.namespace,
          name,
        });
        sets.set(key, new Set([...(sets.get(key) ?? []), ...claim.nets]));
      }
      for (const net of claim.nets) {
        claimants.set(net, (claimants.get(net) ?? new Set()).add(index));
      }
    }
  }
  return new Map(
    [...sets].map(([key, nets]) => [
      key,
      [...nets].filter((net) => claimants.get(net)?.size === 1).toSorted(),
    ]),
  );
}

/** What distinguishes two collections of sets; one without members is as good as none. */
function difference(what: string, wanted: Sets, found: Sets): string | undefined {
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const [want, have] = [wanted, found].map((sets) => (sets.get(key) ?? []).join(" "));
    if (want !== have) return `${what}: ${key} has [${have}], not [${want}]`;
  }
  return undefined;
}
