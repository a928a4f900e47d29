import type { Refusal } from "../core/membership/claim.ts";
import { joinedName, setIdOf, type SetKey } from "../core/membership/set-id.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { ObjectKey } from "../core/model/pod.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { EventFacts, EventRecorder } from "../kube/events.ts";
import type { Log } from "../runtime/log.ts";
import type { OperatorMetrics } from "./metrics.ts";

/** Tells people what they should know of, in the log, in a metric, and as an Event of the local cluster. */
export class Notices {
  readonly #log: Log;
  readonly #metrics: OperatorMetrics;
  readonly #events: Pick<EventRecorder, "record">;

  constructor(log: Log, metrics: OperatorMetrics, events: Pick<EventRecorder, "record">) {
    this.#log = log;
    this.#metrics = metrics;
    this.#events = events;
  }

  /** Part of what a pod asked for was not granted. */
  refused(cluster: ClusterName, pod: ObjectKey, { field, value, why }: Refusal): void {
    this.#metrics.metric.refusals.add({ remote_cluster: cluster, field });
    this.#log.warn("pod refused", { cluster, pod, field, value, reason: why });
    this.#warn(
      cluster,
      "PodRefused",
      `pod ${cluster}/${pod}: ${field} ${JSON.stringify(value)} ${why}`,
    );
  }

  /** A list would have removed too much to be believed at once. */
  massRemovalHeld(cluster: ClusterName, removed: number, total: number): void {
    this.#metrics.metric.removalsHeld.add({ remote_cluster: cluster });
    this.#log.warn("mass removal held until a second list agrees", { cluster, removed, total });
    this.#warn(
      cluster,
      "MassRemovalHeld",
      `a list of cluster ${cluster} would remove ${removed} of ${total} entries; they stay until a second one agrees`,
    );
  }

  /** An object has the name of a set but is not ours. */
  foreignObject(set: SetKey, object: ActualSet): void {
    this.#log.error("network set not written: an object of its name exists and is not ours", {
      cluster: setIdOf(set).cluster,
      set: object.name,
      key: set,
      hint: "rename or delete that GlobalNetworkSet, or choose another set name",
    });
    this.#warn(object.name, "NameCollision", `it is not ours, and in the way of set ${set}`);
  }

  /** Two sets would have the same name; this one got another. */
  nameCollision(set: SetKey, name: string): void {
    const { cluster } = setIdOf(set);
    this.#log.warn("set name is ambiguous; another one is used", { cluster, key: set, set: name });
    this.#warn(name, "NameCollision", `set ${set} is called so because another set has its name`);
  }

  /** Two clusters claim an address, or do so no longer. */
  contested(net: string, sets: Iterable<SetKey>): void {
    this.#log.error("address claimed by two clusters; it is in no set until one lets go", {
      ip: net,
      sets: [...sets].join(" "),
    });
    for (const set of sets) {
      const note = `${net} is claimed by two clusters and in no set until one lets go`;
      this.#warn(joinedName(setIdOf(set)), "AddressConflict", note);
    }
  }

  /** An Event about the GlobalNetworkSet `name`; what concerns a whole cluster is told of one called like it. */
  #warn(name: string, reason: string, note: string): void {
    const regarding: EventFacts["regarding"] = {
      apiVersion: "projectcalico.org/v3",
      kind: "GlobalNetworkSet",
      name,
    };
    this.#events.record({ regarding, type: "Warning", reason, note });
  }
}
