import { describe, expect, test } from "@jest/globals";
import { evaluate, evaluateDirection } from "../../../../src/core/policy/evaluate.ts";
import { matchPeer } from "../../../../src/core/policy/match.ts";
import type { World } from "../../../../src/core/policy/world.ts";
import type { ClusterName } from "../../../../src/core/model/names.ts";
import { formatClusterWarning } from "../../../../src/core/selector/cluster-term.ts";
import {
  aCluster,
  aPacket,
  aPod,
  aPolicy,
  aWorld,
  KEY,
  tcp,
} from "../../../support/policy/build.ts";

const SEED_000 = "clusterset.k8s.io/cluster-name";
const PROPERTY = "cluster.clusterset.k8s.io";
const EXTERNAL = "192.0.2.1";

/**
 * Three clusters with the same pods in the same namespaces: shop (team=t), default and other.
 * In each: frontend and billing (app=…), and x (app=x). Addresses are 10.<cluster>.<namespace>.<pod>.
 */
function threeClusters(spec: unknown, scope: "local" | "clusterset"): World {
  const clusters = ["a", "b", "c"].map((name, c) => {
    const namespaces = ["shop", "default", "other"];
    return aCluster(name, {
      namespaces: new Map(
        namespaces.map((namespace) => [
          namespace,
          {
            "kubernetes.io/metadata.name": namespace,
            ...(namespace === "shop" ? { team: "t" } : {}),
          },
        ]),
      ),
      pods: namespaces.flatMap((namespace, n) =>
        ["frontend", "billing", "x"].map((app, p) =>
          aPod(`${namespace}/${app}`, `10.${c + 1}.${n + 1}.${p + 1}`, {
            labels: { app },
            ports: app === "frontend" ? [tcp(8080 + c, "http")] : [],
          }),
        ),
      ),
      policies: name === "a" ? [aPolicy("shop/p", spec)] : [],
    });
  });
  return aWorld(clusters, { defaultScope: scope });
}

const EVERY_POD = threeClusters({ podSelector: {} }, "local").pods.map(
  ({ cluster, pod }) => `${cluster}/${pod.namespace}/${pod.name}`,
);

function pods(clusters: string, namespaces: string, apps: string): string[] {
  const within = (list: string, text: string): boolean =>
    list === "*" || list.split(",").includes(text);
  return EVERY_POD.filter((path) => {
    const [cluster = "", namespace = "", app = ""] = path.split("/");
    return within(clusters, cluster) && within(namespaces, namespace) && within(apps, app);
  });
}

/** Which pods, and whether an external address, the peers of a rule admit; and the warnings. */
function admitted(peers: unknown, scope: "local" | "clusterset") {
  const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: peers }] };
  const world = threeClusters(spec, scope);
  // A subject of its own, so that no peer is the subject itself.
  const reach = (from: string): boolean =>
    evaluateDirection("ingress", aPacket(world, from, "a/shop/x"), world).verdict === "Allowed";
  const [policy] = world.view("a" as ClusterName).policies ?? [];
  return {
    pods: EVERY_POD.filter((path) => path === "a/shop/x" || reach(path)),
    external: reach(EXTERNAL),
    warnings: (policy?.warnings ?? []).map(({ kind }) => kind),
  };
}

/** A pod reaches itself whatever the policy says, so a/shop/x is always in the outcome. */
function withSelf(paths: readonly string[]): string[] {
  return EVERY_POD.filter((path) => path === "a/shop/x" || paths.includes(path));
}

const expression = (key: string, operator: string, values?: string[]): unknown => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
});
const ns = (labels: Record<string, string>): unknown => ({
  namespaceSelector: { matchLabels: labels },
});
const app = (name: string): unknown => ({ podSelector: { matchLabels: { app: name } } });

type Row = readonly [
  row: string,
  peers: unknown,
  local: string[],
  clusterset: string[],
  warnings?: string[],
];

const both = (row: string, peers: unknown, found: string[], warnings: string[] = []): Row => [
  row,
  peers,
  found,
  found,
  warnings,
];

