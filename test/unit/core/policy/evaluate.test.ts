import { describe, expect, test } from "@jest/globals";
import type { PodRecord } from "../../../../src/core/model/pod.ts";
import { evaluate, evaluateDirection } from "../../../../src/core/policy/evaluate.ts";
import type { ClusterFacts } from "../../../../src/core/policy/facts.ts";
import type { World } from "../../../../src/core/policy/world.ts";
import { aCluster, aPacket, aPod, aPolicy, aWorld, tcp } from "../../../support/policy/build.ts";

const EXTERNAL = "192.0.2.1";

/** One cluster: namespaces x and y (ns=x, ns=y), pods x/a, x/b, y/a with pod=a or b. */
function world(
  specs: readonly unknown[],
  facts: Partial<ClusterFacts> = {},
  pods: readonly PodRecord[] = [],
): World {
  return aWorld([
    aCluster("local", {
      namespaces: new Map([
        ["x", { ns: "x", "kubernetes.io/metadata.name": "x" }],
        ["y", { ns: "y", "kubernetes.io/metadata.name": "y" }],
      ]),
      pods: [
        aPod("x/a", "10.0.0.1", { labels: { pod: "a" } }),
        aPod("x/b", "10.0.0.2", { labels: { pod: "b" } }),
        aPod("y/a", "10.0.1.1", { labels: { pod: "a" } }),
        ...pods,
      ],
      policies: specs.map((spec, index) => aPolicy(`x/p${index}`, spec)),
      ...facts,
    }),
  ]);
}

const onA = { matchLabels: { pod: "a" } };

function verdicts(
  of: World,
  to: string,
  froms: readonly string[],
  port: number | undefined = 80,
  protocol: "TCP" | "UDP" | "SCTP" | "ICMP" = "TCP",
): string {
  return froms
    .map((from) => evaluate(aPacket(of, from, to, port, protocol), of).verdict)
    .map((verdict) => ({ Allowed: "+", Denied: "-", Undecidable: "?" })[verdict])
    .join("");
}

const ALL = ["local/x/b", "local/y/a", EXTERNAL];

describe("default policyTypes (B1)", () => {
  const allow = [{}];
  test.each([
    // types, rules given, isolated for ingress, isolated for egress
    [undefined, {}, true, false],
    [undefined, { ingress: allow }, true, false],
    [undefined, { egress: allow }, true, true],
    [undefined, { ingress: allow, egress: allow }, true, true],
    [[], { egress: allow }, true, true],
    [["Ingress"], {}, true, false],
    [["Ingress"], { egress: allow }, true, false],
    [["Egress"], {}, false, true],
    [["Egress"], { ingress: allow }, false, true],
    [["Ingress", "Egress"], {}, true, true],
    [["Egress", "Ingress"], { ingress: allow, egress: allow }, true, true],
  ])("%j with %j isolates ingress: %s, egress: %s", (policyTypes, rules, ingress, egress) => {
    const of = world([{ podSelector: onA, policyTypes, ...rules }]);
    const isolated = (direction: "ingress" | "egress", from: string, to: string): boolean =>
      evaluateDirection(direction, aPacket(of, from, to), of).isolated;
    expect(isolated("ingress", "local/x/b", "local/x/a")).toBe(ingress);
    expect(isolated("egress", "local/x/a", "local/x/b")).toBe(egress);
  });
});

test.each([[[]], [undefined], [null]])("ingress %j isolates and allows nothing (B2)", (ingress) => {
  expect(verdicts(world([{ podSelector: onA, ingress }]), "local/x/a", ALL)).toBe("---");
});

test("a rule {} allows everything, also what is no pod (B2)", () => {
  expect(verdicts(world([{ podSelector: onA, ingress: [{}] }]), "local/x/a", ALL)).toBe("+++");
});

