import type { PodRecord } from "../core/model/pod.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { clip, fit, span, type Line, type Span } from "./line.ts";
import { durationTitle, netTitle, timeTitle } from "./names.ts";
import type { Row } from "./story.ts";
import { tableRows, type TableRow } from "./table.ts";

/** All that the picture shows. */
export interface View {
  readonly script: string;
  readonly elapsedMs: number;
  readonly pods: ReadonlyMap<string, PodRecord>;
  readonly sets: ReadonlyMap<string, ActualSet>;
  /** Oldest first. */
  readonly rows: readonly Row[];
  /** Whether the operator is cut off from the remote cluster. */
  readonly isCut: boolean;
  /** Whether the script is at its end. */
  readonly isOver: boolean;
  /** For people to try in another terminal. */
  readonly commands: readonly string[];
  /** What keys do; "" where there are none. */
  readonly keys: string;
}

/** A terminal's size in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const FRESH_MS = 2_000;
const LEAST_LOG = 4;

/** Draws `view` in at most `size.rows` lines of at most `size.columns` characters each. */
export function picture(view: View, size: Size): readonly Line[] {
  const head = headLines(view, size.columns);
  const foot = size.rows >= 18 ? footLines(view, size.columns) : [[span(` ${view.keys}`, "dim")]];
  const table = tableLines(view, size.columns);
  // A heading for each of the two parts, and a blank line before each part and the foot.
  const room = size.rows - head.length - foot.length - 5;
  const tableRoom = Math.max(1, Math.min(table.length, room - LEAST_LOG));
  const logRoom = Math.max(0, room - tableRoom);
  const lines: Line[] = [
    ...head,
    [],
    tableHeading(view, size.columns),
    ...shorten(table, tableRoom),
    [],
    [span(" WHAT HAPPENED, AND WHY", "bold")],
    ...padded(logLines(view, logRoom), logRoom),
    [],
    ...foot,
  ];
  return lines.slice(0, size.rows).map((line) => clip(line, size.columns));
}

function headLines({ script, elapsedMs, rows, isOver }: View, columns: number): readonly Line[] {
  const step = rows.findLast((row) => row.kind === "step");
  const failed = rows.filter((row) => row.kind === "claim" && !row.ok).length;
  const where = step === undefined ? "" : `step ${step.number} of ${step.of}   `;
  const right = `${where}${timeTitle(elapsedMs).replace(/\.\d$/, "")} `;
  const left = ` wayleave demo: ${script}`;
  const title = [span(fit(left, Math.max(0, columns - right.length)), "bold"), span(right)];
  return [title, [span(" "), now(step?.title, isOver, failed)]];
}

function now(title: string | undefined, isOver: boolean, failed: number): Span {
  if (failed > 0) return span(`${failed} of the script's claims turned out not to be true`, "bad");
  if (title === undefined) return span("the operator starts");
  return isOver
    ? span("The script is over, every claim was true. Now it is your turn.", "good")
    : span(title);
}

/** Widths of the columns; together with the blanks between them 80, or all that there is. */
interface Widths {
  readonly pod: number;
  readonly set: number;
}

function widths(columns: number): Widths {
  const more = Math.max(0, Math.min(columns - 80, 60));
  return { pod: 14 + Math.floor(more / 2), set: 16 + Math.ceil(more / 2) };
}

function tableHeading({ isCut }: View, columns: number): Line {
  const { pod, set } = widths(columns);
  const left = fit(" PODS IN aws (remote)", pod + 32);
  return [
    span(left, "bold"),
    isCut ? span("CUT! ", "bad") : span("     "),
    span(fit("SETS IN local", set + 13), "bold"),
  ];
}

function tableLines({ pods, sets, rows, elapsedMs, isCut }: View, columns: number): Line[] {
  const fresh = new Set<string>();
  for (const row of rows) {
    if (row.kind === "set" && row.sign === "+" && elapsedMs - row.atMs < FRESH_MS)
      fresh.add(`${row.set} ${row.net}`);
  }
  const { pod: podWidth, set: setWidth } = widths(columns);
  let last = "";
  return tableRows(pods.values(), sets).map((row) => {
    const left = leftOf(row, podWidth);
    const isFirst = row.set !== last && row.set !== "";
    last = row.set;
    const name = isFirst && sets.has(row.set) ? row.set : "";
    return [
      ...left,
      arrowOf(row, isCut),
      span(` ${fit(name, setWidth)} `),
      netOf(row, fresh.has(`${row.set} ${row.net}`)),
    ];
  });
}

