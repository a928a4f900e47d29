import fc from "fast-check";
import type { PodRecord } from "../../../src/core/model/pod.ts";
import type { ClusterFacts } from "../../../src/core/policy/facts.ts";
import type { NetworkPolicy } from "../../../src/core/policy/network-policy.ts";
import type { Probe } from "../../../src/core/policy/probe.ts";
import { World } from "../../../src/core/policy/world.ts";
import { DEFAULT_RESERVED_KEYS } from "../../../src/core/selector/cluster-term.ts";
import { aCluster, aPod, aPolicy, KEY } from "./build.ts";

const CLUSTERS = ["a", "b", "c"];
const NAMESPACES = ["x", "y"];
const VALUES = ["1", "2"];
const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

const labels = fc.dictionary(fc.constantFrom("k", "l"), fc.constantFrom(...VALUES), {
  maxKeys: 2,
  noNullPrototype: true,
});

function expression(key: fc.Arbitrary<string>, values: readonly string[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom("In", "NotIn"),
      values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key, operator: fc.constantFrom("Exists", "DoesNotExist") }),
  );
}

/** How far the generated policies may reach for clusters. */
export interface Reach {
  /** Whether selectors may hold terms on reserved keys. */
  readonly terms: boolean;
}

function selector({ terms }: Reach): fc.Arbitrary<unknown> {
  const plain = expression(fc.constantFrom("k", "l"), VALUES);
  const onCluster = expression(fc.constantFrom(KEY, DEFAULT_RESERVED_KEYS[1] ?? KEY), [
    ...CLUSTERS,
    "zz",
  ]);
  return fc.record({
    matchLabels: fc.option(labels, { nil: undefined }),
    matchExpressions: fc.array(
      terms ? fc.oneof({ weight: 2, arbitrary: plain }, onCluster) : plain,
      { maxLength: 2 },
    ),
  });
}

const block = fc
  .tuple(fc.nat(3), fc.nat(3), fc.constantFrom(8, 16, 24), fc.boolean(), fc.boolean())
  .map(([b, c, prefix, except, six]) => {
    const parts = ["10", prefix >= 16 ? b : 0, prefix >= 24 ? c : 0, 0].join(".");
    const inner = `10.${prefix >= 16 ? b : c}.${prefix >= 24 ? c : b}.0/${prefix + 2}`;
    const legal = inner
      .replace(/\d+\.0\/10$/, "0.0/10")
      .replace(/10\.\d+\.0\.0\/10/, "10.0.0.0/10");
    if (six)
      return { cidr: `fd00::${b}:0/112`, ...(except ? { except: [`fd00::${b}:${c}/128`] } : {}) };
    const fits = prefix === 24 ? `${parts}/26` : prefix === 16 ? `${parts}/18` : legal;
    return { cidr: `${parts}/${prefix}`, ...(except ? { except: [fits] } : {}) };
  });

function peer(reach: Reach): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.record({ podSelector: selector(reach) }),
    fc.record({ namespaceSelector: selector(reach) }),
    fc.record({ podSelector: selector(reach), namespaceSelector: selector(reach) }),
    fc.record({
      ipBlock: fc.oneof(block, fc.constantFrom({ cidr: "10.0.0.0/8" }, { cidr: "fd00::/8" })),
    }),
  );
}

const port = fc.oneof(
  fc.record({ protocol: fc.constantFrom(...PROTOCOLS) }),
  fc.record({ protocol: fc.constantFrom(...PROTOCOLS), port: fc.constantFrom(80, 81) }),
  { weight: 2, arbitrary: fc.constantFrom({ port: "web" }, { protocol: "UDP", port: "dns" }) },
  fc.constant({ port: 79, endPort: 80 }),
);

function rule(key: "from" | "to", reach: Reach): fc.Arbitrary<unknown> {
  const maybe = <T>(list: fc.Arbitrary<T[]>): fc.Arbitrary<T[] | undefined> =>
    fc.option(list, { nil: undefined });
  return fc.record({
    [key]: maybe(fc.array(peer(reach), { maxLength: 2 })),
    ports: maybe(fc.array(port, { maxLength: 2 })),
  });
}

