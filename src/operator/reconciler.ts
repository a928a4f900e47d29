import type { NetworkSetClient } from "../calico/network-set-client.ts";
import { errorText, faultCode, type Fault } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { Membership } from "../core/membership/membership.ts";
import type { LabelProfile } from "../core/membership/profile.ts";
import { joinedName, setIdOf, setKey, type SetKey } from "../core/membership/set-id.ts";
import { planSet, type ActualSet, type SetChange } from "../core/plan/plan-set.ts";
import type { Clock } from "../runtime/clock.ts";
import { KeyedWorker, type WorkResult } from "../runtime/keyed-worker.ts";
import type { Log } from "../runtime/log.ts";
import type { ActualSets } from "./actual-sets.ts";
import type { OperatorMetrics } from "./metrics.ts";

/** What a Reconciler works with. */
export interface ReconcilerParts {
  readonly membership: Membership;
  readonly actual: ActualSets;
  readonly profile: LabelProfile;
  readonly client: NetworkSetClient;
  /** Whether a complete list of the cluster's pods and of the local sets was taken in: nothing is written before. */
  readonly isReady: (cluster: ClusterName) => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
  readonly emptyGraceMs: number;
}

const CONCURRENCY = 8;
const WINDOW_MS = 50;
const BACKOFF = { minMs: 100, maxMs: 30_000 };

/** The set that `object` holds, by its own record or else by its labels; undefined when it is not ours. */
export function ownerOf(object: ActualSet, profile: LabelProfile): SetKey | undefined {
  if (object.owner !== undefined) return object.owner;
  const id = profile.ownedId(object.labels);
  return id === undefined ? undefined : setKey(id);
}