describe("peers (B3, B4)", () => {
  const pods = { podSelector: { matchLabels: { pod: "b" } } };
  const spaces = { namespaceSelector: { matchLabels: { ns: "y" } } };
  const negative = (key: string, operator: string, values?: string[]): unknown => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  });
  test.each([
    ["no list", undefined, "+++"],
    ["an empty list", [], "+++"],
    ["a selector of nobody", [{ podSelector: { matchLabels: { no: "such" } } }], "---"],
    ["pods {}", [{ podSelector: {} }], "+--"],
    ["pods by label", [pods], "+--"],
    ["namespaces {}", [{ namespaceSelector: {} }], "++-"],
    ["namespaces by label", [spaces], "-+-"],
    ["both {}", [{ podSelector: {}, namespaceSelector: {} }], "++-"],
    ["pods by label in all namespaces", [{ ...pods, namespaceSelector: {} }], "+--"],
    ["all pods in namespaces by label", [{ podSelector: {}, ...spaces }], "-+-"],
    ["pods by label in namespaces by label", [{ ...pods, ...spaces }], "---"],
    ["two entries", [pods, spaces], "++-"],
    ["namespaces NotIn", [{ namespaceSelector: negative("ns", "NotIn", ["x"]) }], "-+-"],
    ["namespaces DoesNotExist", [{ namespaceSelector: negative("no", "DoesNotExist") }], "++-"],
    ["pods NotIn", [{ podSelector: negative("pod", "NotIn", ["a"]) }], "+--"],
    ["pods DoesNotExist", [{ podSelector: negative("no", "DoesNotExist") }], "+--"],
  ])("%s", (_, from, expected) => {
    const of = world([{ podSelector: onA, ingress: [{ from }] }]);
    expect(verdicts(of, "local/x/a", ALL)).toBe(expected);
  });
});

describe("ports (B6, B8, B9)", () => {
  const through = (ports: unknown[], port: number, protocol: "TCP" | "UDP" | "SCTP" = "TCP") =>
    verdicts(
      world([{ podSelector: onA, ingress: [{ ports }] }]),
      "local/x/a",
      ALL.slice(0, 1),
      port,
      protocol,
    );

  test.each(["TCP", "UDP", "SCTP"] as const)(
    "a %s range holds both ends and no more",
    (protocol) => {
      const ports = [{ protocol, port: 80, endPort: 90 }];
      expect([79, 80, 85, 90, 91].map((port) => through(ports, port, protocol)).join("")).toBe(
        "-+++-",
      );
      const other = protocol === "TCP" ? "UDP" : "TCP";
      expect(through(ports, 85, other)).toBe("-");
    },
  );

  test("a range of one port, and overlapping ranges", () => {
    expect(through([{ port: 80, endPort: 80 }], 80)).toBe("+");
    expect(through([{ port: 80, endPort: 80 }], 81)).toBe("-");
    const overlap = [{ port: 80, endPort: 90 }, { port: 85, endPort: 95 }, { port: 90 }];
    expect([79, 80, 90, 95, 96].map((port) => through(overlap, port)).join("")).toBe("-+++-");
  });

  test.each([
    [[{}], "+-"],
    [[{ protocol: "TCP" }], "+-"],
    [[{ protocol: "UDP" }], "-+"],
    [[{ protocol: "TCP" }, { port: 80 }], "+-"],
    [[{ port: 80 }, { protocol: "TCP" }], "+-"],
    [[{ protocol: "UDP" }, { port: 80 }], "-+"],
    [[{ port: 80 }, { protocol: "UDP" }, { protocol: "TCP" }], "++"],
  ])("%j admits TCP/81 and UDP/81 as %s", (ports, expected) => {
    expect(through(ports, 81) + through(ports, 81, "UDP")).toBe(expected);
  });

  test("a policy with SCTP isolates and is not read as TCP", () => {
    expect(through([{ protocol: "SCTP", port: 80 }], 80)).toBe("-");
    expect(through([{ protocol: "SCTP", port: 80 }], 80, "SCTP")).toBe("+");
  });
});