function leftOf({ pod, state }: TableRow, podWidth: number): Line {
  if (pod === undefined) {
    return [
      span(fit(state === "member" ? " (no pod has this address)" : "", podWidth + 32), "dim"),
    ];
  }
  const { title, address, node, phase } = pod;
  const phaseLook = phase === "Running" ? "plain" : phase === "Failed" ? "bad" : ("dim" as const);
  return [
    span(` ${fit(title, podWidth)} ${fit(address, 10)} ${fit(node, 6)} `),
    span(fit(phase, 11), phaseLook),
    span(" "),
  ];
}

function arrowOf({ state, pod }: TableRow, isCut: boolean): Span {
  if (state === "none") return span("    ");
  if (state === "missing") return isCut ? span(" x  ", "bad") : span(" ...", "dim");
  return pod === undefined ? span("    ") : span("--> ");
}

function netOf({ state, net, pod }: TableRow, isFresh: boolean): Span {
  if (state === "member") return span(netTitle(net), isFresh ? "good" : "plain");
  if (state === "missing") return span("not there", "dim");
  return span(pod === undefined ? "empty" : "", "dim");
}

function shorten(lines: readonly Line[], room: number): readonly Line[] {
  if (lines.length === 0) return [[span(" none yet", "dim")]];
  if (lines.length <= room) return lines;
  const shown = lines.slice(0, room - 1);
  return [...shown, [span(` ... and ${lines.length - shown.length} more`, "dim")]];
}

function logLines({ rows }: View, room: number): readonly Line[] {
  const lines = rows.map(logLine).filter((line) => line !== undefined);
  return room === 0 ? [] : lines.slice(-room);
}

function logLine(row: Row): Line | undefined {
  const at = span(`${timeTitle(row.atMs).padStart(8)}  `, "dim");
  switch (row.kind) {
    case "step":
      return [at, span(`step ${row.number}: ${row.title}`, "dim")];
    case "pod":
      return undefined;
    case "set": {
      const took = row.tookMs === undefined ? "" : `, ${durationTitle(row.tookMs)}`;
      return [
        at,
        span(`${row.sign} ${netTitle(row.net).padEnd(10)}`, row.sign === "+" ? "good" : "bad"),
        span(`${row.set.padEnd(16)}  `),
        span(`${row.cause ?? ""}${took}`),
      ];
    }
    case "gone":
      return [at, span(`${row.set} is deleted: it was empty long enough`)];
    case "operator":
      // What it says of its own start is not what people watch for.
      if (!row.isTrouble && !row.text.startsWith("remote cluster")) return undefined;
      return [at, span("operator    ", "dim"), span(row.text, row.isTrouble ? "bold" : "plain")];
    case "claim":
      return [
        at,
        row.ok ? span("ok          ", "good") : span("NOT TRUE    ", "bad"),
        span(row.text),
      ];
    case "trouble":
      return [at, span(row.text, "bad")];
  }
}

function padded(lines: readonly Line[], room: number): readonly Line[] {
  const missing = Math.max(0, room - lines.length);
  return [...lines, ...Array.from({ length: missing }, (): Line => [])];
}

function footLines({ commands, keys }: View, columns: number): readonly Line[] {
  return [
    [span(" Change things from another terminal, and watch:", "dim")],
    ...commands
      .flatMap((command) => wrapped(command, columns - 2))
      .map((text) => [span(` ${text}`)]),
    [span(` ${keys}`, "dim")],
  ];
}

/** A shell command in lines of at most `width` characters, continued with backslashes, so that all of it can be copied. */
export function wrapped(command: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of command.split(" ")) {
    if (line !== "" && line.length + 1 + word.length + 2 > width && command.length > width) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
