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

async function demo(flags: Flags): Promise<number> {
  try {
    const ok = await runDemo({
      ...flags,
      command: [process.execPath, fileURLToPath(new URL("main.js", import.meta.url))],
      stdout: process.stdout,
      signal: untilSignal(),
    });
    return ok ? EXIT.ok : EXIT.negative;
  } catch (error) {
    process.stderr.write(`wayleave demo: ${errorText(error)}\n`);
    return EXIT.negative;
  }
}