/** A policy of namespace x or y. */
export function policies(reach: Reach): fc.Arbitrary<NetworkPolicy> {
  const spec = fc.record({
    podSelector: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, selector(reach)),
    policyTypes: fc.constantFrom(undefined, ["Ingress"], ["Egress"], ["Ingress", "Egress"]),
    ingress: fc.array(rule("from", reach), { maxLength: 2 }),
    egress: fc.array(rule("to", reach), { maxLength: 2 }),
  });
  return fc
    .tuple(fc.constantFrom(...NAMESPACES), fc.nat(999), spec)
    .map(([namespace, id, body]) => aPolicy(`${namespace}/p${id}`, body));
}

const ports = fc.subarray([
  { name: "web", port: 80, protocol: "TCP" as const },
  { name: "web", port: 81, protocol: "TCP" as const },
  { name: "dns", port: 80, protocol: "UDP" as const },
]);

const pods = fc.record({
  cluster: fc.nat(CLUSTERS.length - 1),
  namespace: fc.constantFrom(...NAMESPACES),
  labels,
  ports,
  phase: fc.constantFrom<PodRecord["phase"]>("Running", "Running", "Running", "Succeeded"),
  family: fc.constantFrom("4", "4", "6", "46", ""),
  network: fc.constantFrom("pod", "pod", "pod", "pod", "host"),
  node: fc.constantFrom("", "n1", "n2"),
  /** Few addresses, so that some are claimed twice. */
  host: fc.nat(12),
});

type PodSeed = typeof pods extends fc.Arbitrary<infer T> ? T : never;

function podOf(seed: PodSeed, index: number): PodRecord {
  const isHost = seed.network === "host";
  const four = isHost
    ? `10.0.3.${seed.node === "n1" ? 1 : 2}`
    : `10.${seed.host % 4}.${seed.host % 3}.${seed.host}`;
  const six = `fd00::${seed.host % 4}:${seed.host}`;
  const ips = [
    ...(seed.family.includes("4") || isHost ? [four] : []),
    ...(seed.family.includes("6") && !isHost ? [six] : []),
  ];
  return aPod(`${seed.namespace}/p${index}`, "", {
    ips,
    labels: seed.labels,
    ports: seed.ports,
    phase: seed.phase,
    hostNetwork: isHost,
    nodeName: seed.node,
  });
}

/** Facts of clusters a, b and c. Policies are given to all three. */
export function worlds(reach: Reach, sharedPolicies = policies(reach)): fc.Arbitrary<World> {
  return fc
    .record({
      pods: fc.array(pods, { maxLength: 8 }),
      policies: fc.array(sharedPolicies, { maxLength: 4 }),
      spaces: fc.array(fc.option(labels, { nil: undefined }), { minLength: 6, maxLength: 6 }),
      scope: fc.constantFrom<"local" | "clusterset">("local", "clusterset"),
      podToNode: fc.constantFrom<"enforce" | "allow">("enforce", "allow"),
      link: fc.constantFrom<ClusterFacts["link"]>("synced", "stale", "expired", "connecting"),
      unreadable: fc.nat(9),
    })
    .map(
      (seed) =>
        new World({
          clusters: CLUSTERS.map((name, c) =>
            aCluster(name, {
              link: c === 2 ? seed.link : "synced",
              namespaces: new Map(
                NAMESPACES.flatMap((namespace, n) => {
                  const found = seed.spaces[c * 2 + n];
                  return found === undefined ? [] : [[namespace, found] as const];
                }),
              ),
              pods: seed.pods.flatMap((pod, index) =>
                pod.cluster === c ? [podOf(pod, index)] : [],
              ),
              nodes: [{ name: "n1", ips: ["10.0.3.1"] }],
              policies: c === 1 && seed.unreadable === 0 ? undefined : seed.policies,
            }),
          ),
          defaultScope: seed.scope,
          reservedKeys: DEFAULT_RESERVED_KEYS,
          podToNode: seed.podToNode,
        }),
    );
}

/** A probe by number or by name. */
export const probes: fc.Arbitrary<Probe> = fc.constantFrom(
  { protocol: "TCP", port: 80 },
  { protocol: "TCP", port: 81 },
  { protocol: "UDP", port: 80 },
  { protocol: "SCTP", port: 80 },
  { protocol: "TCP", port: "web" },
  { protocol: "UDP", port: "dns" },
);
