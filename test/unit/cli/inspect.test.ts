import { describe, expect, jest, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { schemaErrors, wayleave } from "../../support/policy/cli.ts";
import { expectGolden, fixture } from "../../support/policy/files.ts";
import { readVectors, type VectorState } from "../../support/policy/vectors.ts";

// Each test starts a process or three, on a machine that may be busy.
jest.setTimeout(60_000);

const STARS = [
  "-f",
  "stars/ccp.yaml",
  "--remote",
  "aws=stars/aws-moved.yaml",
  "--local-name",
  "ccp",
];
/** The policies of Stars, as files: those of ccp are applied there. */
const CCP = [...STARS, "-f", "stars/policies.yaml"];
const FROM = "aws/client/deploy/client";
const TO = "ccp/stars/frontend:80";

/** A state of the truth table as a List. */
function listOf(state: VectorState): string {
  const pods = state.pods.map(({ namespace, name, labels, ip, ports }) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels },
    spec: {
      containers: [
        {
          name: "c",
          ports: ports.map(({ name: port, port: containerPort, protocol }) => ({
            name: port,
            containerPort,
            protocol,
          })),
        },
      ],
    },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
  }));
  const namespaces = Object.entries(state.namespaces).map(([name, labels]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  }));
  return JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [...namespaces, ...pods, ...state.policies],
  });
}

interface MatrixJson {
  readonly order: string[];
  readonly probes: Record<string, string[]>;
}

describe("explain", () => {
  test("says which policies deny, and why each rule fails", async () => {
    const { code, stdout } = await wayleave(["explain", FROM, TO, ...CCP]);
    expectGolden("explain-denied.txt", stdout);
    expect(code).toBe(1);
  });

  test("quotes the rule that admits; a policy by label replaces one by address", async () => {
    const { code, stdout } = await wayleave([
      "explain",
      FROM,
      TO,
      ...CCP,
      "-f",
      "stars/frontend-by-label.yaml",
    ]);
    expectGolden("explain-allowed.txt", stdout);
    expect(code).toBe(0);
  });

  test("with -v names also the policies that do not apply", async () => {
    const { stdout } = await wayleave(["explain", FROM, TO, ...CCP, "-v"]);
    expectGolden("explain-verbose.txt", stdout);
  });

  test("says what is missing, and exits with 3 under --strict", async () => {
    const args = [
      "explain",
      "10.9.9.9",
      TO,
      "-f",
      "stars/ccp.yaml",
      "-f",
      "stars/frontend-by-label.yaml",
      "--remote",
      "aws",
      "--local-name",
      "ccp",
    ];
    const { code, stdout } = await wayleave(args);
    expectGolden("explain-undecidable.txt", stdout);
    expect(code).toBe(1);
    expect((await wayleave([...args, "--strict"])).code).toBe(3);
  });

  test("prints JSON by its schema", async () => {
    const { stdout } = await wayleave(["explain", FROM, TO, ...CCP, "-o", "json"]);
    expect(schemaErrors("explanation", stdout)).toEqual([]);
    const explanation = JSON.parse(stdout) as {
      verdict: string;
      egress: { verdict: string };
      ingress: { verdict: string; policies: { name: string; result: string; reason: string }[] };
    };
    expect([explanation.verdict, explanation.egress.verdict, explanation.ingress.verdict]).toEqual([
      "Denied",
      "Allowed",
      "Denied",
    ]);
    expect(
      explanation.ingress.policies
        .filter(({ name }) => name === "frontend-policy")
        .map(({ result, reason }) => [result, reason]),
    ).toEqual([
      ["DoesNotAdmit", "ingress[0].from[0] ipBlock 10.0.110.197/32 does not contain 10.0.110.200"],
    ]);
  });

  test.each([
    [["stars/frontend-x2k", "stars/backend-7hq:6379"], 0],
    [["ccp/stars/frontend-x2k", "stars/svc/backend:6379"], 0],
    [["frontend-x2k", "backend-7hq:6379/TCP", "-n", "stars"], 0],
    [["192.168.1.10", "192.168.1.11:6379"], 0],
    [["192.168.1.10", "10.0.110.200:9000/UDP"], 0],
    [["stars/frontend-x2k", "[fd00::1]:80"], 2],
    [["stars/frontend-x2k", "stars/svc/backend:80"], 2],
    [["stars/frontend-x2k", "stars/backend-7hq:web"], 2],
    [["stars/frontend-x2k", "stars/backend-7hq"], 2],
    [["stars/nobody", "stars/backend-7hq:80"], 2],
    [["gke/stars/frontend-x2k", "stars/backend-7hq:80"], 2],
    [["stars/frontend-x2k", "stars/backend-7hq:80/QUIC"], 2],
    [["stars/frontend-x2k", "stars/backend-7hq:icmp"], 0],
  ])("%j exits with %i", async (args, expected) => {
    const { code, stderr } = await wayleave(["explain", ...args, ...STARS]);
    expect([code, stderr !== ""]).toEqual([expected, expected === 2]);
  });
});

