import type { Command } from "commander";
import { OPERATOR_OPTIONS, readOperatorConfig } from "../operator/options.ts";
import { runOperator } from "../operator/run.ts";
import { EXIT } from "./exit.ts";
import { untilSignal } from "./signals.ts";
import { addTableOptions } from "./table-options.ts";
import { packageVersion } from "./version.ts";

/** `wayleave operator`: runs until SIGTERM or SIGINT. */
export function addOperatorCommand(program: Command): void {
  const command = program
    .command("operator")
    .description("keep GlobalNetworkSets of the local cluster equal to the pods of a remote one");
  const flags = addTableOptions(command, OPERATOR_OPTIONS);
  command.action(async () => {
    const read = readOperatorConfig(flags(), process.env);
    if ("errors" in read) {
      for (const error of read.errors) process.stderr.write(`error: ${error}\n`);
      process.stderr.write("see wayleave operator --help\n");
      process.exitCode = EXIT.usage;
      return;
    }
    await runOperator(read.config, { version: packageVersion(), signal: untilSignal() });
  });
}