const rows: readonly Row[] = [
  ["1 a podSelector", [app("x")], pods("a", "shop", "x"), pods("*", "shop", "x")],
  ["2 an empty podSelector", [{ podSelector: {} }], pods("a", "shop", "*"), pods("*", "shop", "*")],
  ["3 an empty namespaceSelector", [{ namespaceSelector: {} }], pods("a", "*", "*"), EVERY_POD],
  ["4 namespaces by label", [ns({ team: "t" })], pods("a", "shop", "*"), pods("*", "shop", "*")],
  both("5 a cluster", [ns({ [KEY]: "b" })], pods("b", "*", "*")),
  both(
    "6 the policy of NPEP-308",
    [
      {
        namespaceSelector: {
          matchLabels: { [KEY]: "b", "kubernetes.io/metadata.name": "default" },
        },
        podSelector: { matchLabels: { app: "frontend" } },
      },
    ],
    pods("b", "default", "frontend"),
  ),
  both(
    "7 the policy of the multi-cluster guide",
    [
      {
        namespaceSelector: { matchLabels: { [SEED_000]: "b" } },
        podSelector: { matchLabels: { app: "billing" } },
      },
    ],
    pods("b", "*", "billing"),
  ),
  both(
    "8 a cluster in the podSelector",
    [{ podSelector: { matchLabels: { [KEY]: "b", app: "x" } } }],
    pods("b", "shop", "x"),
  ),
  both(
    "9 only a cluster in the podSelector",
    [{ podSelector: { matchLabels: { [KEY]: "b" } } }],
    pods("b", "shop", "*"),
  ),
  both(
    "10 a cluster in the podSelector of all namespaces",
    [{ podSelector: { matchLabels: { [KEY]: "b" } }, namespaceSelector: {} }],
    pods("b", "*", "*"),
  ),
  both(
    "11 the same cluster in both selectors",
    [
      {
        podSelector: { matchLabels: { [KEY]: "b" } },
        namespaceSelector: { matchLabels: { [KEY]: "b", team: "t" } },
      },
    ],
    pods("b", "shop", "*"),
  ),
  both(
    "12 two clusters in the two selectors",
    [
      {
        podSelector: { matchLabels: { [KEY]: "b" } },
        namespaceSelector: { matchLabels: { [KEY]: "c" } },
      },
    ],
    [],
    ["contradiction"],
  ),
  both(
    "13 two clusters under two keys",
    [ns({ [KEY]: "b", [PROPERTY]: "c" })],
    [],
    ["contradiction"],
  ),
  both("14 the local cluster by name", [ns({ [KEY]: "a" })], pods("a", "*", "*")),
  both("15 In", [{ namespaceSelector: expression(KEY, "In", ["a", "b"]) }], pods("a,b", "*", "*")),
  both(
    "16 In with an unknown name",
    [{ namespaceSelector: expression(KEY, "In", ["b", "zz"]) }],
    pods("b", "*", "*"),
    ["unknown-cluster"],
  ),
  both("17 NotIn", [{ namespaceSelector: expression(KEY, "NotIn", ["b"]) }], pods("a,c", "*", "*")),
  both(
    "18 NotIn and In of one cluster",
    [
      {
        namespaceSelector: {
          matchExpressions: [
            { key: KEY, operator: "NotIn", values: ["b"] },
            { key: KEY, operator: "In", values: ["b"] },
          ],
        },
      },
    ],
    [],
    ["contradiction"],
  ),
  both("19 Exists", [{ namespaceSelector: expression(KEY, "Exists") }], EVERY_POD),
  both(
    "20 DoesNotExist",
    [{ namespaceSelector: expression(KEY, "DoesNotExist") }],
    [],
    ["does-not-exist"],
  ),
  both("21 an empty name", [ns({ [KEY]: "" })], [], ["invalid-name"]),
  both("21 a name that no cluster can have", [ns({ [KEY]: "B_1" })], [], ["invalid-name"]),
  both(
    "21 NotIn with a name that no cluster can have",
    [{ namespaceSelector: expression(KEY, "NotIn", ["B_1"]) }],
    [],
    ["invalid-name"],
  ),
  both(
    "22 an address block",
    [{ ipBlock: { cidr: "10.2.0.0/16", except: ["10.2.1.0/24"] } }],
    pods("b", "default,other", "*"),
  ),
  [
    "24 a cluster beside a local podSelector",
    [ns({ [KEY]: "b" }), app("x")],
    EVERY_POD.filter((path) => path.startsWith("b/") || path === "a/shop/x"),
    EVERY_POD.filter((path) => path.startsWith("b/") || path.endsWith("/shop/x")),
  ],
];