describe("matrix", () => {
  test("of the first vector, of a list on standard input", async () => {
    const [state] = readVectors();
    if (state === undefined) throw new Error("no vectors");
    const { code, stdout } = await wayleave(["matrix", "-f", "-", "-o", "json"], listOf(state));
    expect(schemaErrors("matrix", stdout)).toEqual([]);
    const found = JSON.parse(stdout) as MatrixJson;
    expect(found.order).toEqual(state.order.map((key) => `local/${key}`));
    expect(found.probes).toEqual(state.expected);
    expect(code).toBe(0);
  });

  test("takes ports by number, with protocol and by name", async () => {
    const state = readVectors()[1];
    if (state === undefined) throw new Error("no vectors");
    const args = [
      "matrix",
      "-f",
      "-",
      "-o",
      "json",
      "--port",
      "80",
      "--port",
      "81/UDP",
      "--port",
      "serve-80-tcp",
    ];
    const { probes } = JSON.parse((await wayleave(args, listOf(state))).stdout) as MatrixJson;
    expect(probes).toEqual({
      "TCP/80": state.expected["TCP/80"],
      "UDP/81": state.expected["UDP/81"],
      "TCP/serve-80-tcp": state.expected["TCP/80"],
    });
  });

  test("reads as a table", async () => {
    const { stdout } = await wayleave(["matrix", ...CCP, "-n", "stars,client", "--port", "80"]);
    expectGolden("matrix.txt", stdout);
  });

  test("shows what is undecided", async () => {
    const { stdout } = await wayleave(["matrix", ...CCP, "--port", "nothing"]);
    expectGolden("matrix-undecided.txt", stdout);
  });

  test("is of one secondary network with --network", async () => {
    const blue = ["matrix", "-f", "secondary", "--port", "80", "--network", "default/tenant-blue"];
    expectGolden("matrix-network.txt", (await wayleave(blue)).stdout);
    const red = [
      "matrix",
      "-f",
      "secondary",
      "--port",
      "5432",
      "-o",
      "json",
      "--network",
      "default/tenant-red",
    ];
    const { order, probes } = JSON.parse((await wayleave(red)).stdout) as MatrixJson;
    const column = (pod: string): string[] =>
      (probes["TCP/5432"] ?? []).map((row) => row.charAt(order.indexOf(pod)));
    // The database admits one address; who has no address yet is undecided.
    expect(order).toEqual(
      ["database", "late", "vma", "vmb"].map((name) => `local/default/${name}`),
    );
    expect(column("local/default/database")).toEqual(["+", "?", "+", "-"]);
    const open = await wayleave(["matrix", "-f", "secondary", "--port", "80", "-o", "json"]);
    expect(new Set(Object.values((JSON.parse(open.stdout) as MatrixJson).probes).flat())).toEqual(
      new Set(["+++++"]),
    );
  });
});

describe("diff", () => {
  test("names whose connections change", async () => {
    const args = ["diff", ...CCP, "-f", "stars/frontend-by-label.yaml"];
    const { code, stdout } = await wayleave(args);
    expectGolden("diff.txt", stdout);
    expect(code).toBe(1);
    const json = await wayleave([...args, "-o", "json"]);
    expect(schemaErrors("diff", json.stdout)).toEqual([]);
  });

  test("takes what is there from --base, and exits with 0 when nothing changes", async () => {
    const { code, stdout } = await wayleave([
      "diff",
      "--base",
      "stars/ccp.yaml",
      "--base",
      "stars/policies.yaml",
      "-f",
      "stars/policies.yaml",
    ]);
    expect([code, stdout]).toEqual([0, "0 of 2 pairs change.\n"]);
  });

  test("of one file with pods shows what its policies do", async () => {
    const [state] = readVectors();
    const { stdout, code } = await wayleave(
      ["diff", "-f", "-", "--port", "80"],
      listOf(state as VectorState),
    );
    expect(stdout).toContain("- denied   local/z/a -> local/x/a:80/TCP   (was allowed)\n");
    expect(code).toBe(1);
  });
});

