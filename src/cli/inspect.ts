import type { Command } from "commander";
import type { Family } from "../core/address/ip.ts";
import { errorText, faultCode } from "../core/model/fault.ts";
import type { World } from "../core/policy/world.ts";
import type { Selector } from "../core/selector/selector.ts";
import { parseSelectorText } from "../core/selector/parse-text.ts";
import { unevaluated } from "../inspect/collect.ts";
import { readChange } from "../inspect/change.ts";
import { diff, diffText } from "../inspect/diff.ts";
import { explainText } from "../inspect/explain-text.ts";
import { explain } from "../inspect/explain.ts";
import { labelProfile, lint, lintLevel, lintText, type BadObject } from "../inspect/lint/lint.ts";
import { matrix, matrixText, type MatrixQuestion } from "../inspect/matrix.ts";
import {
  networkWorldOf,
  readOffline,
  usage,
  worldOf,
  type ReadHooks,
  type Snapshot,
  type SourceOptions,
} from "../inspect/source.ts";
import { systemClock } from "../runtime/clock.ts";
import { EXIT } from "./exit.ts";
import { formatOutput, type OutputFormat } from "./output.ts";
import { Progress } from "./progress.ts";

/** The options of the commands here, as commander gives them. */
interface Flags extends SourceOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly output?: string;
  readonly port?: readonly string[];
  readonly family?: string;
  readonly strict?: boolean;
  readonly verbose?: boolean;
  readonly base?: readonly string[];
  readonly labelProfile?: string;
  readonly level?: string;
  readonly scopeImpact?: boolean;
  readonly network?: string;
}

function collectValues(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Adds the options that say where the world comes from and how it is read. */
export function addSourceOptions(command: Command): Command {
  return command
    .option(
      "-f, --filename <path>",
      "read manifests from a file, a folder or - instead of a live cluster (repeatable)",
      collectValues,
    )
    .option(
      "--remote <name=source>",
      "another cluster: NAME=PATH with -f, NAME=CONTEXT live; NAME alone is a cluster not read (repeatable)",
      collectValues,
    )
    .option("--local-name <name>", "the name of the local cluster", "local")
    .option("--kubeconfig <file>", "kubeconfig to use live")
    .option("--context <name>", "kubeconfig context of the local cluster")
    .option(
      "--default-cluster-scope <scope>",
      "what a peer without a cluster term selects from: local or clusterset",
      "local",
    )
    .option(
      "--cluster-label <key>",
      "label key that names a cluster in selectors, in place of the default ones (repeatable)",
      collectValues,
    )
    .option("--pod-to-node <mode>", "egress of a pod to its own node: enforce or allow", "enforce")
    .option(
      "--remote-pod-cidr <name=cidr>",
      "range of a remote cluster's pods; other addresses of its pods are refused (repeatable)",
      collectValues,
    )
    .option(
      "--local-cidr <cidr>",
      "range that no remote pod may claim: pods, services, nodes (repeatable)",
      collectValues,
    );
}

function hooks(progress: Progress): ReadHooks {
  return {
    stdin: process.stdin,
    onProgress: (done, total) => progress.tell("reading files", done, total),
  };
}

async function live(flags: Flags, forLint: boolean): Promise<Snapshot> {
  // Offline commands need none of what talks to API servers.
  const { readLive } = await import("../inspect/live.ts");
  return readLive(flags, {
    environment: process.env,
    clock: systemClock,
    warn: (message) => process.stderr.write(`warning: ${message}\n`),
    forLint,
  });
}

/** The world that the flags ask for: of files with -f, else live. */
export async function readSnapshot(
  flags: Flags,
  readHooks: ReadHooks,
  forLint = false,
): Promise<Snapshot> {
  return flags.filename === undefined ? live(flags, forLint) : readOffline(flags, readHooks);
}

function family(flags: Flags): Family | undefined {
  if (flags.family === undefined) return undefined;
  if (flags.family === "4") return 4;
  if (flags.family === "6") return 6;
  throw usage(`--family "${flags.family}": must be 4 or 6`);
}

function selectorOf(flags: Flags): Selector | undefined {
  if (flags.selector === undefined) return undefined;
  const parsed = parseSelectorText(flags.selector);
  if ("problem" in parsed) throw usage(`--selector "${flags.selector}": ${parsed.problem}`);
  return parsed.selector;
}

function questionOf(flags: Flags): MatrixQuestion {
  if (flags.namespace !== undefined && flags.allNamespaces === true) {
    throw usage("--namespace and --all-namespaces exclude each other");
  }
  return {
    namespaces: flags.namespace?.split(","),
    selector: selectorOf(flags),
    ports: flags.port ?? [],
    family: family(flags),
  };
}

/** Checks `-o`. @throws Fault `bad-request`. */
export function outputFormat(flags: { readonly output?: string }): OutputFormat {
  const { output = "text" } = flags;
  if (output === "text" || output === "json" || output === "yaml") return output;
  throw usage(`--output "${output}": must be text, json or yaml`);
}

/** The world that verdicts are about: of the pod network, or of `--network`. */
function worldFor(snapshot: Snapshot, flags: Flags): World {
  for (const what of snapshot.clusters.flatMap(unevaluated)) {
    process.stderr.write(`warning: not taken into account: ${what}\n`);
  }
  return flags.network === undefined ? worldOf(snapshot) : networkWorldOf(snapshot, flags.network);
}

function isStale({ clusters }: Snapshot): boolean {
  return clusters.some(({ link }) => link !== "synced");
}

/** Runs a command's action; a Fault becomes a message on stderr and exit code 2. */
export async function orUsage(action: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (faultCode(error) === undefined) throw error;
    for (const line of errorText(error).split("\n")) process.stderr.write(`error: ${line}\n`);
    process.exitCode = EXIT.usage;
  }
}

