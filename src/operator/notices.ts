import type { Refusal } from "../core/membership/claim.ts";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { ObjectKey } from "../core/model/pod.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { Log } from "../runtime/log.ts";
import type { OperatorMetrics } from "./metrics.ts";

/** Tells people what they should know of, in the log, in a metric, and as an Event of the local cluster. */
export class Notices {
  readonly #log: Log;
  readonly #metrics: OperatorMetrics;

  constructor(log: Log, metrics: OperatorMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** Part of what a pod asked for was not granted. */
  refused(cluster: ClusterName, pod: ObjectKey, { field, value, why }: Refusal): void {
    this.#metrics.metric.refusals.add({ remote_cluster: cluster, field });
    this.#log.warn("pod refused", { cluster, pod, field, value, reason: why });
  }

  /** A list would have removed too much to be believed at once. */
  massRemovalHeld(cluster: ClusterName, removed: number, total: number): void {
    this.#metrics.metric.removalsHeld.add({ remote_cluster: cluster });
    this.#log.warn("mass removal held until a second list agrees", { cluster, removed, total });
  }

  /** An object has the name of a set but is not ours. */
  foreignObject(set: SetKey, object: ActualSet): void {
    this.#log.error("network set not written: an object of its name exists and is not ours", {
      cluster: setIdOf(set).cluster,
      set: object.name,
      key: set,
      hint: "rename or delete that GlobalNetworkSet, or choose another set name",
    });
  }

  /** Two sets would have the same name; this one got another. */
  nameCollision(set: SetKey, name: string): void {
    const { cluster } = setIdOf(set);
    this.#log.warn("set name is ambiguous; another one is used", { cluster, key: set, set: name });
  }

  /** Two clusters claim an address, or do so no longer. */
  contested(net: string, sets: Iterable<SetKey>): void {
    this.#log.error("address claimed by two clusters; it is in no set until one lets go", {
      ip: net,
      sets: [...sets].join(" "),
    });
  }
}
