import type { ActualSet } from "../core/plan/plan-set.ts";
import type { PodRecord } from "../core/model/pod.ts";

/** The name by which the operator knows the demo's remote cluster. */
export const REMOTE = "aws";
/** The addresses of that cluster's pods. */
export const POD_RANGE = "10.1.0.0/16";
/** The label that a pod opts in with. */
export const OPT_IN = "uw.systems/networksets";
/** The annotation that names a pod's set. */
export const SET_NAME = "uw.systems/networkset-name";

/** One address in one set. */
export interface Entry {
  /** The name of the GlobalNetworkSet. */
  readonly set: string;
  /** A host CIDR. */
  readonly net: string;
}

/** The name of the GlobalNetworkSet that `pod` asks to be in, whether it may or not; undefined when it asks for none. */
export function askedSet(pod: PodRecord): string | undefined {
  const set = pod.annotations[SET_NAME] ?? "";
  return pod.labels[OPT_IN] === "true" && set !== ""
    ? `${REMOTE}-${pod.namespace}-${set}`
    : undefined;
}

/**
 * What `pod` puts into sets, by the rule that the documentation states and without the operator's code:
 * the demo checks its claims against this.
 */
export function entriesOf(pod: PodRecord): readonly Entry[] {
  const set = askedSet(pod);
  const isOver = pod.phase === "Succeeded" || pod.phase === "Failed";
  if (set === undefined || pod.hostNetwork || isOver) return [];
  return pod.ips.map((ip) => ({ set, net: ip.includes(":") ? `${ip}/128` : `${ip}/32` }));
}

/** The nets that each set should have, by the present pods; sets without members are absent. */
export function wantedSets(pods: Iterable<PodRecord>): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const pod of pods) {
    for (const { set, net } of entriesOf(pod)) {
      const nets = wanted.get(set) ?? new Set();
      wanted.set(set, nets.add(net));
    }
  }
  return wanted;
}

/** The first difference between what the sets are and what `pods` say they should be; undefined when there is none. */
export function firstDifference(
  pods: Iterable<PodRecord>,
  sets: ReadonlyMap<string, ActualSet>,
): string | undefined {
  const wanted = wantedSets(pods);
  for (const [name, nets] of wanted) {
    const actual = sets.get(name);
    if (actual === undefined) return `set ${name} does not exist`;
    for (const net of nets) if (!actual.nets.includes(net)) return `set ${name} lacks ${net}`;
  }
  for (const { name, nets } of sets.values()) {
    const surplus = nets.find((net) => wanted.get(name)?.has(net) !== true);
    if (surplus !== undefined) return `set ${name} has ${surplus}, which no pod has`;
  }
  return undefined;
}