describe("named ports (B7)", () => {
  const backends = [
    aPod("y/b1", "10.0.2.1", { labels: { app: "b" }, ports: [tcp(8080, "http")] }),
    aPod("y/b2", "10.0.2.2", {
      labels: { app: "b" },
      ports: [tcp(9090, "http"), { name: "http", port: 5353, protocol: "UDP" }],
    }),
  ];
  const toB = { namespaceSelector: {}, podSelector: { matchLabels: { app: "b" } } };
  const egress = (to: unknown, port: unknown = { port: "http" }): World =>
    world(
      [{ podSelector: onA, policyTypes: ["Egress"], egress: [{ to, ports: [port] }] }],
      {},
      backends,
    );
  const verdict = (of: World, to: string, port: number, protocol: "TCP" | "UDP" = "TCP"): string =>
    verdicts(of, to, ["local/x/a"], port, protocol);

  test("egress resolves on each destination", () => {
    const of = egress([toB]);
    expect([8080, 9090].map((port) => verdict(of, "local/y/b1", port)).join("")).toBe("+-");
    expect([8080, 9090].map((port) => verdict(of, "local/y/b2", port)).join("")).toBe("-+");
  });

  test("the protocol is part of the name", () => {
    const of = egress([toB], { port: "http", protocol: "UDP" });
    expect(verdict(of, "local/y/b2", 5353, "UDP")).toBe("+");
    expect(verdict(of, "local/y/b2", 9090)).toBe("-");
    expect(verdict(of, "local/y/b1", 8080, "UDP")).toBe("-");
  });

  test("a name in /etc/services means nothing but what the pod declares", () => {
    expect(verdict(egress([toB]), "local/y/b1", 80)).toBe("-");
  });

  test("with a block or without peers only known pods match", () => {
    for (const to of [[{ ipBlock: { cidr: "0.0.0.0/0" } }], undefined]) {
      expect(verdict(egress(to), "local/y/b1", 8080)).toBe("+");
      expect(verdict(egress(to), EXTERNAL, 8080)).toBe("-");
    }
  });

  test("ingress resolves on the subject", () => {
    const of = world([], {}, [
      aPod("x/s", "10.0.3.1", { labels: { app: "s" }, ports: [tcp(7000, "http")] }),
      ...backends,
    ]);
    const facts = of.facts.clusters[0] as ClusterFacts;
    const spec = {
      podSelector: { matchLabels: { app: "s" } },
      ingress: [{ from: [toB], ports: [{ port: "http" }] }],
    };
    const guarded = aWorld([{ ...facts, policies: [aPolicy("x/p", spec)] }]);
    expect(verdicts(guarded, "local/x/s", ["local/y/b1"], 7000)).toBe("+");
    expect(verdicts(guarded, "local/x/s", ["local/y/b1"], 8080)).toBe("-");
  });
});

describe("ipBlock (B10, B11)", () => {
  const from = (addresses: string[], ...ingress: unknown[]): string =>
    verdicts(world([{ podSelector: onA, ingress }]), "local/x/a", addresses);
  const block = (cidr: string, ...except: string[]): unknown => ({ ipBlock: { cidr, except } });

  test("matches the address of pods too", () => {
    expect(from(["local/x/b", "local/y/a"], { from: [block("10.0.0.0/24")] })).toBe("+-");
  });

  test("/0 is one family; /32 is one address", () => {
    expect(from([EXTERNAL], { from: [block("::/0")] })).toBe("-");
    expect(from([EXTERNAL, "192.0.2.2"], { from: [block("192.0.2.1/32")] })).toBe("+-");
  });

  test("exceptions belong to their block, not to the rule, the policy or the direction", () => {
    const first = block("192.0.2.0/24", "192.0.2.0/25");
    const second = block("192.0.2.0/25", "192.0.2.0/26");
    const addresses = ["192.0.2.1", "192.0.2.100", "192.0.2.200"];
    expect(from(addresses, { from: [first] })).toBe("--+");
    expect(from(addresses, { from: [second] })).toBe("-+-");
    expect(from(addresses, { from: [first, second] })).toBe("-++");
    expect(from(addresses, { from: [first] }, { from: [second] })).toBe("-++");
    const split = world([
      { podSelector: onA, ingress: [{ from: [first] }] },
      { podSelector: onA, ingress: [{ from: [block("192.0.2.1/32")] }] },
    ]);
    expect(verdicts(split, "local/x/a", addresses)).toBe("+-+");
  });

  test("nested exceptions and an exception of the whole block", () => {
    const nested = block("10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24");
    expect(from(["10.0.0.9", "10.0.9.9", "10.9.9.9"], { from: [nested] })).toBe("--+");
    const halves = block("192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25");
    expect(from(["192.0.2.1", "192.0.2.200"], { from: [halves] })).toBe("--");
  });

  test("an IPv4-mapped address is the IPv4 address", () => {
    expect(from(["::ffff:192.0.2.1"], { from: [block("192.0.2.0/24")] })).toBe("+");
  });
});

