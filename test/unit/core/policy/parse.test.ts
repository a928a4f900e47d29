import { describe, expect, test } from "@jest/globals";
import { parseCidr } from "../../../../src/core/address/cidr.ts";
import { formatProblem } from "../../../../src/core/policy/fields.ts";
import { parseNetworkPolicy } from "../../../../src/core/policy/parse.ts";

function parse(spec: unknown, metadata: unknown = { name: "p", namespace: "x" }) {
  return parseNetworkPolicy({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec,
  });
}

function problems(spec: unknown): string[] {
  return parse(spec).problems.map(formatProblem);
}

const peer = (entry: unknown): unknown => ({ podSelector: {}, ingress: [{ from: [entry] }] });
const port = (entry: unknown): unknown => ({ podSelector: {}, ingress: [{ ports: [entry] }] });

describe("defaults", () => {
  test("an absent spec selects every pod and isolates it for ingress", () => {
    const { policy, problems: found } = parseNetworkPolicy({ metadata: { name: "p" } });
    expect(found).toEqual([]);
    expect(policy).toEqual({
      namespace: "default",
      name: "p",
      podSelector: { requirements: [] },
      isolates: new Set(["ingress"]),
      ingress: [],
      egress: [],
    });
  });

  test("a port has protocol TCP, and null reads as absent", () => {
    const ports = [{ port: 80 }, { protocol: null, port: "web" }, null];
    expect(parse({ ingress: [{ from: null, ports }] }).policy?.ingress).toEqual([
      {
        peers: undefined,
        ports: [
          { kind: "range", protocol: "TCP", port: 80, endPort: 80 },
          { kind: "named", protocol: "TCP", name: "web" },
          { kind: "any", protocol: "TCP" },
        ],
      },
    ]);
  });
});

test.each<[string, unknown, string[]]>([
  [
    "a selector that is text",
    { podSelector: "app=web" },
    ['spec.podSelector: "app=web": must be an object'],
  ],
  [
    "a label key",
    { podSelector: { matchLabels: { "a/b/c": "v" } } },
    [
      'spec.podSelector.matchLabels["a/b/c"]: "a/b/c": label key must be a name with at most one prefix, as in example.com/name',
    ],
  ],
  [
    "a label value that is a number",
    { podSelector: { matchLabels: { a: 1 } } },
    ["spec.podSelector.matchLabels.a: 1: must be a string"],
  ],
  [
    "an operator",
    { podSelector: { matchExpressions: [{ key: "a", operator: "in", values: ["b"] }] } },
    [
      'spec.podSelector.matchExpressions[0].operator: "in": must be one of In, NotIn, Exists, DoesNotExist',
    ],
  ],
  [
    "In without values",
    { podSelector: { matchExpressions: [{ key: "a", operator: "In" }] } },
    ["spec.podSelector.matchExpressions[0].values: nothing: must not be empty with In"],
  ],
  [
    "Exists with values",
    { podSelector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] } },
    ['spec.podSelector.matchExpressions[0].values: ["b"]: must be absent with Exists'],
  ],
  [
    "an empty peer",
    peer({}),
    ["spec.ingress[0].from[0]: {}: must have podSelector, namespaceSelector or ipBlock"],
  ],
  [
    "a block beside a selector",
    peer({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }),
    [
      'spec.ingress[0].from[0]: {"ipBlock":{"cidr":"10.0.0.0/8"},"podSelector":{}}: must not have ipBlock beside a selector',
    ],
  ],
  [
    "a block without a range",
    peer({ ipBlock: {} }),
    ["spec.ingress[0].from[0].ipBlock.cidr: nothing: must be given"],
  ],
  [
    "a bare address",
    peer({ ipBlock: { cidr: "10.0.0.1" } }),
    [
      'spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.1": must be a range such as 10.9.8.0/24 or 2001:db8::/64',
    ],
  ],
  [
    "an exception outside",
    peer({ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }),
    [
      'spec.ingress[0].from[0].ipBlock.except[0]: "11.0.0.0/16": must lie within cidr 10.0.0.0/8 and be smaller',
    ],
  ],
  [
    "an exception of everything",
    peer({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }),
    [
      'spec.ingress[0].from[0].ipBlock.except[0]: "10.0.0.0/8": must lie within cidr 10.0.0.0/8 and be smaller',
    ],
  ],
  [
    "a protocol",
    port({ protocol: "tcp" }),
    ['spec.ingress[0].ports[0].protocol: "tcp": must be one of TCP, UDP, SCTP'],
  ],
  ["port 0", port({ port: 0 }), ["spec.ingress[0].ports[0].port: 0: must be between 1 and 65535"]],
  [
    "a number as text",
    port({ port: "80" }),
    ['spec.ingress[0].ports[0].port: "80": port name must hold a letter'],
  ],
  [
    "a range that ends before it begins",
    port({ port: 90, endPort: 80 }),
    ["spec.ingress[0].ports[0].endPort: 80: must not be below port 90"],
  ],
  [
    "a range of a name",
    port({ port: "web", endPort: 80 }),
    ["spec.ingress[0].ports[0].endPort: 80: needs a numeric port"],
  ],
  [
    "a range of nothing",
    port({ endPort: 80 }),
    ["spec.ingress[0].ports[0].endPort: 80: needs a numeric port"],
  ],
  [
    "a type",
    { policyTypes: ["ingress"] },
    ['spec.policyTypes[0]: "ingress": must be one of Ingress, Egress'],
  ],
  [
    "three types",
    { policyTypes: ["Ingress", "Egress", "Ingress"] },
    ['spec.policyTypes: ["Ingress","Egress","Ingress"]: must have at most two entries'],
  ],
  [
    "a label list beside its selector",
    { podSelector: null, matchLabels: { a: "b" } },
    ['spec.matchLabels: {"a":"b"}: is not a field of this object'],
  ],
])("%s is refused at its field with its value", (_, spec, expected) => {
  expect(problems(spec)).toEqual(expected);
});

