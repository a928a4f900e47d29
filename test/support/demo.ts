import { objectKey, type PodRecord } from "../../src/core/model/pod.ts";
import type { ActualSet } from "../../src/core/plan/plan-set.ts";
import { OPT_IN, SET_NAME } from "../../src/demo/membership.ts";
import { aPod } from "./pod-records.ts";

/** A running pod of the demo's shop, in set `web` unless `set` says otherwise; "" is none. */
export function aDemoPod(
  parts: Partial<PodRecord> & { readonly name: string; readonly set?: string },
): PodRecord {
  const { set = "web", ...pod } = parts;
  return aPod({
    namespace: "shop",
    labels: set === "" ? {} : { [OPT_IN]: "true" },
    annotations: set === "" ? {} : { [SET_NAME]: set },
    ips: ["10.1.1.1"],
    ...pod,
  });
}

/** A set's object as the local cluster has it. */
export function aDemoSet(name: string, nets: readonly string[], resourceVersion = "1"): ActualSet {
  return {
    name,
    uid: `uid-of-${name}`,
    resourceVersion,
    owner: undefined,
    labels: {},
    annotations: {},
    nets,
    shard: 0,
    emptySince: undefined,
    carried: {},
  };
}

/** Pods by their keys. */
export function keyed(...pods: readonly PodRecord[]): Map<string, PodRecord> {
  return new Map(pods.map((pod) => [objectKey(pod.namespace, pod.name), pod]));
}

/** Sets by their names. */
export function keyedSets(...sets: readonly ActualSet[]): Map<string, ActualSet> {
  return new Map(sets.map((set) => [set.name, set]));
}
