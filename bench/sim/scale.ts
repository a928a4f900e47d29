/**
 * A simulated cluster of 200,000 pods under 2,000 changes a second: how much memory it takes, how fast it
 * lists, and whether watchers see every change.
 *
 *     npm run build && node --import ./test/support/typescript.mjs bench/sim/scale.ts
 *
 * Fails when it takes 600 MB or more, or when fewer than 1,900 changes a second are seen.
 * Reference, 2 vCPU, Node 20.20: see docs/benchmarks.md.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PODS = 200_000;
const CHURN = 2_000;
const WATCH_SECONDS = 30;
const MAX_MB = 600;
const MIN_SEEN = 1_900;
const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

async function start(kubeconfig: string, pods: number, churn: number): Promise<Started> {
  const args = ["sim", "--name", "bench", "--kubeconfig", kubeconfig, "--pods", String(pods)];
  const child = spawn(process.execPath, [MAIN, ...args, "--seed", "1", "--churn", String(churn)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return { child, url };
  }
  throw new Error("wayleave sim ended before it listened");
}

interface Read {
  readonly ms: number;
  readonly bytes: number;
  readonly lines: number;
}

/** Reads a response to its end; counts bytes and lines. */
async function read(url: string, accept: string): Promise<Read> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { accept, "user-agent": "bench" } }, (response) => {
      let bytes = 0;
      let lines = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ ms: performance.now() - begun, bytes, lines }));
    });
    request.on("error", reject);
  });
}

/** Memory (now, and at most) in MB and CPU time in seconds, from /proc. */
async function usage(pid: number): Promise<{ rss: number; peak: number; cpu: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const field = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  const stat = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return {
    rss: Math.round(field("VmRSS")),
    peak: Math.round(field("VmHWM")),
    cpu: (Number(stat[11]) + Number(stat[12])) / 100,
  };
}

function report(what: string, figure: string): void {
  process.stdout.write(`| ${what} | ${figure} |\n`);
}

const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

const folder = await mkdtemp(join(tmpdir(), "bench-sim-"));
try {
  const half = await start(join(folder, "half"), PODS / 2, 0);
  const pods = "/api/v1/pods?resourceVersion=0";
  for (const [name, accept] of [
    ["JSON", "application/json"],
    ["protobuf", "application/vnd.kubernetes.protobuf"],
  ] as const) {
    const before = await usage(half.child.pid ?? 0);
    const got = await read(`${half.url}${pods}`, accept);
    const after = await usage(half.child.pid ?? 0);
    report(
      `list of ${PODS / 2} pods, ${name}`,
      `${seconds(got.ms)}, ${mb(got.bytes)}, CPU of the server ${(after.cpu - before.cpu).toFixed(2)} s`,
    );
  }
  half.child.kill("SIGTERM");

  const begun = performance.now();
  const whole = await start(join(folder, "whole"), PODS, CHURN);
  report(`start with ${PODS} pods, until it listens`, seconds(performance.now() - begun));
  const pid = whole.child.pid ?? 0;
  const begin = await usage(pid);
  const query = `watch=1&timeoutSeconds=${WATCH_SECONDS}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`;
  const watches = await Promise.all(
    ["application/json", "application/json"].map((accept) =>
      read(`${whole.url}/api/v1/pods?${query}`, accept),
    ),
  );
  const end = await usage(pid);
  const seen = Math.min(...watches.map((watch) => watch.lines)) / WATCH_SECONDS;
  report(
    `${CHURN} changes a second for ${WATCH_SECONDS} s, two JSON watches`,
    `${Math.round(seen)} seen a second by the slower one; CPU of the server ${Math.round(((end.cpu - begin.cpu) / WATCH_SECONDS) * 100)} %`,
  );
  await read(`${whole.url}${pods}`, "application/json");
  await read(`${whole.url}${pods}`, "application/vnd.kubernetes.protobuf");
  const last = await usage(pid);
  report(
    `resident memory with ${PODS} pods under that churn, lists included`,
    `${last.rss} MB, at most ${last.peak} MB`,
  );
  whole.child.kill("SIGTERM");
  if (last.peak >= MAX_MB || seen < MIN_SEEN) {
    process.stderr.write(
      `failed: less than ${MAX_MB} MB and ${MIN_SEEN} changes a second are wanted\n`,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
