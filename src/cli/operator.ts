import type { Command } from "commander";
import type { OptionErrors } from "../core/options/table.ts";
import { openClusters } from "../operator/clusters.ts";
import { OPERATOR_OPTIONS, readOperatorConfig } from "../operator/options.ts";
import { runOperator } from "../operator/run.ts";
import { systemClock } from "../runtime/clock.ts";
import { EXIT } from "./exit.ts";
import { untilSignal } from "./signals.ts";
import { addTableOptions } from "./table-options.ts";
import { packageVersion } from "./version.ts";

function reportUsage(errors: OptionErrors): void {
  for (const error of errors) process.stderr.write(`error: ${error}\n`);
  process.stderr.write("see wayleave operator --help\n");
  process.exitCode = EXIT.usage;
}

/** `wayleave operator`: runs until SIGTERM or SIGINT. */
export function addOperatorCommand(program: Command): void {
  const command = program
    .command("operator")
    .description("keep GlobalNetworkSets of the local cluster equal to the pods of a remote one");
  const flags = addTableOptions(command, OPERATOR_OPTIONS);
  command.action(async () => {
    const read = readOperatorConfig(flags(), process.env);
    if ("errors" in read) {
      reportUsage(read.errors);
      return;
    }
    const clusters = await openClusters(read.config, process.env, systemClock);
    if ("errors" in clusters) {
      reportUsage(clusters.errors);
      return;
    }
    const signal = untilSignal();
    await runOperator(read.config, { version: packageVersion(), clusters, signal });
  });
}
