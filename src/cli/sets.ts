import type { Command } from "commander";
import { Fault } from "../core/model/fault.ts";
import type { NetworkSetListView } from "../operator/api-objects.ts";
import { systemClock } from "../runtime/clock.ts";
import { EXIT } from "./exit.ts";
import { orUsage } from "./inspect.ts";
import { addPrintOptions, printer, type PrintFlags } from "./print.ts";
import { describeText, diffText, setsText } from "./sets-text.ts";
import { addSourceOptions, type Source } from "./source.ts";

interface SetsFlags extends PrintFlags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly cluster?: string;
  readonly strict?: boolean;
}

function chosen(list: NetworkSetListView, flags: SetsFlags): NetworkSetListView {
  const { namespace, allNamespaces, cluster } = flags;
  if (namespace !== undefined && allNamespaces === true) {
    throw new Fault("bad-request", "--namespace and --all-namespaces exclude each other");
  }
  const items = list.items.filter(
    (set) =>
      (namespace === undefined || namespace.split(",").includes(set.namespace)) &&
      (cluster === undefined || cluster === set.cluster),
  );
  return { ...list, items };
}

function nowText(): string {
  return new Date(systemClock.now()).toISOString();
}

function namesOf({ items }: NetworkSetListView): string[] {
  return items.map(({ metadata }) => `globalnetworkset/${metadata.name}`);
}

async function listAction(openSource: () => Source, flags: SetsFlags): Promise<number> {
  const print = printer(flags);
  const list = chosen(await openSource().sets(), flags);
  if (list.items.length === 0) process.stderr.write("no sets found\n");
  const text = list.items.length === 0 ? () => "" : setsText.bind(undefined, list, nowText());
  process.stdout.write(print({ value: list, text, names: () => namesOf(list) }));
  return EXIT.ok;
}

async function describeAction(
  name: string,
  openSource: () => Source,
  flags: SetsFlags,
): Promise<number> {
  const print = printer(flags);
  const list = await openSource().sets(name.replace(/^globalnetworkset\//, ""));
  const [set] = list.items;
  if (set === undefined) {
    process.stderr.write(`error: set "${name}" not found\n`);
    return EXIT.negative;
  }
  const text = describeText.bind(undefined, set, nowText());
  process.stdout.write(print({ value: set, text, names: () => namesOf(list) }));
  return EXIT.ok;
}

async function diffAction(openSource: () => Source, flags: SetsFlags): Promise<number> {
  const print = printer(flags);
  const list = chosen(await openSource().sets(), flags);
  const differing = { ...list, items: list.items.filter((set) => set.differences.length > 0) };
  const open = list.items.filter(({ state }) => state === "Unknown");
  process.stdout.write(
    print({ value: differing, text: () => diffText(list), names: () => namesOf(differing) }),
  );
  if (open.length > 0) {
    const clusters = [...new Set(open.map(({ cluster }) => cluster))].join(", ");
    process.stderr.write(`warning: ${open.length} sets not compared; not seen yet: ${clusters}\n`);
  }
  if (flags.strict === true && open.length > 0) return EXIT.undecidable;
  return differing.items.length === 0 ? EXIT.ok : EXIT.negative;
}

function addFilters(command: Command): Command {
  return addPrintOptions(command)
    .option("-n, --namespace <names>", "only sets of pods of these namespaces, comma-separated")
    .option("-A, --all-namespaces", "sets of all namespaces (the default)")
    .option("--cluster <name>", "only sets of this remote cluster");
}

/** `wayleave sets`: the sets as they should be and as they are. */
export function addSetsCommands(program: Command): void {
  const sets = program
    .command("sets")
    .description("show the sets that pods of remote clusters make up");

  const list = addFilters(
    sets.command("list", { isDefault: true }).description("list the sets (the default)"),
  );
  const listSource = addSourceOptions(list);
  list.action(async (flags: SetsFlags) => orUsage(async () => listAction(listSource, flags)));

  const describe = addPrintOptions(
    sets
      .command("describe")
      .description("show a set's members: pod, node, phase, since when, and who was there before")
      .argument("<name>", "name of its GlobalNetworkSet, or CLUSTER/NAMESPACE/SET"),
  );
  const describeSource = addSourceOptions(describe);
  describe.action(async (name: string, flags: SetsFlags) =>
    orUsage(async () => describeAction(name, describeSource, flags)),
  );

  const diff = addFilters(
    sets
      .command("diff")
      .description("show where sets are not as they should be; exit code 1 when one is not"),
  ).option("--strict", "exit with 3 when a cluster was not seen yet");
  const diffSource = addSourceOptions(diff);
  diff.action(async (flags: SetsFlags) => orUsage(async () => diffAction(diffSource, flags)));
}