describe("hostNetwork (B12)", () => {
  const node = "10.9.0.1";
  const host = aPod("x/h", node, { labels: { pod: "h" }, hostNetwork: true, nodeName: "n1" });
  const far = { nodeName: "n2", labels: { pod: "far" } };
  const of = (spec: unknown): World => world([spec], {}, [host, aPod("x/far", "10.0.0.9", far)]);

  test("no policy selects it", () => {
    const closed = of({ podSelector: {} });
    expect(verdicts(closed, "local/x/h", ["local/x/b"])).toBe("+");
    expect(verdicts(closed, "local/x/far", ["local/x/b"])).toBe("-");
  });

  test("as a peer it is its node's address", () => {
    expect(
      verdicts(of({ podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }), "local/x/far", [
        "local/x/h",
      ]),
    ).toBe("-");
    const byAddress = of({
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: `${node}/32` } }] }],
    });
    expect(verdicts(byAddress, "local/x/far", ["local/x/h"])).toBe("+");
  });
});

describe("nodes (B13, B14)", () => {
  const nodes = [
    { name: "n1", ips: ["10.9.0.1", "fd09::1"] },
    { name: "n2", ips: ["10.9.0.2"] },
  ];
  const onN1 = aPod("x/n", "10.0.0.9", { labels: { pod: "n" }, nodeName: "n1" });
  const closed = [{ podSelector: {}, policyTypes: ["Ingress", "Egress"] }];

  test("the pod's own node reaches it, another does not", () => {
    const of = world(closed, { nodes }, [onN1]);
    expect(verdicts(of, "local/x/n", ["10.9.0.1", "10.9.0.2"])).toBe("+-");
  });

  test("with an unknown node of the pod it is undecided", () => {
    expect(verdicts(world(closed, { nodes }), "local/x/a", ["10.9.0.1", EXTERNAL])).toBe("?-");
  });

  test("a pod's egress to its own node obeys policy unless told otherwise", () => {
    const of = world(closed, { nodes }, [onN1]);
    const open = aWorld(of.facts.clusters, { podToNode: "allow" });
    expect(verdicts(of, "10.9.0.1", ["local/x/n"])).toBe("-");
    expect(verdicts(open, "10.9.0.1", ["local/x/n"])).toBe("+");
    expect(verdicts(open, "10.9.0.2", ["local/x/n"])).toBe("-");
  });
});

test("a pod reaches itself (B15)", () => {
  const of = world([{ podSelector: {}, policyTypes: ["Ingress", "Egress"] }]);
  expect(verdicts(of, "local/x/a", ["local/x/a", "10.0.0.1"])).toBe("++");
});

describe("pods that end, and reuse of their addresses (B16)", () => {
  const ip = "10.0.5.1";
  const peerOf = (pods: PodRecord[]): string =>
    verdicts(
      world(
        [
          {
            podSelector: onA,
            ingress: [{ from: [{ podSelector: { matchLabels: { app: "old" } } }] }],
          },
        ],
        {},
        pods,
      ),
      "local/x/a",
      [ip],
    );
  const old = (facts: Partial<PodRecord>): PodRecord =>
    aPod("x/old", ip, { labels: { app: "old" }, ...facts });
  const heir = aPod("x/heir", ip, { labels: { app: "new" } });

  test("a terminating pod is still a peer; a finished one is not", () => {
    expect(peerOf([old({ terminating: true })])).toBe("+");
    expect(peerOf([old({ phase: "Succeeded" })])).toBe("-");
    expect(peerOf([old({ phase: "Failed" })])).toBe("-");
  });

  test.each([
    ["old finished, new running", [old({ phase: "Succeeded" }), heir]],
    ["in the other order", [heir, old({ phase: "Succeeded" })]],
    ["old deleted", [heir]],
  ])("the new owner of an address has only its own labels: %s", (_, pods) => {
    expect(peerOf(pods)).toBe("-");
  });

  test("a pod without an address is judged by its labels; a block leaves it open", () => {
    const late = aPod("x/late", "", { labels: { app: "old" } });
    expect(peerOf([late])).toBe("-");
    const bySelector = world(
      [{ podSelector: onA, ingress: [{ from: [{ podSelector: {} }] }] }],
      {},
      [late],
    );
    expect(verdicts(bySelector, "local/x/a", ["local/x/late"])).toBe("+");
    const byBlock = world(
      [{ podSelector: onA, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] }],
      {},
      [late],
    );
    expect(verdicts(byBlock, "local/x/a", ["local/x/late"])).toBe("?");
  });
});

