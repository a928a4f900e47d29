import type { Verdict } from "../core/policy/evaluate.ts";
import { podPath, type PodFact } from "../core/policy/facts.ts";
import { matrixRows } from "../core/policy/matrix.ts";
import { formatProbe, portOn, type Probe } from "../core/policy/probe.ts";
import type { World } from "../core/policy/world.ts";
import { API_VERSION } from "./explain.ts";
import { podsFor, probesFor, type MatrixQuestion } from "./matrix.ts";

/** One pair of pods whose verdict changes. */
export interface DiffEntry {
  readonly source: string;
  readonly destination: string;
  /** `TCP/80`. */
  readonly port: string;
  readonly before: Verdict;
  readonly after: Verdict;
}

/** What `wayleave diff -o json` prints (docs/schemas/diff.json). */
export interface Diff {
  readonly apiVersion: string;
  readonly kind: "Diff";
  /** How many (source, destination, port) were compared. */
  readonly pairs: number;
  readonly changes: readonly DiffEntry[];
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  "+": "Allowed",
  "-": "Denied",
  "?": "Undecidable",
};

/**
 * Compares two worlds that hold the same pods. Without `ports` in the question a destination is tried on the ports that
 * it declares itself, with them on all that were named.
 */
export function diff(
  before: World,
  after: World,
  question: MatrixQuestion,
  onRow: (done: number, total: number) => void = () => {},
): Diff {
  const pods = podsFor(before, question);
  const byPath = new Map(after.pods.map((fact) => [podPath(fact), fact]));
  const counterparts = pods.map((fact) => byPath.get(podPath(fact)) as PodFact);
  const probes = probesFor(question.ports, pods);
  const isTried = (probe: Probe, to: PodFact): boolean =>
    question.ports.length > 0
      ? portOn(probe, to) !== undefined
      : to.pod.ports.some(
          ({ port, protocol }) => port === probe.port && protocol === probe.protocol,
        );
  const changes: DiffEntry[] = [];
  let pairs = 0;
  let done = 0;
  for (const probe of probes) {
    const columns = pods.map((to) => isTried(probe, to));
    const old = matrixRows(before, pods, probe, question.family);
    const now = matrixRows(after, counterparts, probe, question.family);
    for (const [row, from] of pods.entries()) {
      const was = old.next().value ?? "";
      const is = now.next().value ?? "";
      for (const [column, to] of pods.entries()) {
        if (row === column || columns[column] !== true) continue;
        pairs++;
        if (was[column] === is[column]) continue;
        changes.push({
          source: podPath(from),
          destination: podPath(to),
          port: formatProbe(probe),
          before: VERDICTS[was[column] ?? "?"] ?? "Undecidable",
          after: VERDICTS[is[column] ?? "?"] ?? "Undecidable",
        });
      }
      onRow(++done, probes.length * pods.length);
    }
  }
  return { apiVersion: API_VERSION, kind: "Diff", pairs, changes };
}

const SIGNS: Readonly<Record<Verdict, string>> = {
  Allowed: "+ allowed",
  Denied: "- denied ",
  Undecidable: "? unknown",
};

/** A diff for people. */
export function diffText({ pairs, changes }: Diff): string {
  const lines = changes.map(({ source, destination, port, before, after }) => {
    const [protocol = "", number = ""] = port.split("/");
    const was = before.toLowerCase();
    return `${SIGNS[after]}  ${source} -> ${destination}:${number}/${protocol}   (was ${was})`;
  });
  const verb = changes.length === 1 ? "changes" : "change";
  return `${[...lines, `${changes.length} of ${pairs} pairs ${verb}.`].join("\n")}\n`;
}
