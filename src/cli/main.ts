#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { EXIT } from "./exit.ts";
import { doubleDashes } from "./table-options.ts";
import { packageVersion } from "./version.ts";

type Add = (program: Command) => void;

/** In the order of the help; only what a command needs is loaded for it. */
const COMMANDS: readonly (readonly [names: readonly string[], load: () => Promise<Add>])[] = [
  [["operator"], async () => (await import("./operator.ts")).addOperatorCommand],
  [["status"], async () => (await import("./status.ts")).addStatusCommand],
  [["sets"], async () => (await import("./sets.ts")).addSetsCommands],
  [["cleanup"], async () => (await import("./cleanup.ts")).addCleanupCommand],
  [
    ["explain", "matrix", "diff", "lint"],
    async () => (await import("./inspect.ts")).addInspectCommands,
  ],
  [["sim"], async () => (await import("./sim.ts")).addSimCommand],
  [["demo"], async () => (await import("./demo.ts")).addDemoCommand],
];

const program = new Command("wayleave")
  .description("network policy that follows pods across Kubernetes clusters")
  .version(packageVersion(), "--version", "print the version")
  .showHelpAfterError("(add --help for the options)")
  .exitOverride();

/** The commands of the group that `args` name, or all of them where they name none. */
async function addCommands(args: readonly string[]): Promise<void> {
  if (args[0] === "--version") return;
  const named = COMMANDS.filter(([names]) => names.includes(args[0] ?? ""));
  for (const [, load] of named.length > 0 ? named : COMMANDS) (await load())(program);
}

/** Go programs take `-flag`; only the operator, which succeeds one, does too. */
function normalise(args: readonly string[]): readonly string[] {
  return args[0] === "operator" ? doubleDashes(args) : args;
}

try {
  await addCommands(process.argv.slice(2));
  await program.parseAsync(normalise(process.argv.slice(2)), { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