async function explainAction(source: string, destination: string, flags: Flags): Promise<number> {
  const format = outputFormat(flags);
  const snapshot = await readSnapshot(flags, hooks(new Progress(process.stderr, systemClock)));
  const question = {
    source,
    destination,
    namespace: flags.namespace ?? "default",
    family: family(flags),
  };
  const explanation = explain(question, worldFor(snapshot, flags), snapshot.clusters);
  const text = (): string => explainText(explanation, flags.verbose === true);
  process.stdout.write(formatOutput(format, explanation, text));
  if (flags.strict === true && (explanation.verdict === "Undecidable" || isStale(snapshot))) {
    return EXIT.undecidable;
  }
  return explanation.verdict === "Allowed" ? EXIT.ok : EXIT.negative;
}

async function matrixAction(flags: Flags): Promise<number> {
  const format = outputFormat(flags);
  const question = questionOf(flags);
  const progress = new Progress(process.stderr, systemClock);
  const snapshot = await readSnapshot(flags, hooks(progress));
  const result = matrix(worldFor(snapshot, flags), question, (done, total) =>
    progress.tell("computing rows", done, total),
  );
  progress.end();
  if (result.order.length === 0) process.stderr.write("no pods\n");
  else if (Object.keys(result.probes).length === 0) {
    process.stderr.write("no pod declares a port: name one with --port\n");
  }
  process.stdout.write(formatOutput(format, result, () => matrixText(result)));
  const isOpen = Object.values(result.probes).some((rows) => rows.some((row) => row.includes("?")));
  return flags.strict === true && (isOpen || isStale(snapshot)) ? EXIT.undecidable : EXIT.ok;
}

async function diffAction(flags: Flags): Promise<number> {
  const format = outputFormat(flags);
  const question = questionOf(flags);
  const progress = new Progress(process.stderr, systemClock);
  const change = await readChange(flags, hooks(progress), async () => live(flags, false));
  const result = diff(worldOf(change.before), worldOf(change.after), question, (done, total) =>
    progress.tell("comparing rows", done, total),
  );
  progress.end();
  process.stdout.write(formatOutput(format, result, () => diffText(result)));
  const isOpen = result.changes.some(({ after }) => after === "Undecidable");
  if (flags.strict === true && (isOpen || isStale(change.after))) return EXIT.undecidable;
  return result.changes.length === 0 ? EXIT.ok : EXIT.negative;
}

