import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { quantile } from "../operator/quantiles.ts";

/*
 * Lists pods into an index with Wayleave, client-node and client-go, against a server in a process of its own:
 *
 *     npm run build && node --import ./test/support/typescript.mjs bench/list-watch/main.ts [PODS] [ROUNDS]
 *
 * Each round starts each program once, so that all meet the same moments of the machine. Where Go is present its
 * program is built, with modules from the module proxy. Medians of the rounds, and their ratios to Wayleave's.
 */
const run = promisify(execFile);
const pods = process.argv[2] ?? "10000";
const rounds = Number(process.argv[3] ?? 3);
const PROTOBUF = "application/vnd.kubernetes.protobuf";

interface Usage {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMb: number;
}

interface Contender {
  readonly name: string;
  readonly once: () => Promise<Usage>;
}

async function serve(
  format: string,
): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const server = spawn(
    process.execPath,
    ["--import", "./test/support/typescript.mjs", "bench/list-watch/server.ts", format, pods],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), process: server };
}

async function curl(url: string, accept: string): Promise<Usage> {
  const format = "%{time_total}";
  const { stdout } = await run("curl", [
    "-s",
    "-o",
    "/dev/null",
    "-w",
    format,
    "-H",
    `accept: ${accept}`,
    `${url}/api/v1/pods`,
  ]);
  return { wallMs: Number(stdout) * 1_000, cpuMs: Number.NaN, peakMb: Number.NaN };
}

async function program(command: string, ...args: readonly string[]): Promise<Usage> {
  const { stdout } = await run(command, [...args], { timeout: 300_000 });
  return JSON.parse(stdout) as Usage;
}

async function buildGo(folder: string): Promise<string | undefined> {
  const binary = join(folder, "client-go");
  try {
    await run("go", ["build", "-o", binary, "."], { cwd: "bench/list-watch/go" });
    return binary;
  } catch (error) {
    process.stdout.write(`without client-go: ${String(error).slice(0, 200)}\n`);
    return undefined;
  }
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

const folder = await mkdtemp(join(tmpdir(), "bench-list-watch-"));
const inProtobuf = await serve("protobuf");
const inJson = await serve("json");
try {
  const go = await buildGo(folder);
  const contenders: Contender[] = [
    {
      name: "wayleave",
      once: async () =>
        program(process.execPath, "bench/list-watch/ours.mjs", inProtobuf.url, pods),
    },
    {
      name: "wayleave, JSON",
      once: async () => program(process.execPath, "bench/list-watch/ours.mjs", inJson.url, pods),
    },
    { name: "curl to nowhere", once: async () => curl(inProtobuf.url, PROTOBUF) },
    {
      name: "client-node informer",
      once: async () =>
        program(process.execPath, "bench/list-watch/client-node.mjs", inJson.url, pods),
    },
  ];
  if (go !== undefined) {
    contenders.push(
      {
        name: "client-go informer, protobuf",
        once: async () => program(go, inProtobuf.url, "protobuf", pods),
      },
      { name: "client-go informer, JSON", once: async () => program(go, inJson.url, "json", pods) },
    );
  }
  const seen = new Map<string, Usage[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, once: measure } of contenders) {
      try {
        const usage = await measure();
        seen.set(name, [...(seen.get(name) ?? []), usage]);
      } catch (error) {
        process.stdout.write(`${name} failed: ${String(error).slice(0, 300)}\n`);
      }
    }
  }
  const of = (name: string, field: keyof Usage): number =>
    median((seen.get(name) ?? []).map((usage) => usage[field]));
  process.stdout.write(`${pods} pods, ${rounds} rounds, medians\n\n`);
  process.stdout.write(
    "| program | wall ms | CPU ms | CPU, wayleave = 1 | peak MB |\n|---|---|---|---|---|\n",
  );
  for (const name of seen.keys()) {
    const shown = (value: number, digits = 0): string =>
      Number.isNaN(value) ? "-" : value.toFixed(digits);
    const ratio = of(name, "cpuMs") / of("wayleave", "cpuMs");
    process.stdout.write(
      `| ${name} | ${shown(of(name, "wallMs"))} | ${shown(of(name, "cpuMs"))} | ${shown(ratio, 1)} | ${shown(of(name, "peakMb"))} |\n`,
    );
  }
} finally {
  inProtobuf.process.kill();
  inJson.process.kill();
  await rm(folder, { recursive: true });
}
