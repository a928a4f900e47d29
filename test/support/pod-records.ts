import { parseClusterName, type ClusterName } from "../../src/core/model/names.ts";
import type { PodRecord } from "../../src/core/model/pod.ts";

/** The annotation that names a pod's set in these tests. */
export const SET_ANNOTATION = "uw.systems/networkset-name";

/** A running pod with one address and no opt-in, changed as `over` says. */
export function aPod(over: Partial<PodRecord> = {}): PodRecord {
  const { namespace = "default", name = "web-0" } = over;
  return {
    namespace,
    name,
    uid: `uid-of-${namespace}-${name}`,
    labels: {},
    annotations: {},
    ips: ["10.0.0.1"],
    phase: "Running",
    hostNetwork: false,
    nodeName: "node-1",
    terminating: false,
    ports: [],
    ...over,
  };
}

/** A pod that asks to be in `set`. */
export function aMember(set: string, over: Partial<PodRecord> = {}): PodRecord {
  return aPod({ annotations: { [SET_ANNOTATION]: set }, ...over });
}

/** A cluster name that is known to be valid. */
export function cluster(name: string): ClusterName {
  const parsed = parseClusterName(name);
  if (parsed === undefined) throw new Error(`bad cluster name ${name} in a test`);
  return parsed;
}
