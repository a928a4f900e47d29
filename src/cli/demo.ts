import { fileURLToPath } from "node:url";
import { Option as CommanderOption, type Command } from "commander";
import { errorText } from "../core/model/fault.ts";
import { runDemo } from "../demo/run.ts";
import { SCRIPT_NAMES, type ScriptName } from "../demo/scripts.ts";
import { EXIT } from "./exit.ts";
import { untilSignal } from "./signals.ts";

interface Flags {
  readonly script: ScriptName;
  readonly once: boolean;
}

/** Adds `wayleave demo`: the product at work on two embedded clusters. */
export function addDemoCommand(program: Command): void {
  program
    .command("demo")
    .description("watch the operator at work between two embedded clusters; needs nothing")
    .addOption(
      new CommanderOption("--script <name>", "what happens")
        .choices(SCRIPT_NAMES)
        .default(SCRIPT_NAMES[0]),
    )
    .option("--once", "end after the script; exit code 1 if a claim of it was not true", false)
    .action(async (flags: Flags) => {
      process.exitCode = await demo(flags);
    });
}

/** Also when the terminal was closed, or whoever read the output went away. */
function untilNobodyLooks(): AbortSignal {
  const gone = new AbortController();
  process.on("SIGHUP", () => gone.abort());
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => gone.abort());
  return AbortSignal.any([untilSignal(), gone.signal]);
}

async function demo(flags: Flags): Promise<number> {
  try {
    const ok = await runDemo({
      ...flags,
      command: [process.execPath, fileURLToPath(new URL("main.js", import.meta.url))],
      stdin: process.stdin,
      stdout: process.stdout,
      environment: process.env,
      signal: untilNobodyLooks(),
    });
    return ok ? EXIT.ok : EXIT.negative;
  } catch (error) {
    process.stderr.write(`wayleave demo: ${errorText(error)}\n`);
    return EXIT.negative;
  }
}
