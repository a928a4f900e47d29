/**
 * How long `matrix` and `lint` take from files: the whole command, reading included.
 *
 *     npm run build && node --import ./test/support/typescript.mjs bench/inspect/offline.ts
 *
 * matrix: 1,000 pods, 200 policies, one port. lint: 2,000 files of one policy each. See docs/benchmarks.md.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const RUNS = 5;
const SPACES = 20;

function pod(index: number): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `pod-${index}`,
      namespace: `ns-${index % SPACES}`,
      labels: { app: `app-${index % 50}`, tier: `tier-${index % 5}` },
    },
    spec: { containers: [{ name: "c", ports: [{ name: "http", containerPort: 80 }] }] },
    status: { phase: "Running", podIP: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` },
  };
}

function namespace(index: number): unknown {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `ns-${index}`, labels: { team: `team-${index % 7}` } },
  };
}

function policy(index: number): unknown {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `policy-${index}`, namespace: `ns-${index % SPACES}` },
    spec: {
      podSelector: index % 4 === 0 ? {} : { matchLabels: { app: `app-${index % 50}` } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            { podSelector: { matchLabels: { tier: `tier-${index % 5}` } } },
            { namespaceSelector: { matchLabels: { team: `team-${index % 7}` } } },
            { ipBlock: { cidr: "10.0.0.0/16", except: [`10.0.${index % 4}.0/24`] } },
          ],
          ports: [{ port: index % 3 === 0 ? "http" : 80 }],
        },
      ],
      egress: [
        {
          to: [
            {
              namespaceSelector: {},
              podSelector: {
                matchExpressions: [
                  { key: "tier", operator: "NotIn", values: [`tier-${index % 5}`] },
                ],
              },
            },
          ],
        },
      ],
    },
  };
}

/** Says on standard error, at the end, how much processor time the command took: waiting for others is not in it. */
const SAY_CPU = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => { const { user, system } = process.cpuUsage(); process.stderr.write(`cpu ${(user + system) / 1e6}\\n`); })',
)}`;

function measure(what: string, args: readonly string[]): void {
  const runs = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const ended = spawnSync(process.execPath, ["--import", SAY_CPU, MAIN, ...args], {
      maxBuffer: 2 ** 30,
    });
    const wall = (performance.now() - start) / 1000;
    const cpu = /^cpu (\S+)$/m.exec(ended.stderr.toString())?.[1];
    if (ended.status === null || ended.status > 1 || cpu === undefined) {
      throw new Error(ended.stderr.toString());
    }
    return { wall, cpu: Number(cpu) };
  });
  const show = (values: readonly number[]): string => {
    const sorted = values.toSorted((a, b) => a - b);
    return `${(sorted[0] ?? 0).toFixed(2)} to ${(sorted.at(-1) ?? 0).toFixed(2)} s`;
  };
  const wall = show(runs.map((run) => run.wall));
  const cpu = show(runs.map((run) => run.cpu));
  process.stdout.write(`${what}: ${wall}, processor ${cpu}\n`);
}

const folder = mkdtempSync(join(tmpdir(), "wayleave-bench-"));
try {
  const objects = [
    ...Array.from({ length: SPACES }, (_, index) => namespace(index)),
    ...Array.from({ length: 1000 }, (_, index) => pod(index)),
    ...Array.from({ length: 200 }, (_, index) => policy(index)),
  ];
  const yaml = join(folder, "world.yaml");
  const json = join(folder, "world.json");
  writeFileSync(yaml, objects.map((object) => stringify(object)).join("---\n"));
  writeFileSync(json, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  const files = join(folder, "policies");
  mkdirSync(files);
  for (let index = 0; index < 2000; index++) {
    writeFileSync(join(files, `policy-${index}.yaml`), stringify(policy(index)));
  }
  measure("matrix -o json, 10^6 cells, from YAML", [
    "matrix",
    "-f",
    yaml,
    "--port",
    "80",
    "-o",
    "json",
  ]);
  measure("matrix -o json, 10^6 cells, from JSON", [
    "matrix",
    "-f",
    json,
    "--port",
    "80",
    "-o",
    "json",
  ]);
  measure("matrix, 10^6 cells, as a table", ["matrix", "-f", yaml, "--port", "80"]);
  measure("lint of 2,000 files", ["lint", "-f", files]);
  measure("lint of 2,000 files with 1,000 pods", ["lint", "-f", files, "-f", yaml]);
} finally {
  rmSync(folder, { recursive: true });
}
