import type { Command } from "commander";
import { PROFILE_NAMES, type ProfileName } from "../core/membership/profile.ts";
import { setIdOf } from "../core/membership/set-id.ts";
import type { ClusterName } from "../core/model/names.ts";
import { oneOf } from "../core/options/parsers.ts";
import {
  readOptions,
  type DefaultedOption,
  type Option,
  type Options,
} from "../core/options/table.ts";
import type { CalicoGroupChoice } from "../core/plan/calico-mode.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { findCleanup, type Cleanup } from "../operator/cleanup.ts";
import { openLocal } from "../operator/clusters.ts";
import { OPERATOR_OPTIONS } from "../operator/options.ts";
import { ownerOf } from "../operator/run.ts";
import { systemClock } from "../runtime/clock.ts";
import { confirm } from "./confirm.ts";
import { EXIT } from "./exit.ts";
import { orUsage } from "./inspect.ts";
import { tableText } from "./table.ts";
import { addTableOptions, type Flags } from "./table-options.ts";

interface CleanupTable {
  readonly targetClusterName: Option<ClusterName>;
  readonly localKubeConfig: Option<string>;
  readonly labelProfile: Option<ProfileName>;
  readonly calicoApiGroup: DefaultedOption<CalicoGroupChoice>;
}

/** What is removed is named by flags alone: an operator's environment must not choose it. */
const CLEANUP_OPTIONS: CleanupTable = {
  targetClusterName: {
    ...OPERATOR_OPTIONS.targetClusterName,
    env: [],
    help: "name of the remote cluster whose sets go; required",
  },
  localKubeConfig: OPERATOR_OPTIONS.localKubeConfig,
  labelProfile: {
    flag: "label-profile",
    env: [],
    placeholder: "PROFILE",
    help: `only sets with labels of this profile, one of ${PROFILE_NAMES.join(", ")}; without it those of every generation`,
    parse: oneOf(...PROFILE_NAMES),
  },
  calicoApiGroup: OPERATOR_OPTIONS.calicoApiGroup,
};

interface Switches {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

function reference(object: ActualSet): string {
  return `globalnetworkset/${object.name}`;
}

function listText(objects: readonly ActualSet[]): string {
  const rows = objects.map((object) => {
    const owner = ownerOf(object);
    const { namespace, name } = owner === undefined ? { namespace: "", name: "" } : setIdOf(owner);
    return [object.name, namespace, name, String(object.nets.length)];
  });
  return tableText(["NAME", "NAMESPACE", "SET", "MEMBERS"], rows);
}

function counted(count: number): string {
  return `${count} ${count === 1 ? "object" : "objects"}`;
}

async function removeAll(cleanup: Cleanup): Promise<number> {
  let failed = 0;
  await cleanup.remove((object, why) => {
    if (why === undefined) {
      process.stdout.write(`${reference(object)} deleted\n`);
      return;
    }
    failed++;
    process.stderr.write(`error: ${reference(object)} not deleted: ${why}\n`);
  });
  return failed === 0 ? EXIT.ok : EXIT.negative;
}

async function afterAsking(cleanup: Cleanup, { dryRun, yes }: Switches): Promise<number> {
  const count = counted(cleanup.objects.length);
  if (dryRun === true) {
    process.stderr.write(`${count} would be deleted (dry run)\n`);
    return EXIT.ok;
  }
  if (yes === true) return removeAll(cleanup);
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    process.stderr.write("error: nothing deleted: there is no terminal to ask on; add --yes\n");
    return EXIT.usage;
  }
  const terminal = { input: process.stdin, output: process.stderr };
  if (await confirm(`delete ${count}?`, terminal)) return removeAll(cleanup);
  process.stderr.write("nothing deleted\n");
  return EXIT.negative;
}

async function cleanUp(options: Options<CleanupTable>, switches: Switches): Promise<number> {
  const { targetClusterName: cluster, labelProfile: profile, calicoApiGroup: group } = options;
  if (cluster === undefined) {
    process.stderr.write("error: --target-cluster-name: required\n");
    return EXIT.usage;
  }
  const local = await openLocal(options.localKubeConfig, process.env, systemClock);
  try {
    const cleanup = await findCleanup({ cluster, profile, group }, local.client, systemClock);
    if (cleanup.objects.length === 0) {
      process.stderr.write(`no sets of cluster ${cluster} found\n`);
      return EXIT.ok;
    }
    process.stdout.write(listText(cleanup.objects));
    return await afterAsking(cleanup, switches);
  } finally {
    local.close();
  }
}

async function run(flags: Flags, switches: Switches): Promise<number> {
  const { options, errors } = readOptions(CLEANUP_OPTIONS, flags, process.env);
  if (errors.length === 0) return cleanUp(options, switches);
  for (const error of errors) process.stderr.write(`error: ${error}\n`);
  return EXIT.usage;
}

/** `wayleave cleanup`: removes from the local cluster what we own of one remote cluster. */
export function addCleanupCommand(program: Command): void {
  const command = program
    .command("cleanup")
    .description(
      "list and delete the GlobalNetworkSets that are ours of one remote cluster; an operator that still follows it writes them again",
    );
  const flags = addTableOptions(command, CLEANUP_OPTIONS);
  command
    .option("--dry-run", "only list what would be deleted")
    .option("--yes", "do not ask; needed where there is no terminal")
    .action(async (switches: Switches) => orUsage(async () => run(flags(), switches)));
}
