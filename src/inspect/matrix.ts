import type { Family } from "../core/address/ip.ts";
import { podPath, type PodFact } from "../core/policy/facts.ts";
import { matrixRows } from "../core/policy/matrix.ts";
import { declaredProbes, formatProbe, type Probe } from "../core/policy/probe.ts";
import type { World } from "../core/policy/world.ts";
import { matches, type Selector } from "../core/selector/selector.ts";
import { API_VERSION } from "./explain.ts";
import { parsePortText } from "./reference.ts";

/** What `wayleave matrix -o json` prints (docs/schemas/matrix.json). */
export interface Matrix {
  readonly apiVersion: string;
  readonly kind: "Matrix";
  /** `cluster/namespace/pod`, the same for rows and columns. */
  readonly order: readonly string[];
  /** By probe (`TCP/80`): one string per source, one character per destination. */
  readonly probes: Readonly<Record<string, readonly string[]>>;
}

/** Which pods and ports a matrix is about. */
export interface MatrixQuestion {
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly selector: Selector | undefined;
  /** As typed (`80`, `81/UDP`, `web`); empty means every port that the pods declare. */
  readonly ports: readonly string[];
  readonly family: Family | undefined;
}

/** The probes that were asked for. A bare port name takes the protocol under which pods declare it. */
export function probesFor(texts: readonly string[], pods: readonly PodFact[]): Probe[] {
  if (texts.length === 0) return declaredProbes(pods);
  return texts.map((text) => {
    const { port, protocol } = parsePortText(text);
    if (protocol !== undefined || typeof port === "number") {
      return { port, protocol: protocol ?? "TCP" };
    }
    const declared = new Set(
      pods.flatMap(({ pod }) =>
        pod.ports.filter(({ name }) => name === port).map((each) => each.protocol),
      ),
    );
    const [only] = declared;
    return { port, protocol: declared.has("TCP") ? "TCP" : (only ?? "TCP") };
  });
}

/** The pods of a question: those that can send or receive, local cluster first, then by name. */
export function podsFor(world: World, question: MatrixQuestion): PodFact[] {
  const rank = new Map(
    world.facts.clusters.map(({ name }, index) => [name, index === 0 ? "" : name]),
  );
  const key = (fact: PodFact): readonly string[] => [
    rank.get(fact.cluster) ?? "",
    fact.pod.namespace,
    fact.pod.name,
  ];
  return world.pods
    .filter(
      ({ pod }) =>
        pod.phase !== "Succeeded" &&
        pod.phase !== "Failed" &&
        (question.namespaces?.includes(pod.namespace) ?? true) &&
        (question.selector === undefined || matches(question.selector, pod.labels)),
    )
    .map((fact) => ({ fact, key: key(fact) }))
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map(({ fact }) => fact);
}

function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? "";
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

/** Computes a matrix. `onRow` hears how many of all rows are done. */
export function matrix(
  world: World,
  question: MatrixQuestion,
  onRow: (done: number, total: number) => void = () => {},
): Matrix {
  const pods = podsFor(world, question);
  const wanted = probesFor(question.ports, pods);
  const probes: Record<string, readonly string[]> = {};
  let done = 0;
  for (const probe of wanted) {
    const rows: string[] = [];
    for (const row of matrixRows(world, pods, probe, question.family)) {
      rows.push(row);
      onRow(++done, wanted.length * pods.length);
    }
    probes[formatProbe(probe)] = rows;
  }
  return { apiVersion: API_VERSION, kind: "Matrix", order: pods.map(podPath), probes };
}

const SYMBOLS: Readonly<Record<string, string>> = { "+": ".", "-": "X", "?": "?", "#": "#" };

/** A matrix for people: `.` allowed, `X` denied, `?` undecidable, `#` the pod itself. */
export function matrixText({ order, probes }: Matrix): string {
  const lines: string[] = [];
  // Wide names would push the cells apart: columns are numbered when they do not fit.
  const wide = order.join("").length > 100;
  const heads = wide ? order.map((_, index) => String(index + 1)) : order;
  const label = (path: string, index: number): string => (wide ? `${index + 1} ${path}` : path);
  const corner = "FROM \\ TO";
  const first = Math.max(corner.length, ...order.map((path, index) => label(path, index).length));
  for (const [probe, rows] of Object.entries(probes)) {
    if (lines.length > 0) lines.push("");
    lines.push(probe, [corner.padEnd(first), ...heads].join("  "));
    // One text for each column and mark: a matrix has millions of cells.
    const cells = heads.map((head) =>
      Object.fromEntries(
        ["+", "-", "?", "#"].map((mark) => [
          mark,
          `  ${(SYMBOLS[mark] ?? "?").padEnd(head.length)}`,
        ]),
      ),
    );
    for (const [index, path] of order.entries()) {
      const row = rows[index] ?? "";
      let line = label(path, index).padEnd(first);
      for (let column = 0; column < cells.length; column++) {
        line += cells[column]?.[column === index ? "#" : row.charAt(column)] ?? "  ?";
      }
      lines.push(line.trimEnd());
    }
  }
  if (lines.length > 0) lines.push("", ". allowed   X denied   ? undecidable   # self");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
