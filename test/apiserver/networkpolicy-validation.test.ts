import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatProblem, type Problem } from "../../src/core/policy/fields.ts";
import { parseNetworkPolicy } from "../../src/core/policy/parse.ts";
import type { ApiError } from "../support/control-plane/api-client.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { createNamespace } from "../support/pods.ts";

/** How a server was asked to judge, and which of our problems it shares then. */
type Mode = "strict" | "ignore" | "loose-cidrs";

const KINDS: Readonly<Record<Mode, readonly Problem["kind"][]>> = {
  strict: ["always", "strict-cidr", "unknown-field"],
  ignore: ["always", "strict-cidr"],
  "loose-cidrs": ["always"],
};

const long = "a".repeat(64);
const odd: fc.Arbitrary<unknown> = fc.constantFrom(
  null,
  true,
  0,
  1.5,
  "text",
  [],
  {},
  ["a"],
  { a: 1 },
  [null],
);

/** Policies whose every part is sound `soundness` times as often as not. */
function policies(soundness: number): fc.Arbitrary<Record<string, unknown>> {
  const some = (sound: readonly string[], broken: readonly string[]): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: soundness, arbitrary: fc.constantFrom(...sound) },
      { weight: 1, arbitrary: fc.constantFrom(...broken) },
    );
  const texts = some(
    ["a", "b", "A_b.c"],
    ["", "-a", "a-", "a b", "a/b", "a.b/c", "a/b/c", "A.b/c", long, "ä"],
  );

  /** Mostly `usual`, sometimes something else. */
  const or = (
    usual: fc.Arbitrary<unknown>,
    other: fc.Arbitrary<unknown> = odd,
  ): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: soundness, arbitrary: usual }, { weight: 1, arbitrary: other });

  const expression = fc.record(
    {
      key: or(texts),
      operator: or(
        fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
        fc.constantFrom("in", "", null, "Gt"),
      ),
      values: or(fc.array(or(texts), { maxLength: 2 })),
    },
    { requiredKeys: [] },
  );

  const selector = or(
    fc.record(
      {
        matchLabels: or(fc.dictionary(texts, or(texts), { maxKeys: 2 })),
        matchExpressions: or(fc.array(or(expression), { maxLength: 2 })),
      },
      { requiredKeys: [] },
    ),
  );

  const cidrs = some(
    [
      "10.0.0.0/8",
      "10.1.0.0/16",
      "10.1.2.0/24",
      "10.1.2.3/32",
      "0.0.0.0/0",
      "::/0",
      "fd00::/8",
      "fd00:1::/32",
    ],
    [
      "::ffff:10.0.0.0/104",
      "::ffff:10.1.0.0/112",
      "10.1.2.3/8",
      "010.0.0.0/8",
      "10.0.0.0/08",
      "fd00:0001::/32",
      "fd00:00001::/32",
      "FD00::/8",
      "10.0.0.0",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0/8",
      "fd00::/129",
      "fe80::1%eth0/64",
      "",
      " 10.0.0.0/8",
      "any",
    ],
  );

  const block = or(
    fc.record(
      { cidr: or(cidrs), except: or(fc.array(or(cidrs), { maxLength: 2 })) },
      { requiredKeys: [] },
    ),
  );

  const peer = or(
    fc.oneof(
      { weight: soundness, arbitrary: fc.record({ podSelector: selector }) },
      {
        weight: soundness,
        arbitrary: fc.record({ namespaceSelector: selector, podSelector: selector }),
      },
      { weight: soundness, arbitrary: fc.record({ ipBlock: block }) },
      fc.record({ ipBlock: block, podSelector: selector }),
      fc.constant({}),
      fc.constant({ serviceSelector: {} }),
    ),
  );

  const numbers = fc.constantFrom<unknown>(80, 443, 1, 65535, 0, -1, 65536, 2 ** 31, 2 ** 40, 1.5);
  const port = or(
    fc.record(
      {
        protocol: or(
          fc.constantFrom("TCP", "UDP", "SCTP"),
          fc.constantFrom("tcp", "ICMP", "", null),
        ),
        port: fc.oneof(
          { weight: 4, arbitrary: fc.constant<unknown>(80) },
          numbers,
          fc.constantFrom<unknown>(
            "http",
            "80",
            "",
            "Http",
            "a--b",
            "-a",
            "a".repeat(16),
            "p-80",
            null,
            true,
          ),
        ),
        endPort: fc.oneof(
          { weight: 2 * soundness, arbitrary: fc.constant<unknown>(90) },
          numbers,
          odd,
        ),
      },
      { requiredKeys: [] },
    ),
  );

  function rule(key: "from" | "to"): fc.Arbitrary<unknown> {
    return or(
      fc.record(
        {
          [key]: or(fc.array(peer, { maxLength: 2 })),
          ports: or(fc.array(port, { maxLength: 2 })),
        },
        { requiredKeys: [] },
      ),
      fc.oneof(odd, fc.constant({ form: [] })),
    );
  }

  const types = or(
    fc.constantFrom<unknown>(
      undefined,
      [],
      ["Ingress"],
      ["Egress"],
      ["Ingress", "Egress"],
      ["Egress", "Egress"],
    ),
    fc.constantFrom<unknown>(["ingress"], [""], ["Ingress", "Egress", "Ingress"], "Ingress", [
      null,
    ]),
  );

  const spec = or(
    fc.record(
      {
        podSelector: selector,
        ingress: or(fc.array(rule("from"), { maxLength: 2 })),
        egress: or(fc.array(rule("to"), { maxLength: 2 })),
        policyTypes: types,
      },
      { requiredKeys: [] },
    ),
    fc.oneof(odd, fc.constant({ podSelector: {}, matchLabels: { a: "b" } })),
  );

  const metadata = fc.record(
    {
      name: or(
        fc.constant("policy"),
        fc.constantFrom<unknown>("", "A", "a.b", "a_b", "-a", "x".repeat(254), null, 1),
      ),
      labels: or(fc.dictionary(texts, texts, { maxKeys: 1 })),
      annotations: or(fc.dictionary(texts, fc.string(), { maxKeys: 1 })),
    },
    { requiredKeys: ["name"] },
  );

  return fc.record({
    apiVersion: fc.constant("networking.k8s.io/v1"),
    kind: fc.constant("NetworkPolicy"),
    metadata,
    spec,
  });
}

