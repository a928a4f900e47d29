import type { PodRecord } from "../core/model/pod.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { entriesOf, type Entry } from "./membership.ts";
import { podTitle } from "./names.ts";

/** A net that came into a set or left it, and why. */
export interface SetRow extends Entry {
  readonly kind: "set";
  readonly sign: "+" | "-";
  /** What made it so; undefined while that is not known. */
  readonly cause: string | undefined;
  /** From the cause as it was seen here until the set was seen changed, in milliseconds. */
  readonly tookMs: number | undefined;
}

/** What happened, as it is told. */
export type Row = { readonly atMs: number } & (
  | { readonly kind: "step"; readonly number: number; readonly of: number; readonly title: string }
  | { readonly kind: "pod"; readonly text: string }
  | SetRow
  | { readonly kind: "gone"; readonly set: string }
  | { readonly kind: "operator"; readonly isTrouble: boolean; readonly text: string }
  | { readonly kind: "claim"; readonly ok: boolean; readonly text: string }
  | { readonly kind: "trouble"; readonly text: string }
);

interface Cause {
  readonly text: string;
  readonly atMs: number;
}

/** A change of a set can be seen before the change of the pod that caused it: the two watches are two streams. */
const CAUSE_WITHIN_MS = 400;
const MAX_ROWS = 500;

/** Joins changes of pods with the changes of sets that follow from them. Times are milliseconds since the demo began. */
export class Story {
  readonly #onRow: (row: Row) => void;
  readonly #isWanted: (entry: Entry) => boolean;
  readonly #rows: Row[] = [];
  /** Changes of membership by pods that no set has shown yet, by sign and entry. */
  readonly #causes = new Map<string, Cause>();
  /** Changes of sets whose cause is not known yet. */
  #open: (Row & SetRow)[] = [];

  /**
   * `onRow` is told each row once, when it is final; `isWanted` says whether the pods, as they are now,
   * put the entry there.
   */
  constructor(onRow: (row: Row) => void, isWanted: (entry: Entry) => boolean) {
    this.#onRow = onRow;
    this.#isWanted = isWanted;
  }

  /** The latest rows, oldest first; rows whose cause is still looked for are not among them. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Tells a row as it is. */
  tell(row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length > MAX_ROWS) this.#rows.shift();
    this.#onRow(row);
  }

  podChanged(atMs: number, before: PodRecord | undefined, after: PodRecord | undefined): void {
    const what = describeChange(before, after);
    const pod = after ?? before;
    if (pod === undefined) return;
    const text = `pod ${podTitle(pod)} ${what}`;
    if (what !== "") this.tell({ kind: "pod", atMs, text });
    const had = before === undefined ? [] : entriesOf(before);
    const has = after === undefined ? [] : entriesOf(after);
    const cause = { text: what === "" ? `pod ${podTitle(pod)} changed` : text, atMs };
    for (const entry of minus(has, had)) this.#note("+", entry, cause);
    for (const entry of minus(had, has)) this.#note("-", entry, cause);
  }

  setChanged(atMs: number, before: ActualSet | undefined, after: ActualSet | undefined): void {
    const set = (after ?? before)?.name ?? "";
    const had = new Set(before?.nets);
    const has = new Set(after?.nets);
    for (const net of has) if (!had.has(net)) this.#show(atMs, "+", { set, net });
    for (const net of had) if (!has.has(net)) this.#show(atMs, "-", { set, net });
    if (after === undefined && had.size === 0) this.tell({ kind: "gone", atMs, set });
  }

  /** Ends the search for causes that did not come in time. To be called now and then. */
  settle(nowMs: number): void {
    const late = this.#open.filter(({ atMs }) => nowMs - atMs >= CAUSE_WITHIN_MS);
    this.#open = this.#open.filter((row) => !late.includes(row));
    for (const row of late) {
      const isRepair = this.#isWanted(row) === (row.sign === "+");
      this.tell({ ...row, cause: isRepair ? "the operator put it right" : "edited by hand" });
    }
  }

  #note(sign: "+" | "-", entry: Entry, cause: Cause): void {
    this.#causes.delete(keyOf(sign === "+" ? "-" : "+", entry));
    const key = keyOf(sign, entry);
    const waiting = this.#open.find((row) => keyOf(row.sign, row) === key);
    if (waiting === undefined) {
      this.#causes.set(key, cause);
      return;
    }
    this.#open = this.#open.filter((row) => row !== waiting);
    this.tell({ ...waiting, cause: cause.text, tookMs: 0 });
  }

  #show(atMs: number, sign: "+" | "-", entry: Entry): void {
    const key = keyOf(sign, entry);
    const cause = this.#causes.get(key);
    const row: Row & SetRow = {
      kind: "set",
      atMs,
      sign,
      ...entry,
      cause: undefined,
      tookMs: undefined,
    };
    if (cause === undefined) {
      this.#open.push(row);
      return;
    }
    this.#causes.delete(key);
    this.tell({ ...row, cause: cause.text, tookMs: atMs - cause.atMs });
  }
}

function keyOf(sign: "+" | "-", { set, net }: Entry): string {
  return `${sign}${set} ${net}`;
}

function minus(these: readonly Entry[], those: readonly Entry[]): Entry[] {
  return these.filter(
    ({ set, net }) => !those.some((that) => that.set === set && that.net === net),
  );
}

/** What happened to a pod, as a predicate; "" when nothing that a person would be told. */
export function describeChange(
  before: PodRecord | undefined,
  after: PodRecord | undefined,
): string {
  if (after === undefined) return before === undefined ? "" : "is gone";
  if (before === undefined) return after.ips.length > 0 ? "is there" : "was created";
  if (before.uid !== after.uid) return "was replaced";
  if (before.phase !== after.phase && after.phase === "Failed") return "crashed";
  if (before.phase !== after.phase && after.phase === "Succeeded") return "completed";
  if (before.ips.length === 0 && after.ips.length > 0) return "runs";
  if (before.ips.join() !== after.ips.join()) return "changed its address";
  if (!before.terminating && after.terminating) return "is being deleted";
  const had = entriesOf(before).map(({ set }) => set);
  const has = entriesOf(after).map(({ set }) => set);
  if (had.join() === has.join()) return "";
  if (has.length === 0) return "opted out";
  return had.length === 0 ? "opted in" : "moved to another set";
}