describe.each(["local", "clusterset"] as const)("peers in %s scope", (scope) => {
  test.each(rows)("row %s", (_, peers, local, clusterset, warnings = []) => {
    expect(admitted(peers, scope)).toEqual({
      pods: withSelf(scope === "local" ? local : clusterset),
      external: false,
      warnings,
    });
  });

  test.each([[undefined], [[]], [null]])("row 23 from %j admits everything", (from) => {
    expect(admitted(from, scope)).toEqual({ pods: EVERY_POD, external: true, warnings: [] });
  });

  test("row 22 a block of everything admits an external address", () => {
    const outcome = admitted([{ ipBlock: { cidr: "0.0.0.0/0" } }], scope);
    expect(outcome).toEqual({ pods: EVERY_POD, external: true, warnings: [] });
  });
});

function isolates(spec: Record<string, unknown>): boolean {
  const world = threeClusters({ policyTypes: ["Ingress"], ...spec }, "local");
  return !evaluate(aPacket(world, "a/shop/frontend", "a/shop/x"), world).ingress.isolated;
}

test("row 25 a subject in another cluster is nobody here", () => {
  expect(isolates({ podSelector: { matchLabels: { [KEY]: "b", app: "x" } } })).toBe(true);
});

test("row 26 a subject in the local cluster is selected by its other labels", () => {
  expect(isolates({ podSelector: { matchLabels: { [KEY]: "a", app: "x" } } })).toBe(false);
  expect(isolates({ podSelector: { matchLabels: { [KEY]: "a", app: "y" } } })).toBe(true);
});

test("row 27 a named port is each peer's own", () => {
  const world = threeClusters(
    {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [ns({ [KEY]: "b" })], ports: [{ port: "http" }] }],
    },
    "local",
  );
  const verdict = (to: string, port: number): string =>
    evaluate(aPacket(world, "a/shop/x", to, port), world).verdict;
  expect(verdict("b/default/frontend", 8081)).toBe("Allowed");
  expect(verdict("b/default/frontend", 8080)).toBe("Denied");
  expect(verdict("b/default/billing", 8081)).toBe("Denied");
  expect(verdict("c/default/frontend", 8082)).toBe("Denied");
});

describe("a cluster is where an object came from", () => {
  const peer = { kind: "pods", warnings: [], podSelector: { requirements: [] } } as const;
  const world = aWorld([
    aCluster("a", {
      namespaces: new Map([["shop", { [KEY]: "b" }]]),
      pods: [aPod("shop/x", "10.1.0.1", { labels: { [KEY]: "b" } })],
    }),
    aCluster("b", {
      namespaces: new Map([["shop", {}]]),
      pods: [aPod("shop/x", "10.2.0.1", { labels: { [KEY]: "c" } })],
    }),
  ]);
  const view = world.view("a" as ClusterName);
  const selects = (cluster: string, address: string): string =>
    matchPeer(
      {
        ...peer,
        clusters: new Set([cluster as ClusterName]),
        namespace: "shop",
        namespaceSelector: { requirements: [] },
      },
      aPacket(world, address, address).source,
      view,
    ).answer;

  test("row 28 a pod of b that carries another name is in b", () => {
    expect([selects("b", "10.2.0.1"), selects("c", "10.2.0.1")]).toEqual(["yes", "no"]);
  });

  test("row 29 a namespace of a that carries the name b is in a", () => {
    expect([selects("a", "10.1.0.1"), selects("b", "10.1.0.1")]).toEqual(["yes", "no"]);
  });

  test("a label on an object never meets a requirement on a reserved key", () => {
    expect(world.pods.map(({ labels }) => labels)).toEqual([{}, {}]);
  });
});