test("ICMP passes rules without ports only (B20)", () => {
  const icmp = (ingress: unknown[]): string =>
    verdicts(world([{ podSelector: onA, ingress }]), "local/x/a", ["local/x/b"], undefined, "ICMP");
  expect(icmp([])).toBe("-");
  expect(icmp([{}])).toBe("+");
  expect(icmp([{ ports: [{}] }])).toBe("-");
  expect(icmp([{ ports: [{ port: 80 }] }])).toBe("-");
});

describe("two families (B23)", () => {
  test("each is judged on its own addresses", () => {
    const dual = aPod("x/d", "10.0.7.1", { ips: ["10.0.7.1", "fd00::71"], labels: { app: "d" } });
    const six = aPod("x/e", "fd00::72");
    const of = world(
      [
        {
          podSelector: { matchLabels: { app: "d" } },
          ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }],
        },
      ],
      {},
      [dual, six],
    );
    const packet = aPacket(of, "fd00::72", "fd00::71");
    expect(evaluate(packet, of).verdict).toBe("Denied");
    expect(evaluate(aPacket(of, EXTERNAL, "10.0.7.1"), of).verdict).toBe("Allowed");
  });
});

describe("unknown facts", () => {
  test("labels of a namespace that was not read decide nothing but its name", () => {
    const stray = aPod("z/s", "10.0.8.1");
    const of = (namespaceSelector: unknown): string =>
      verdicts(
        world([{ podSelector: onA, ingress: [{ from: [{ namespaceSelector }] }] }], {}, [stray]),
        "local/x/a",
        ["local/z/s"],
      );
    expect(of({})).toBe("+");
    expect(of({ matchLabels: { "kubernetes.io/metadata.name": "z" } })).toBe("+");
    expect(of({ matchLabels: { "kubernetes.io/metadata.name": "q" } })).toBe("-");
    expect(of({ matchLabels: { team: "t" } })).toBe("?");
    expect(of({ matchExpressions: [{ key: "team", operator: "NotIn", values: ["t"] }] })).toBe("?");
    expect(of({ matchExpressions: [{ key: "team", operator: "DoesNotExist" }] })).toBe("?");
  });

  test("unreadable policies leave the verdict open; a denial of the other side stays", () => {
    const unread = world([], { policies: undefined });
    expect(verdicts(unread, "local/x/a", ["local/x/b"])).toBe("?");
  });

  test("a policy that admits outranks doubt, and doubt outranks a denial", () => {
    const stray = aPod("z/s", "10.0.8.1");
    const doubtful = {
      podSelector: onA,
      ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: "t" } } }] }],
    };
    const denies = { podSelector: onA };
    const admits = { podSelector: onA, ingress: [{ from: [{ namespaceSelector: {} }] }] };
    const of = (specs: unknown[]): string =>
      verdicts(world(specs, {}, [stray]), "local/x/a", ["local/z/s"]);
    expect(of([denies, doubtful])).toBe("?");
    expect(of([denies, doubtful, admits])).toBe("+");
    expect(of([denies])).toBe("-");
  });
});

describe("the words of a verdict", () => {
  test("quote the rule that admits, or say why each fails", () => {
    const of = world([
      { podSelector: onA },
      {
        podSelector: onA,
        ingress: [{ from: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 80 }] }],
      },
      { podSelector: { matchLabels: { pod: "b" } } },
    ]);
    const denied = evaluate(aPacket(of, "local/x/b", "local/x/a"), of).ingress;
    expect(denied.policies.map(({ name, result, reasons }) => [name, result, ...reasons])).toEqual([
      ["p0", "DoesNotAdmit", "has no ingress rules"],
      ["p1", "DoesNotAdmit", "ingress[0].from[0] ipBlock 192.0.2.0/24 does not contain 10.0.0.2"],
      ["p2", "NotApplicable", "podSelector {pod=b} does not select the pod"],
    ]);
    const admitted = evaluate(aPacket(of, EXTERNAL, "local/x/a"), of).ingress;
    expect(admitted.policies[1]?.reasons).toEqual([
      "ingress[0].from[0] ipBlock 192.0.2.0/24 contains 192.0.2.1, on TCP/80",
    ]);
    const wrongPort = evaluate(aPacket(of, EXTERNAL, "local/x/a", 81), of).ingress;
    expect(wrongPort.policies[1]?.reasons).toEqual([
      "ingress[0].ports TCP/80 do not include TCP/81",
    ]);
  });
});