interface Answer {
  readonly accepted: boolean;
  readonly message: string;
  /** `spec.policyTypes` as the server filled it in. */
  readonly types: readonly string[];
}

async function ask(server: ControlPlane, policy: unknown, mode: Mode): Promise<Answer> {
  const validation = mode === "strict" ? "Strict" : "Ignore";
  const path = `/apis/networking.k8s.io/v1/namespaces/default/networkpolicies?dryRun=All&fieldValidation=${validation}`;
  try {
    const made = await server.request<{ spec: { policyTypes?: string[] } }>("POST", path, policy);
    return { accepted: true, message: "", types: made.spec.policyTypes ?? [] };
  } catch (error) {
    const { status, message } = error as ApiError;
    if (status !== 400 && status !== 422) throw error;
    return { accepted: false, message, types: [] };
  }
}

describeOnApiServers("validation of NetworkPolicy", () => {
  let current: ControlPlane;
  let loose: ControlPlane;

  beforeAll(async () => {
    [current, loose] = await Promise.all([
      startControlPlane({ name: "current" }),
      startControlPlane({
        name: "loose",
        apiserverFlags: ["--feature-gates=StrictIPCIDRValidation=false"],
      }),
    ]);
    await Promise.all([current, loose].map(async (each) => createNamespace(each, "default")));
  });

  afterAll(async () => {
    await Promise.all([current?.stop(), loose?.stop()]);
  });

  test.each<[Mode]>([["strict"], ["ignore"], ["loose-cidrs"]])(
    "agrees on a generated corpus, judged %s",
    async (mode) => {
      const server = mode === "loose-cidrs" ? loose : current;
      const seed = Date.now();
      const corpus = [20, 200].flatMap((soundness) =>
        fc.sample(policies(soundness), { seed, numRuns: 300 }),
      );
      const disagreements: unknown[] = [];
      let accepted = 0;
      for (let from = 0; from < corpus.length; from += 25) {
        await Promise.all(
          corpus.slice(from, from + 25).map(async (policy) => {
            const parsed = parseNetworkPolicy(policy);
            const ours = parsed.problems.filter(({ kind }) => KINDS[mode].includes(kind));
            const theirs = await ask(server, policy, mode);
            if (theirs.accepted) accepted++;
            const isolates = [...(parsed.policy?.isolates ?? [])].toSorted();
            const types = [...new Set(theirs.types.map((type) => type.toLowerCase()))].toSorted();
            const sameDefaults = !theirs.accepted || isolates.join() === types.join();
            if (theirs.accepted === (ours.length === 0) && sameDefaults) return;
            disagreements.push({
              policy,
              ours: ours.map(formatProblem),
              theirs: theirs.message,
              isolates,
              types,
            });
          }),
        );
      }
      expect({
        seed,
        disagreements: disagreements.slice(0, 5).map((each) => JSON.stringify(each)),
      }).toEqual({
        seed,
        disagreements: [],
      });
      // A corpus that is refused or accepted whole would prove nothing.
      expect(accepted).toBeGreaterThan(60);
      expect(corpus.length - accepted).toBeGreaterThan(60);
    },
  );
});