async function lintAction(flags: Flags): Promise<number> {
  const format = outputFormat(flags);
  const options = {
    profile: labelProfile(flags.labelProfile ?? "legacy-2021"),
    level: lintLevel(flags.level ?? "info"),
    scopeImpact: flags.scopeImpact === true,
  };
  const progress = new Progress(process.stderr, systemClock);
  const bad: BadObject[] = [];
  const onBadObject = (manifest: BadObject["manifest"], message: string): void => {
    bad.push({ manifest, message });
  };
  const snapshot = await readSnapshot(flags, { ...hooks(progress), onBadObject }, true);
  const report = lint(snapshot, bad, options, (done, total) =>
    progress.tell("checking objects", done, total),
  );
  progress.end();
  process.stdout.write(formatOutput(format, report, () => lintText(report)));
  return report.findings.length === 0 ? EXIT.ok : EXIT.negative;
}

function addFilters(command: Command): Command {
  return command
    .option("-n, --namespace <names>", "only pods of these namespaces, separated by commas")
    .option("-A, --all-namespaces", "pods of all namespaces (the default)")
    .option("-l, --selector <labels>", "only pods with these labels")
    .option("--port <port>", "port to try: 80, 81/UDP or a name (repeatable)", collectValues)
    .option("--family <4|6>", "address family of dual-stack pods")
    .option("-o, --output <format>", "text, json or yaml", "text")
    .option("--strict", "exit with 3 when a verdict is undecidable or a cluster is stale");
}

const NETWORK_HELP =
  "a secondary network instead of the pod network, under its MultiNetworkPolicies";

/** `wayleave explain`, `matrix`, `diff` and `lint`. */
export function addInspectCommands(program: Command): void {
  addSourceOptions(
    program
      .command("explain")
      .description("say whether a connection is allowed, and which policies say so")
      .argument("<source>", "[cluster/][namespace/]pod, deploy/NAME, svc/NAME, or an address")
      .argument("<destination>", "the same with :PORT or :PORT/PROTO, e.g. shop/web-1:80"),
  )
    .option("-n, --namespace <name>", "namespace of references that name none", "default")
    .option("--family <4|6>", "address family of dual-stack pods")
    .option("-o, --output <format>", "text, json or yaml", "text")
    .option("--network <namespace/name>", NETWORK_HELP)
    .option("-v, --verbose", "show also policies that do not apply")
    .option("--strict", "exit with 3 when undecidable or a cluster is stale")
    .action(async (source: string, destination: string, flags: Flags) =>
      orUsage(async () => explainAction(source, destination, flags)),
    );

  addFilters(
    addSourceOptions(
      program.command("matrix").description("show which pods reach which, on every port"),
    ),
  )
    .option("--network <namespace/name>", NETWORK_HELP)
    .action(async (flags: Flags) => orUsage(async () => matrixAction(flags)));

  addFilters(
    addSourceOptions(
      program
        .command("diff")
        .description("show whose connections change when the policies of the last -f are applied"),
    ).option(
      "--base <path>",
      "what is there now, as files instead of the live cluster (repeatable)",
      collectValues,
    ),
  ).action(async (flags: Flags) => orUsage(async () => diffAction(flags)));

  addSourceOptions(
    program
      .command("lint")
      .description("find what policies and related objects do not do as they seem to"),
  )
    .option(
      "--label-profile <profile>",
      "labels of the managed sets: legacy-2021, semaphore, both or wayleave",
      "legacy-2021",
    )
    .option("--level <level>", "lowest level to report: error, warning or info", "info")
    .option("--scope-impact", "report also whose meaning depends on --default-cluster-scope")
    .option("-o, --output <format>", "text, json or yaml", "text")
    .action(async (flags: Flags) => orUsage(async () => lintAction(flags)));
}