describe("lint", () => {
  test.each([
    [
      "seed-000",
      ["-f", "lint/seed-000-cluster-a.yaml", "--remote", "clusterb=lint/seed-000-cluster-b.yaml"],
    ],
    ["seed-001", ["-f", "lint/seed-001.yaml"]],
    ["seed-001-semaphore", ["-f", "lint/seed-001.yaml", "--label-profile", "semaphore"]],
    ["seed-002", ["-f", "lint/seed-002.yaml"]],
    ["seed-003", ["-f", "lint/seed-003.yaml", "--remote", "aws=stars/aws.yaml"]],
    ["seed-004", ["-f", "lint/seed-004.yaml"]],
    [
      "other",
      [
        "-f",
        "lint/other",
        "--remote",
        "b=lint/other-b.yaml",
        "--remote-pod-cidr",
        "b=10.2.0.0/16",
        "--scope-impact",
      ],
    ],
  ])("finds the traps of %s", async (name, args) => {
    const { code, stdout } = await wayleave(["lint", ...args]);
    expectGolden(`lint-${name}.txt`, stdout);
    expect(code).toBe(1);
    const json = await wayleave(["lint", ...args, "-o", "json"]);
    expect(schemaErrors("lint-report", json.stdout)).toEqual([]);
  });

  test("of sound policies finds nothing and exits with 0", async () => {
    const args = [
      "lint",
      "-f",
      "stars/ccp.yaml",
      "-f",
      "stars/frontend-by-label.yaml",
      "--remote",
      "aws=stars/aws.yaml",
      "--level",
      "warning",
    ];
    expect(await wayleave(args)).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("of every code but that of doctor has a fixture, and each has a page", async () => {
    const { CODES, docsPage } = await import("../../../src/inspect/lint/finding.ts");
    const codes = Object.keys(CODES) as (keyof typeof CODES)[];
    const names = ["000", "001", "002", "003", "004"].map((seed) => `lint-seed-${seed}.txt`);
    const texts = [...names, "lint-other.txt"].map((name) =>
      readFileSync(new URL(`../../golden/${name}`, import.meta.url), "utf8"),
    );
    const unseen = codes.filter((code) => !texts.some((text) => text.includes(code)));
    expect(unseen).toEqual(["WL015"]);
    for (const code of codes) {
      const page = readFileSync(new URL(`../../../${docsPage(code)}`, import.meta.url), "utf8");
      expect(page).toContain(`# ${code}: ${CODES[code].title}`);
    }
  });
});

describe("bad input", () => {
  test.each([
    [["matrix", "-f", "nowhere.yaml"], 'read "nowhere.yaml"'],
    [["matrix", ...STARS, "--port", "99999"], 'port "99999": must be between 1 and 65535'],
    [["matrix", ...STARS, "-o", "xml"], '--output "xml": must be text, json or yaml'],
    [["matrix", ...STARS, "-l", "a b"], '--selector "a b"'],
    [["matrix", "-f", "stars/ccp.yaml", "--remote", "A=x"], '--remote "A"'],
    [
      ["matrix", "-f", "stars/ccp.yaml", "--remote", "local=x"],
      '--remote "local": there is already a cluster of that name',
    ],
    [["matrix", "-f", "stars/ccp.yaml", "--local-name", "A_B"], '--local-name "A_B"'],
    [
      ["matrix", ...STARS, "--default-cluster-scope", "all"],
      '--default-cluster-scope "all": must be local or clusterset',
    ],
    [
      ["matrix", "-f", "lint/seed-003.yaml"],
      'lint/seed-003.yaml:2: apiVersion: "extensions/v1beta1": is not served',
    ],
    [["lint", "-f", "stars", "--label-profile", "new"], '--label-profile "new"'],
    [["diff"], "diff needs -f FILE"],
    [["explain", "a"], "missing required argument 'destination'"],
    [["matrix", "--kubeconfig", "nowhere"], "nowhere"],
  ])("%j is refused with its name and value", async (args, message) => {
    const { code, stdout, stderr } = await wayleave(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(message);
  });

  test("broken YAML has its line", async () => {
    const { code, stderr } = await wayleave(
      ["matrix", "-f", "-"],
      "kind: Pod\napiVersion: v1\n  bad: [\n",
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: -:\d+: /);
  });

  test("a pod that cannot be read has its line", async () => {
    const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nstatus: []\n";
    const { code, stderr } = await wayleave(["matrix", "-f", "-"], pod);
    expect([code, stderr]).toEqual([2, "error: -:1: pod b/a.status is not an object: []\n"]);
  });

  test("policies that do not count are named", async () => {
    const { stderr } = await wayleave([
      "matrix",
      "-f",
      "stars/ccp.yaml",
      "-f",
      "lint/seed-001.yaml",
    ]);
    expect(stderr).toContain(
      "not taken into account: 1 NetworkPolicy (crd.projectcalico.org) of cluster local",
    );
    expect(fixture("")).toContain("fixtures");
  });
});
