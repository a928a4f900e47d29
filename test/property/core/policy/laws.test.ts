import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseIp } from "../../../../src/core/address/ip.ts";
import { evaluate, evaluateDirection } from "../../../../src/core/policy/evaluate.ts";
import type { PodFact } from "../../../../src/core/policy/facts.ts";
import { matchPeer, type Packet } from "../../../../src/core/policy/match.ts";
import { matrixRows } from "../../../../src/core/policy/matrix.ts";
import type { NetworkPolicy } from "../../../../src/core/policy/network-policy.ts";
import { packetOf, pairEnds, type Probe } from "../../../../src/core/policy/probe.ts";
import { World } from "../../../../src/core/policy/world.ts";
import { policies, probes, worlds } from "../../../support/policy/arbitrary.ts";

const any = { terms: true };
const DIRECTIONS = ["ingress", "egress"] as const;

function withPolicies(world: World, list: readonly NetworkPolicy[]): World {
  return new World({
    ...world.facts,
    clusters: world.facts.clusters.map((cluster) => ({
      ...cluster,
      policies: cluster.policies === undefined ? undefined : list,
    })),
  });
}

/** The packet of `probe` between every two pods, and between an outsider and each. */
function packets(world: World, probe: Probe): Packet[] {
  const outsider = { ip: parseIp("192.0.2.7"), pod: undefined };
  return world.pods.flatMap((to) => [
    ...world.pods.flatMap((from) => {
      const pair = pairEnds(from, to, undefined);
      if (pair.kind !== "pair") return [];
      return packetOf(probe, pair.source, pair.destination) ?? [];
    }),
    ...(typeof probe.port === "number" && to.ips[0]?.family === 4
      ? [
          {
            source: outsider,
            destination: { ip: to.ips[0], pod: to },
            protocol: probe.protocol,
            port: probe.port,
          },
        ]
      : []),
  ]);
}

function cell(world: World, from: PodFact, to: PodFact, probe: Probe): string {
  if (from === to) return "+";
  const pair = pairEnds(from, to, undefined);
  if (pair.kind !== "pair") return "?";
  const packet = packetOf(probe, pair.source, pair.destination);
  if (packet === undefined) {
    const { source, destination } = pair;
    const same =
      source.ip !== undefined &&
      destination.ip !== undefined &&
      source.ip.bits === destination.ip.bits;
    return same ? "+" : "?";
  }
  return { Allowed: "+", Denied: "-", Undecidable: "?" }[evaluate(packet, world).verdict];
}

test("the matrix is the evaluator, cell by cell", () => {
  fc.assert(
    fc.property(worlds(any), probes, (world, probe) => {
      const naive = world.pods.map((from) =>
        world.pods.map((to) => cell(world, from, to, probe)).join(""),
      );
      expect([...matrixRows(world, world.pods, probe)]).toEqual(naive);
    }),
    { numRuns: 1000 },
  );
});

test("policies add up: a set admits what one of its members admits, once any of them isolates", () => {
  fc.assert(
    fc.property(worlds(any), probes, policies(any), (world, probe, extra) => {
      const own = world.facts.clusters[0]?.policies ?? [];
      const each = [...own, extra].map((policy) => withPolicies(world, [policy]));
      const all = withPolicies(world, [...own, extra]);
      for (const packet of packets(world, probe)) {
        for (const direction of DIRECTIONS) {
          const alone = each
            .map((one) => evaluateDirection(direction, packet, one))
            .filter(({ isolated }) => isolated);
          const together = evaluateDirection(direction, packet, all);
          if (!together.isolated) continue;
          const verdicts = alone.map(({ verdict }) => verdict);
          const expected = verdicts.includes("Allowed")
            ? "Allowed"
            : verdicts.includes("Undecidable")
              ? "Undecidable"
              : "Denied";
          expect(together.verdict).toBe(expected);
        }
      }
    }),
  );
});

test("the order of clusters, pods and policies says nothing", () => {
  fc.assert(
    fc.property(worlds(any), probes, (world, probe) => {
      const turned = new World({
        ...world.facts,
        clusters: world.facts.clusters.toReversed().map((cluster) => ({
          ...cluster,
          pods: cluster.pods.toReversed(),
          policies: cluster.policies?.toReversed(),
        })),
      });
      const counterpart = new Map(turned.pods.map((fact) => [fact.pod, fact]));
      const pods = world.pods.map((fact) => counterpart.get(fact.pod) as PodFact);
      expect([...matrixRows(turned, pods, probe)]).toEqual([
        ...matrixRows(world, world.pods, probe),
      ]);
    }),
  );
});

test("in clusterset scope, without cluster terms, the cluster of a peer says nothing", () => {
  fc.assert(
    fc.property(
      worlds({ terms: false }).filter(
        // Equal labels of a namespace in every cluster, and no doubt about whose an address is.
        (world) => {
          const texts = world.pods.flatMap(({ pod }) => pod.ips);
          return new Set(texts).size === texts.length;
        },
      ),
      probes,
      fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
      (world, probe, moves) => {
        const clusters = world.facts.clusters.map((cluster) => ({
          ...cluster,
          link: "synced" as const,
          nodes: [],
          namespaces: world.facts.clusters[0]?.namespaces ?? new Map<string, never>(),
          policies: world.facts.clusters[0]?.policies,
        }));
        const usable = world.pods.filter(({ pod }) => !pod.hostNetwork).map(({ pod }) => pod);
        const placed = (where: (index: number) => number): World =>
          new World({
            ...world.facts,
            defaultScope: "clusterset",
            clusters: clusters.map((cluster, c) => ({
              ...cluster,
              pods: usable.filter((_, index) => where(index) === c),
            })),
          });
        const rows = (of: World): string[] => {
          const facts = usable.map((pod) => of.pods.find((fact) => fact.pod === pod) as PodFact);
          return [...matrixRows(of, facts, probe)];
        };
        expect(rows(placed((index) => moves[index] ?? 0))).toEqual(rows(placed(() => 0)));
      },
    ),
  );
});

describe("selectors", () => {
  test("never reach an address that is no pod's, however negative", () => {
    fc.assert(
      fc.property(worlds(any), (world) => {
        const outsider = { ip: parseIp("192.0.2.7"), pod: undefined };
        for (const { name } of world.facts.clusters) {
          const view = world.view(name);
          for (const policy of view.policies ?? []) {
            for (const rule of [...policy.ingress, ...policy.egress]) {
              for (const peer of rule.peers ?? []) {
                if (peer.kind !== "pods") continue;
                expect(matchPeer(peer, outsider, view).answer).not.toBe("yes");
              }
            }
          }
        }
      }),
    );
  });
});

test("a policy changes nothing for a pod that it does not select", () => {
  fc.assert(
    fc.property(worlds(any), probes, policies(any), (world, probe, extra) => {
      const own = world.facts.clusters[0]?.policies ?? [];
      const before = withPolicies(world, own);
      const after = withPolicies(world, [...own, extra]);
      const alone = withPolicies(world, [extra]);
      for (const packet of packets(world, probe)) {
        for (const direction of DIRECTIONS) {
          if (evaluateDirection(direction, packet, alone).isolated) continue;
          const was = evaluateDirection(direction, packet, before).verdict;
          expect(evaluateDirection(direction, packet, after).verdict).toBe(was);
        }
      }
    }),
  );
});
