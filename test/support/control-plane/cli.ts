/**
 * Control planes from a terminal:
 *
 *     node --import ./test/support/typescript.mjs test/support/control-plane/cli.ts install
 *     node --import ./test/support/typescript.mjs test/support/control-plane/cli.ts up NAME...
 *
 * `install` builds the binaries unless they are there. `up` starts a control plane per name, prints one
 * line of JSON for each (name, url, kubeconfig, kubectl, folder, pids), and keeps them until SIGINT,
 * SIGTERM, or the end of its standard input.
 */
import { installBinaries, type Binaries } from "./binaries.ts";
import { startControlPlane } from "./control-plane.ts";

const [command, ...names] = process.argv.slice(2);
const report = (line: string): void => void process.stderr.write(`${line}\n`);

if (command === "install" && names.length === 0) {
  await orReport(async () => void (await install()));
} else if (command === "up" && names.length > 0) {
  await orReport(up);
} else {
  report("usage: cli.ts install | cli.ts up NAME...");
  process.exitCode = 2;
}

/** Runs a command; a failure becomes its message and exit code 1. */
async function orReport(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    report((error as Error).message);
    process.exitCode = 1;
  }
}

async function install(): Promise<Binaries> {
  const located = await installBinaries(report);
  if (located.kind === "missing") throw new Error(located.reason);
  return located.binaries;
}

async function up(): Promise<void> {
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
    process.stdin.once("end", () => resolve()).resume();
  });
  const { kubectl } = await install();
  const planes = await Promise.all(names.map((name) => startControlPlane({ name })));
  for (const { name, url, kubeconfig, folder, pids } of planes) {
    const line = { name, url, kubeconfig, kubectl, folder, pids };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  await asked;
  await Promise.all(planes.map((plane) => plane.stop()));
  process.stdin.destroy();
}
