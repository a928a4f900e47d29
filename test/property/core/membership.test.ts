import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { claimOf } from "../../../src/core/membership/claim.ts";
import { ClusterPods } from "../../../src/core/membership/cluster-pods.ts";
import { Membership } from "../../../src/core/membership/membership.ts";
import { OPEN_FENCE } from "../../../src/core/address/fence.ts";
import { labelProfile } from "../../../src/core/membership/profile.ts";
import { setKey } from "../../../src/core/membership/set-id.ts";
import { objectKey, type PodRecord } from "../../../src/core/model/pod.ts";
import { aPod, cluster, SET_ANNOTATION } from "../../support/pod-records.ts";

const CLUSTERS = [cluster("a"), cluster("b")] as const;
const profile = labelProfile("legacy-2021", SET_ANNOTATION, undefined);

/** A server: the pods of each cluster by key. */
type World = readonly Map<string, PodRecord>[];

const pods: fc.Arbitrary<PodRecord> = fc
  .record({
    namespace: fc.constantFrom("n", "m"),
    name: fc.constantFrom("p", "q", "r"),
    life: fc.nat(2),
    set: fc.constantFrom("", "s", "t", "Bad_Name"),
    ips: fc.uniqueArray(fc.constantFrom("10.0.0.1", "10.0.0.2", "fd00::1", "junk"), {
      maxLength: 2,
    }),
    phase: fc.constantFrom("Pending", "Running", "Succeeded" as const),
    hostNetwork: fc.boolean(),
  })
  .map(({ namespace, name, life, set, ips, phase, hostNetwork }) =>
    aPod({
      namespace,
      name,
      uid: `${namespace}-${name}-${life}`,
      annotations: set === "" ? {} : { [SET_ANNOTATION]: set },
      ips,
      phase: phase as PodRecord["phase"],
      hostNetwork,
    }),
  );

/** `tell`: whether the watch delivers the change, or a later relist has to find it. */
const steps = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("put" as const), pod: pods, tell: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), pod: pods, tell: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("relist" as const), part: fc.nat(4) }) },
);

const histories = fc.array(fc.tuple(fc.nat(1), steps), { maxLength: 40 });

/** The sets of `world`, computed from nothing but its present state; those without members left out. */
function naive(world: World): Map<string, string[]> {
  const sets = new Map<string, Set<string>>();
  const claimants = new Map<string, Set<string>>();
  for (const [index, name] of CLUSTERS.entries()) {
    for (const pod of world[index]?.values() ?? []) {
      const { sets: names, nets } = claimOf(pod, profile, OPEN_FENCE);
      for (const set of names) {
        const key = setKey({ cluster: name, namespace: pod.namespace, name: set });
        sets.set(key, new Set([...(sets.get(key) ?? []), ...nets]));
      }
      for (const net of nets) claimants.set(net, (claimants.get(net) ?? new Set()).add(name));
    }
  }
  return withMembers(
    [...sets].map(([key, nets]) => [
      key,
      [...nets].filter((net) => claimants.get(net)?.size === 1).toSorted(),
    ]),
  );
}

function withMembers(sets: readonly (readonly [string, string[]])[]): Map<string, string[]> {
  return new Map(sets.filter(([, nets]) => nets.length > 0));
}

function present(membership: Membership): Map<string, string[]> {
  return withMembers([...membership.sets()].map((set) => [set, [...membership.nets(set)]]));
}

function relist(store: ClusterPods, server: Map<string, PodRecord>): void {
  store.beginList();
  for (const pod of server.values()) store.put(pod);
  store.endList();
}

test("after any history the sets equal a recomputation, what was told as changed is what changed, and deleting all leaves nothing", () => {
  fc.assert(
    fc.property(histories, (history) => {
      const world: World = [new Map(), new Map()];
      const membership = new Membership();
      const told = new Map<string, string[]>();
      const stores = CLUSTERS.map(
        (name) =>
          new ClusterPods({
            cluster: name,
            membership,
            profile,
            brake: { maxRemovalPercent: 100, holdMs: 0 },
            fence: () => OPEN_FENCE,
            now: () => 0,
            events: {
              onChanged: (sets) => {
                for (const set of sets) {
                  const nets = [...membership.nets(set)];
                  if (nets.length === 0) told.delete(set);
                  else told.set(set, nets);
                }
              },
              onRefused: () => {},
              onComplete: () => {},
              onHeld: () => {},
            },
          }),
      );
      for (const [index, step] of history) {
        const server = world[index];
        const store = stores[index];
        if (server === undefined || store === undefined) throw new Error("two clusters");
        if (step.kind === "relist") {
          store.beginList();
          for (const pod of [...server.values()].slice(0, step.part)) store.put(pod);
          store.abandonList();
          relist(store, server);
          continue;
        }
        const key = objectKey(step.pod.namespace, step.pod.name);
        if (step.kind === "put") {
          server.set(key, step.pod);
          if (step.tell) store.put(step.pod);
        } else {
          const pod = server.get(key);
          server.delete(key);
          if (step.tell) store.remove(pod ?? step.pod);
        }
      }
      for (const [index, store] of stores.entries())
        relist(store, world[index] ?? new Map<string, PodRecord>());
      expect(present(membership)).toEqual(naive(world));
      expect(told).toEqual(naive(world));
      for (const store of stores) relist(store, new Map());
      expect(membership.size).toBe(0);
      expect(told.size).toBe(0);
      expect(stores.map((store) => store.size)).toEqual([0, 0]);
    }),
    { numRuns: 500 },
  );
});