test.each([
  ["synced", "Allowed"],
  ["stale", "Allowed"],
  ["expired", "Denied"],
] as const)("row 30 with a feed that is %s a remote peer is %s", (link, verdict) => {
  const spec = { podSelector: {}, ingress: [{ from: [ns({ [KEY]: "b" })] }] };
  const base = threeClusters(spec, "local").facts;
  const world = aWorld(
    base.clusters.map((cluster) => (cluster.name === "b" ? { ...cluster, link } : cluster)),
  );
  expect(evaluate(aPacket(world, "b/shop/x", "a/shop/x"), world).verdict).toBe(verdict);
});

test("a peer in a cluster that was never read leaves an unknown address undecided", () => {
  const spec = { podSelector: {}, ingress: [{ from: [ns({ [KEY]: "d" })] }] };
  const base = threeClusters(spec, "local").facts;
  const world = aWorld([...base.clusters, aCluster("d", { link: "connecting" })]);
  expect(evaluate(aPacket(world, EXTERNAL, "a/shop/x"), world).verdict).toBe("Undecidable");
  expect(evaluate(aPacket(world, "b/shop/x", "a/shop/x"), world).verdict).toBe("Denied");
});

describe("addresses of remote pods (R14)", () => {
  const spec = { podSelector: {}, ingress: [{ from: [ns({ [KEY]: "b" })] }] };
  const verdictFor = (ip: string, facts: Parameters<typeof aCluster>[1] = {}): string => {
    const world = aWorld([
      aCluster("a", {
        namespaces: new Map([["shop", {}]]),
        pods: [aPod("shop/x", "10.1.0.1", { nodeName: "n2" }), aPod("shop/y", "10.1.0.2")],
        nodes: [{ name: "n1", ips: ["172.16.0.1"] }],
        policies: [aPolicy("shop/p", spec)],
        podCidrs: [],
        reservedCidrs: [],
      }),
      aCluster("b", {
        namespaces: new Map([["shop", {}]]),
        pods: [aPod("shop/x", ip)],
        ...facts,
      }),
      aCluster("c", { pods: [aPod("shop/x", "10.3.0.1")] }),
    ]);
    return evaluate(aPacket(world, "b/shop/x", "a/shop/x"), world).ingress.verdict;
  };

  test.each([
    "127.0.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "0.0.0.0",
    "10.1.0.2",
    "172.16.0.1",
    "10.3.0.1",
  ])("%s is no identity", (ip) => expect(verdictFor(ip)).toBe("Denied"));

  test("an ordinary address is", () => expect(verdictFor("10.2.0.1")).toBe("Allowed"));

  test("a hostNetwork pod is not selected", () => {
    expect(
      verdictFor("10.2.0.1", { pods: [aPod("shop/x", "10.2.0.1", { hostNetwork: true })] }),
    ).toBe("Denied");
  });
});

test("a name joins when its cluster does, and an alias means its cluster", () => {
  const spec = { podSelector: {}, ingress: [{ from: [ns({ [KEY]: "zz" })] }] };
  const base = threeClusters(spec, "local").facts.clusters;
  const zz = aCluster("zz", { namespaces: new Map([["s", {}]]), pods: [aPod("s/p", "10.9.0.1")] });
  const renamed = { ...zz, name: "other" as ClusterName, aliases: ["zz"] };
  const reaches = (world: World, from: string): string =>
    evaluate(aPacket(world, from, "a/shop/x"), world).verdict;
  expect(reaches(aWorld([...base, zz]), "zz/s/p")).toBe("Allowed");
  expect(reaches(aWorld([...base, renamed]), "other/s/p")).toBe("Allowed");
});

test("two clusters of one name or alias are refused", () => {
  expect(() => aWorld([aCluster("a"), aCluster("a")])).toThrow('cluster name "a" is given twice');
  expect(() => aWorld([aCluster("a", { aliases: ["b"] }), aCluster("b")])).toThrow(
    'alias "b" of cluster "a" already means "b"',
  );
});

test("each warning says what to do", () => {
  expect(formatClusterWarning({ kind: "does-not-exist", key: KEY })).toContain("drop the term");
});
