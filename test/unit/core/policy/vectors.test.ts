import { describe, expect, test } from "@jest/globals";
import type { ClusterFacts } from "../../../../src/core/policy/facts.ts";
import { evaluate } from "../../../../src/core/policy/evaluate.ts";
import { matchPeer } from "../../../../src/core/policy/match.ts";
import type { World } from "../../../../src/core/policy/world.ts";
import { aCluster, aPacket, aPod, aWorld } from "../../../support/policy/build.ts";
import {
  asIpv6,
  named,
  policiesOf,
  probeOf,
  readVectors,
  type VectorState,
} from "../../../support/policy/vectors.ts";

const states = readVectors();
const families: readonly (readonly [string, readonly VectorState[]])[] = [
  ["IPv4", states],
  ["IPv6", states.map(asIpv6)],
];

function podsOf(state: VectorState): ReturnType<typeof aPod>[] {
  return state.pods.map(({ namespace, name, ip, labels, ports }) =>
    aPod(`${namespace}/${name}`, ip, { labels, ports }),
  );
}

/** The state with its pods dealt out over `names` in turn, and its policies in each of them. */
function spread(state: VectorState, names: readonly string[], extra: Partial<ClusterFacts> = {}) {
  const pods = podsOf(state);
  const policies = policiesOf(state);
  const clusterOf = new Map<string, string>();
  const clusters = names.map((name, index) => {
    const own = pods.filter((_, at) => at % names.length === index);
    own.forEach((pod) => clusterOf.set(`${pod.namespace}/${pod.name}`, name));
    const namespaces = new Map(Object.entries(state.namespaces));
    return aCluster(name, { namespaces, pods: own, policies, ...extra });
  });
  return { clusters, clusterOf };
}

/** The rows of each probe, in the order of the state. */
function table(
  state: VectorState,
  world: World,
  clusterOf: ReadonlyMap<string, string>,
): Record<string, string[]> {
  const path = (key: string): string => `${clusterOf.get(key) ?? ""}/${key}`;
  return Object.fromEntries(
    Object.keys(state.expected).map((probe) => {
      const { protocol, port } = probeOf(probe);
      const rows = state.order.map((from) =>
        state.order
          .map((to) => {
            const packet = aPacket(world, path(from), path(to), port, protocol);
            const { verdict } = evaluate(packet, world);
            return verdict === "Allowed" ? "+" : verdict === "Denied" ? "-" : "?";
          })
          .join(""),
      );
      return [probe, rows];
    }),
  );
}

/** `rows` with "?" wherever the state leaves the verdict open. */
function stated(state: VectorState, rows: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(rows).map(([probe, lines]) => [
      probe,
      lines.map((line, row) =>
        Array.from(line)
          .map((mark, column) => (state.expected[probe]?.[row]?.[column] === "?" ? "?" : mark))
          .join(""),
      ),
    ]),
  );
}

test("there are 46 states", () => {
  expect(states).toHaveLength(46);
});

describe.each(families)("the truth table over %s", (_, family) => {
  test.each(family.map((state) => [`${state.case} (${state.step})`, state] as const))(
    "%s",
    (_name, state) => {
      const { clusters, clusterOf } = spread(state, ["local"]);
      expect(stated(state, table(state, aWorld(clusters), clusterOf))).toEqual(state.expected);
    },
  );

  test("(i) in clusterset scope the cluster of a pod changes no verdict", () => {
    for (const state of family) {
      const { clusters, clusterOf } = spread(state, ["a", "b", "c"]);
      const world = aWorld(clusters, { defaultScope: "clusterset" });
      expect(stated(state, table(state, world, clusterOf))).toEqual(state.expected);
    }
  });

  test("(ii) in local scope a selector finds what it finds in one cluster, among local pods only", () => {
    for (const state of family) {
      const single = aWorld(spread(state, ["local"]).clusters).view(named("local"));
      const names = ["a", "b"] as const;
      const world = aWorld(spread(state, names).clusters);
      for (const cluster of names) {
        const view = world.view(named(cluster));
        for (const [at, policy] of (view.policies ?? []).entries()) {
          for (const direction of ["ingress", "egress"] as const) {
            const peers = policy[direction].flatMap((rule) => rule.peers ?? []);
            const others = single.policies?.[at]?.[direction].flatMap((rule) => rule.peers ?? []);
            for (const [index, peer] of peers.entries()) {
              for (const pod of world.pods) {
                const end = { ip: pod.ips[0], pod: undefined };
                const alone = matchPeer(others?.[index] ?? peer, end, single).answer;
                const isLocal = pod.cluster === cluster || peer.kind === "block";
                expect(matchPeer(peer, end, view).answer).toBe(isLocal ? alone : "no");
              }
            }
          }
        }
      }
    }
  });

  test("(iii) an unknown cluster, an empty feed and reserved labels on objects change nothing", () => {
    for (const state of family) {
      const forged: VectorState = {
        ...state,
        namespaces: Object.fromEntries(
          Object.entries(state.namespaces).map(([name, labels]) => [
            name,
            { ...labels, "cluster.clusterset.k8s.io": "elsewhere" },
          ]),
        ),
        pods: state.pods.map((pod) => ({
          ...pod,
          labels: { ...pod.labels, "networking.k8s.io/multicluster-name": "elsewhere" },
        })),
      };
      const { clusters, clusterOf } = spread(forged, ["a", "b"]);
      for (const defaultScope of ["local", "clusterset"] as const) {
        const plain = spread(state, ["a", "b"]);
        const before = table(state, aWorld(plain.clusters, { defaultScope }), clusterOf);
        const more = [...clusters, aCluster("empty"), aCluster("unread", { link: "connecting" })];
        expect(table(state, aWorld(more, { defaultScope }), clusterOf)).toEqual(before);
      }
    }
  });

  test("(iv) the order of clusters, pods and policies changes nothing", () => {
    for (const state of family) {
      const { clusters, clusterOf } = spread(state, ["a", "b", "c"]);
      const turned = clusters.toReversed().map((cluster) => ({
        ...cluster,
        pods: cluster.pods.toReversed(),
        policies: cluster.policies?.toReversed(),
      }));
      expect(table(state, aWorld(turned), clusterOf)).toEqual(
        table(state, aWorld(clusters), clusterOf),
      );
    }
  });
});
