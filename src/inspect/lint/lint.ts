import { World } from "../../core/policy/world.ts";
import { factsOf, type ClusterObjects } from "../collect.ts";
import { API_VERSION } from "../explain.ts";
import type { Manifest, SyntaxProblem } from "../manifest.ts";
import { usage, type Snapshot } from "../source.ts";
import { isCalicoPolicy, lintCalicoPolicy } from "./calico.ts";
import { docsPage, finding, type Finding, type Level } from "./finding.ts";
import { lintNetworkPolicy } from "./network-policy.ts";
import {
  lintClusterLabels,
  lintEmptySet,
  lintHostNetwork,
  lintMultiNetwork,
  lintRanges,
  lintServiceExport,
  lintVersion,
} from "./objects.ts";
import { Population } from "./population.ts";
import { SET_LABELS, type LabelProfileName } from "./set-labels.ts";

/** What `wayleave lint -o json` prints (docs/schemas/lint-report.json). */
export interface LintReport {
  readonly apiVersion: string;
  readonly kind: "LintReport";
  readonly findings: readonly Finding[];
  readonly summary: Readonly<Record<Level, number>>;
}

/** Choices of lint. */
export interface LintOptions {
  readonly profile: LabelProfileName;
  /** Findings below this level are left out. */
  readonly level: Level;
  readonly scopeImpact: boolean;
}

const LEVELS: readonly Level[] = ["error", "warning", "info"];

/** Checks `--label-profile`. @throws Fault `bad-request`. */
export function labelProfile(text: string): LabelProfileName {
  if (Object.hasOwn(SET_LABELS, text)) return text as LabelProfileName;
  throw usage(`--label-profile "${text}": must be one of ${Object.keys(SET_LABELS).join(", ")}`);
}

/** Checks `--level`. @throws Fault `bad-request`. */
export function lintLevel(text: string): Level {
  const found = LEVELS.find((level) => level === text);
  if (found === undefined) throw usage(`--level "${text}": must be one of ${LEVELS.join(", ")}`);
  return found;
}

/** An object that could not be read while the snapshot was taken. */
export interface BadObject {
  readonly manifest: Manifest;
  readonly message: string;
}

function syntaxFinding({ file, line, message }: SyntaxProblem): Finding {
  return {
    code: "WL019",
    level: "error",
    file,
    line,
    object: "",
    message,
    docs: docsPage("WL019"),
  };
}

function lintObject(
  manifest: Manifest,
  cluster: ClusterObjects,
  snapshot: Snapshot,
  world: World,
  population: Population,
  options: LintOptions,
): Finding[] {
  const { reservedKeys } = snapshot.options;
  const found = [
    ...lintVersion(manifest),
    ...lintClusterLabels(manifest, cluster, reservedKeys),
    ...lintHostNetwork(manifest, options.profile),
    ...lintServiceExport(manifest),
    ...lintEmptySet(manifest),
    ...lintMultiNetwork(manifest, cluster),
  ];
  if (isCalicoPolicy(manifest)) found.push(...lintCalicoPolicy(manifest, options.profile));
  const parsed = cluster.parsed.get(manifest);
  if (parsed !== undefined) {
    found.push(
      ...lintNetworkPolicy({
        manifest,
        parsed,
        population,
        cluster,
        clusters: snapshot.clusters,
        world,
        reservedKeys,
        scopeImpact: options.scopeImpact,
      }),
    );
  }
  return found;
}

function compareFindings(a: Finding, b: Finding): number {
  const byPlace = a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1;
  return byPlace === 0 ? (a.code < b.code ? -1 : a.code > b.code ? 1 : 0) : byPlace;
}

/** Lints every object of a snapshot. `onObject` hears how many are done. */
export function lint(
  snapshot: Snapshot,
  badObjects: readonly BadObject[],
  options: LintOptions,
  onObject: (done: number, total: number) => void = () => {},
): LintReport {
  const { clusters, problems } = snapshot;
  // Broken policies are findings here, not an end: what can be read of them is looked at.
  const world = new World({
    clusters: clusters.map(factsOf),
    defaultScope: snapshot.options.defaultScope,
    reservedKeys: snapshot.options.reservedKeys,
    podToNode: snapshot.options.podToNode,
  });
  const all: Finding[] = [
    ...problems.map(syntaxFinding),
    ...badObjects.map(({ manifest, message }) => finding("WL019", manifest, [], message)),
    ...lintRanges(clusters),
  ];
  const total = clusters.reduce((sum, { manifests }) => sum + manifests.length, 0);
  let done = 0;
  for (const cluster of clusters) {
    const population = new Population(world, world.view(cluster.name));
    for (const manifest of cluster.manifests) {
      all.push(...lintObject(manifest, cluster, snapshot, world, population, options));
      onObject(++done, total);
    }
  }
  const shown = LEVELS.slice(0, LEVELS.indexOf(options.level) + 1);
  const findings = all.filter(({ level }) => shown.includes(level)).toSorted(compareFindings);
  const count = (level: Level): number => findings.filter((each) => each.level === level).length;
  return {
    apiVersion: API_VERSION,
    kind: "LintReport",
    findings,
    summary: { error: count("error"), warning: count("warning"), info: count("info") },
  };
}

/** A report for people: one line per finding. */
export function lintText({ findings }: LintReport): string {
  const places = findings.map(({ file, line }) => (line === null ? file : `${file}:${line}`));
  const width = Math.max(0, ...places.map((place) => place.length));
  return findings
    .map(({ level, code, message, object, line }, index) => {
      const what = line === null && object !== "" ? `${object}: ${message}` : message;
      return `${(places[index] ?? "").padEnd(width)}  ${level.padEnd(7)} ${code}  ${what}\n`;
    })
    .join("");
}
