import type { PodRecord } from "../core/model/pod.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { askedSet, entriesOf } from "./membership.ts";
import { podTitle } from "./names.ts";

/** A pod beside what it has in a set; or what a set has of no pod. */
export interface TableRow {
  /** Undefined for an address that no pod has, and for an empty set. */
  readonly pod:
    | {
        readonly title: string;
        readonly address: string;
        readonly node: string;
        readonly phase: string;
      }
    | undefined;
  /** The set's name; "" for a pod that asks for none. */
  readonly set: string;
  /** The pod's address in the set: there, wanted and not there, or not wanted. */
  readonly state: "member" | "missing" | "none";
  /** The net; "" when there is none. */
  readonly net: string;
}

/** One row for each pod and for each net that no pod has, by set and name; sets without either have one too. */
export function tableRows(
  pods: Iterable<PodRecord>,
  sets: ReadonlyMap<string, ActualSet>,
): readonly TableRow[] {
  const rows: TableRow[] = [];
  const shown = new Set<string>();
  const sorted = [...pods].toSorted((a, b) => compare(podTitle(a), podTitle(b)));
  for (const pod of sorted) {
    const set = askedSet(pod) ?? "";
    const wanted = entriesOf(pod).map(({ net }) => net);
    const nets = wanted.length > 0 ? wanted : [""];
    for (const net of nets) {
      const isMember = sets.get(set)?.nets.includes(net) === true;
      const state = net === "" ? "none" : isMember ? "member" : "missing";
      rows.push({ pod: columnsOf(pod), set, state, net });
      shown.add(`${set} ${net}`);
    }
  }
  for (const { name, nets } of sets.values()) {
    for (const net of nets) {
      if (!shown.has(`${name} ${net}`))
        rows.push({ pod: undefined, set: name, state: "member", net });
    }
    if (nets.length === 0 && !rows.some((row) => row.set === name))
      rows.push({ pod: undefined, set: name, state: "none", net: "" });
  }
  // Pods that ask for no set come last; within a set the pods come first, by name.
  return rows.toSorted(
    (a, b) =>
      Number(a.set === "") - Number(b.set === "") ||
      compare(a.set, b.set) ||
      Number(a.pod === undefined) - Number(b.pod === undefined),
  );
}

function columnsOf(pod: PodRecord): NonNullable<TableRow["pod"]> {
  return {
    title: podTitle(pod),
    address: pod.ips[0] ?? "",
    node: pod.nodeName,
    phase: pod.terminating ? "Terminating" : pod.phase,
  };
}

/** By name, numbers in it by value. */
function compare(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