/** Brings each set's object to what membership says, one request a change, and keeps trying. */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #worker: KeyedWorker<SetKey>;
  /** When a set's oldest unwritten change was seen, monotonic. */
  readonly #changedAt = new Map<SetKey, number>();
  /** Sets whose object is somebody else's, so that it is logged once. */
  readonly #conflicts = new Set<SetKey>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#worker = new KeyedWorker<SetKey>({
      work: async (key) => this.#reconcile(key),
      clock: parts.clock,
      random: parts.random,
      concurrency: CONCURRENCY,
      windowMs: WINDOW_MS,
      backoff: BACKOFF,
      onBug: (key, error) =>
        parts.log.error("reconcile failed unexpectedly", { set: key, error: errorText(error) }),
    });
  }

  /** Sets that wait or are being written. */
  get depth(): number {
    return this.#worker.depth;
  }

  /** Objects in the way: of a set's name but not ours. */
  get conflicts(): ReadonlySet<SetKey> {
    return this.#conflicts;
  }

  /** The members of these sets changed just now. */
  changed(sets: Iterable<SetKey>): void {
    const now = this.#parts.clock.monotonic();
    for (const set of sets) {
      if (!this.#changedAt.has(set)) this.#changedAt.set(set, now);
      this.#worker.add(set);
    }
  }

  /** An object changed in the local cluster: look whether it is still right, or no longer in the way. */
  touched(object: ActualSet): void {
    const owner = ownerOf(object, this.#parts.profile);
    if (owner !== undefined) this.#worker.add(owner);
    for (const set of this.#conflicts) {
      if (joinedName(setIdOf(set)) === object.name) this.#worker.add(set);
    }
  }

  /** Looks at every set that has members, and at every object of ours, of `cluster`. */
  all(cluster: ClusterName): void {
    for (const set of this.#parts.membership.sets()) {
      if (setIdOf(set).cluster === cluster) this.#worker.add(set);
    }
    for (const object of this.#parts.actual.all()) {
      const owner = ownerOf(object, this.#parts.profile);
      if (owner !== undefined && setIdOf(owner).cluster === cluster) this.#worker.add(owner);
    }
  }

  /** Stops writing; resolves when the requests under way have ended. */
  async stop(): Promise<void> {
    await this.#worker.stop();
  }

  async #reconcile(key: SetKey): Promise<WorkResult> {
    const { membership, actual, profile, clock, emptyGraceMs } = this.#parts;
    const id = setIdOf(key);
    if (!this.#parts.isReady(id.cluster)) return { kind: "done" };
    const name = joinedName(id);
    const nets = membership.nets(key);
    const change = planSet(
      nets.length === 0 ? undefined : { name, owner: key, labels: profile.labelsOf(id), nets },
      actual.get(name),
      {
        isOurs: (object) => ownerOf(object, profile) === key,
        now: clock.now(),
        emptyGraceMs,
      },
    );
    if (change.kind !== "conflict") this.#conflicts.delete(key);
    return this.#apply(key, change);
  }

  async #apply(key: SetKey, change: SetChange): Promise<WorkResult> {
    switch (change.kind) {
      case "none":
        this.#changedAt.delete(key);
        return { kind: "done" };
      case "later":
        return { kind: "again", delayMs: change.delayMs };
      case "conflict":
        this.#reportConflict(key, change.object);
        return { kind: "done" };
      case "create":
      case "replace":
      case "delete":
        return this.#write(key, change);
      default:
        return change satisfies never;
    }
  }

  async #write(
    key: SetKey,
    change: Extract<SetChange, { kind: "create" | "replace" | "delete" }>,
  ): Promise<WorkResult> {
    const { client, actual, log, metrics, clock } = this.#parts;
    const { name, nets } = change.object;
    const { cluster } = setIdOf(key);
    const changedAt = this.#changedAt.get(key);
    this.#changedAt.delete(key);
    try {
      if (change.kind === "create") actual.written(await client.create(change.object));
      else if (change.kind === "replace") actual.written(await client.replace(change.object));
      else {
        await client.delete(change.object);
        actual.gone(change.object);
      }
    } catch (error) {
      if (changedAt !== undefined) this.#changedAt.set(key, changedAt);
      metrics.metric.setWrites.add({
        remote_cluster: cluster,
        operation: change.kind,
        result: "error",
      });
      return this.#failed(key, change, error);
    }
    metrics.metric.setWrites.add({ remote_cluster: cluster, operation: change.kind, result: "ok" });
    const durationMs = changedAt === undefined ? undefined : clock.monotonic() - changedAt;
    if (durationMs !== undefined) {
      metrics.metric.propagation.observe(
        { remote_cluster: cluster, stage: "written" },
        durationMs / 1000,
      );
    }
    const reason = change.kind === "replace" ? change.reason : undefined;
    log.info("network set written", {
      set: name,
      operation: change.kind,
      members: nets.length,
      ...(reason === undefined ? {} : { reason }),
      ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs * 10) / 10 }),
    });
    if (change.kind === "replace" && nets.length === 0) {
      return { kind: "again", delayMs: this.#parts.emptyGraceMs };
    }
    return { kind: "done" };
  }

  async #failed(
    key: SetKey,
    change: Extract<SetChange, { kind: "create" | "replace" | "delete" }>,
    error: unknown,
  ): Promise<WorkResult> {
    const { log, metrics } = this.#parts;
    const code = faultCode(error);
    metrics.metric.queueRetries.add({ name: "sets" });
    if (code === "conflict" || code === "already-exists" || code === "not-found") {
      return this.#refresh(change.object.name);
    }
    log.warn("network set not written; it will be tried again", {
      set: change.object.name,
      operation: change.kind,
      error: errorText(error),
      key,
    });
    const retryAfterMs = code === undefined ? undefined : (error as Fault).retryAfterMs;
    return retryAfterMs === undefined
      ? { kind: "retry" }
      : { kind: "retry", atLeastMs: retryAfterMs };
  }

  /** Our copy of the object is not the server's: reads it, so that the next try plans against the truth. */
  async #refresh(name: string): Promise<WorkResult> {
    const { client, actual, log } = this.#parts;
    try {
      actual.written(await client.get(name));
    } catch (error) {
      const known = actual.get(name);
      if (faultCode(error) === "not-found" && known !== undefined) actual.gone(known);
      else if (faultCode(error) !== "not-found") {
        log.warn("network set not read", { set: name, error: errorText(error) });
      }
    }
    return { kind: "retry" };
  }

  #reportConflict(key: SetKey, object: ActualSet): void {
    if (this.#conflicts.has(key)) return;
    this.#conflicts.add(key);
    this.#parts.log.error("network set not written: an object of its name exists and is not ours", {
      set: object.name,
      key,
      hint: "rename or delete that GlobalNetworkSet, or choose another set name",
    });
  }
}
