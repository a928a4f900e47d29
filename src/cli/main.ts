#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { addCleanupCommand } from "./cleanup.ts";
import { addDemoCommand } from "./demo.ts";
import { EXIT } from "./exit.ts";
import { addInspectCommands } from "./inspect.ts";
import { addOperatorCommand } from "./operator.ts";
import { addSetsCommands } from "./sets.ts";
import { addSimCommand } from "./sim.ts";
import { addStatusCommand } from "./status.ts";
import { doubleDashes } from "./table-options.ts";
import { packageVersion } from "./version.ts";

const program = new Command("wayleave")
  .description("network policy that follows pods across Kubernetes clusters")
  .version(packageVersion(), "--version", "print the version")
  .showHelpAfterError("(add --help for the options)")
  .exitOverride();

addOperatorCommand(program);
addStatusCommand(program);
addSetsCommands(program);
addCleanupCommand(program);
addInspectCommands(program);
addSimCommand(program);
addDemoCommand(program);

/** Go programs take `-flag`; only the operator, which succeeds one, does too. */
function normalise(args: readonly string[]): readonly string[] {
  return args[0] === "operator" ? doubleDashes(args) : args;
}

try {
  await program.parseAsync(normalise(process.argv.slice(2)), { from: "user" });
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
