/**
 * The demo on real API servers instead of embedded ones:
 *
 *     node --import ./test/support/typescript.mjs test/support/real-demo.ts [--script NAME] [--once]
 *
 * Takes the flags of `wayleave demo`. Needs dist, for the operator; builds etcd and kube-apiserver unless they are there.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { DemoCluster } from "../../src/demo/clusters.ts";
import { runDemo } from "../../src/demo/run.ts";
import { SCRIPT_NAMES } from "../../src/demo/scripts.ts";
import { installBinaries } from "./control-plane/binaries.ts";
import { startControlPlane } from "./control-plane/control-plane.ts";

const end = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => end.abort());

async function startReal(name: string): Promise<DemoCluster> {
  const plane = await startControlPlane({ name });
  return {
    url: new URL(plane.url),
    kubeconfig: await readFile(plane.kubeconfig, "utf8"),
    stop: async () => plane.stop(),
  };
}

function hasKubectl(): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, "kubectl")));
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      script: { type: "string", default: SCRIPT_NAMES[0] ?? "" },
      once: { type: "boolean", default: false },
    },
  });
  const script = SCRIPT_NAMES.find((name) => name === values.script);
  if (script === undefined) {
    throw new Error(`--script: expected one of ${SCRIPT_NAMES.join(", ")}, got "${values.script}"`);
  }
  const located = await installBinaries((line) => void process.stderr.write(`${line}\n`));
  if (located.kind === "missing") throw new Error(located.reason);
  process.stderr.write("starting two etcds and two kube-apiservers (about 10 s)\n");
  return runDemo({
    script,
    once: values.once,
    command: [process.execPath, fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))],
    stdin: process.stdin,
    stdout: process.stdout,
    environment: process.env,
    signal: end.signal,
    startCluster: startReal,
    clusterKind: "real API servers (kube-apiserver and etcd)",
    kubectl: hasKubectl() ? "kubectl" : located.binaries.kubectl,
  });
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`demo: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
