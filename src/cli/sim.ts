import { readFile, rm, writeFile } from "node:fs/promises";
import { InvalidArgumentError, type Command } from "commander";
import { isDnsLabel } from "../core/model/names.ts";
import { errorText } from "../core/model/fault.ts";
import { startSim } from "../sim/sim.ts";
import { EXIT } from "./exit.ts";
import { untilSignal } from "./signals.ts";

interface Flags {
  readonly name: string;
  readonly kubeconfig: string;
  readonly port: number;
  readonly pods: number;
  readonly seed: number;
  readonly churn: number;
}

function parseName(text: string): string {
  if (!isDnsLabel(text)) throw new InvalidArgumentError("a cluster name is a DNS label.");
  return text;
}

function parseInteger(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`a number from ${least} to ${most} is needed.`);
    return value;
  };
}

/** Adds `wayleave sim`: one simulated cluster in the foreground, until a signal. */
export function addSimCommand(program: Command): void {
  program
    .command("sim")
    .description(
      "run a simulated Kubernetes API server (no nodes, no controllers) for trials and tests",
    )
    .requiredOption(
      "--name <name>",
      "the name of the cluster and of its kubeconfig context",
      parseName,
    )
    .requiredOption("--kubeconfig <file>", "where to write a kubeconfig for it")
    .option("--port <port>", "port on 127.0.0.1; 0 takes a free one", parseInteger(0, 65_535), 0)
    .option("--pods <count>", "how many pods to generate", parseInteger(0, 1_000_000), 0)
    .option(
      "--seed <number>",
      "what the pods are generated from",
      parseInteger(0, 4_294_967_295),
      1,
    )
    .option("--churn <rate>", "changes of generated pods a second", parseInteger(0, 100_000), 0)
    .action(async (flags: Flags) => {
      process.exitCode = await runSim(flags);
    });
}

/** The first line of a kubeconfig that is ours to replace and to remove. */
const MARK = "# a simulated cluster, written by wayleave sim";

/** Throws when `path` holds something that was not written here. */
async function refuseForeign(path: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return;
  }
  if (!text.startsWith(MARK))
    throw new Error(
      `write kubeconfig "${path}": the file is there and was not written by wayleave sim`,
    );
}

async function runSim(flags: Flags): Promise<number> {
  const stopped = untilSignal();
  try {
    await refuseForeign(flags.kubeconfig);
    const sim = await startSim({ name: flags.name, port: flags.port });
    const fleet = sim.populate(flags.pods, flags.seed);
    const calm = flags.churn > 0 ? fleet.churn(flags.churn) : () => {};
    await writeFile(flags.kubeconfig, `${MARK}\n${sim.kubeconfig()}`, { mode: 0o600 });
    process.stdout.write(
      `simulated cluster ${sim.name} listens on ${sim.url}\nkubectl --kubeconfig ${flags.kubeconfig} get pods -A\n`,
    );
    if (!stopped.aborted)
      await new Promise<void>((resolve) =>
        stopped.addEventListener("abort", () => resolve(), { once: true }),
      );
    calm();
    await sim.stop();
    await rm(flags.kubeconfig, { force: true });
    return EXIT.ok;
  } catch (error) {
    process.stderr.write(`wayleave sim: ${errorText(error)}\n`);
    return EXIT.usage;
  }
}