test.each([
  ["10.10.1.12/24", "10.10.1.0/24"],
  ["010.0.0.0/8", "10.0.0.0/8"],
  ["10.0.0.0/08", "10.0.0.0/8"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
])("%s means %s where addresses are not checked strictly", (cidr, meaning) => {
  const { policy, problems: found } = parse(peer({ ipBlock: { cidr } }));
  expect(found.map(({ kind }) => kind)).toEqual(["strict-cidr"]);
  const block = { cidr: parseCidr(meaning), excepts: [] };
  expect(policy?.ingress[0]?.peers).toEqual([{ kind: "block", block }]);
});

describe("what cannot be read admits nobody (B24)", () => {
  test.each([
    ["peer", { from: [{}] }, { peers: [{ kind: "invalid" }], ports: undefined }],
    ["peers", { from: "all" }, { peers: [{ kind: "invalid" }], ports: undefined }],
    ["misspelt field", { form: [] }, { peers: [{ kind: "invalid" }], ports: undefined }],
    ["port", { ports: [{ port: 0 }] }, { peers: undefined, ports: [{ kind: "invalid" }] }],
    [
      "range",
      { from: [{ ipBlock: { cidr: "x" } }] },
      { peers: [{ kind: "invalid" }], ports: undefined },
    ],
    [
      "exception",
      { from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["x"] } }] },
      { peers: [{ kind: "invalid" }], ports: undefined },
    ],
  ])("a broken %s", (_, rule, expected) => {
    const { policy, problems: found } = parse({ podSelector: {}, ingress: [rule] });
    expect(found).not.toEqual([]);
    expect(policy?.ingress).toEqual([expected]);
  });

  test("broken types isolate both ways", () => {
    expect(parse({ policyTypes: ["Both"] }).policy?.isolates).toEqual(
      new Set(["ingress", "egress"]),
    );
  });

  test("a broken subject, name or spec refuses the whole", () => {
    expect(parse({ podSelector: { matchLabels: { "-": "" } } }).policy).toBeUndefined();
    expect(parse({}, { name: "A" }).policy).toBeUndefined();
    expect(parse([]).policy).toBeUndefined();
    expect(parseNetworkPolicy("text").policy).toBeUndefined();
  });
});
