import type { NetworkSetClient } from "../calico/network-set-client.ts";
import { errorText, faultCode, type Fault } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { Membership } from "../core/membership/membership.ts";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import type { ActualSet, SetChange } from "../core/plan/plan-set.ts";
import type { Clock } from "../runtime/clock.ts";
import { KeyedWorker, type WorkResult } from "../runtime/keyed-worker.ts";
import type { Log } from "../runtime/log.ts";
import type { ActualSets } from "./actual-sets.ts";
import type { OperatorMetrics } from "./metrics.ts";
import type { Notices } from "./notices.ts";
import type { SetPlans } from "./set-plans.ts";

/** What a Reconciler works with. */
export interface ReconcilerParts {
  readonly membership: Membership;
  readonly actual: ActualSets;
  readonly plans: SetPlans;
  /** Where sets are written now, or undefined while nothing may be written. */
  readonly client: () => NetworkSetClient | undefined;
  /** Whether a complete list of the cluster's pods and of the local sets was taken in: its sets are left alone before. */
  readonly isReady: (cluster: ClusterName) => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly notices: Notices;
  readonly metrics: OperatorMetrics;
  readonly emptyGraceMs: number;
  /** Told of each write, and how long after its oldest change it was; a repair has none. */
  readonly onWritten: (set: SetKey, durationMs: number | undefined) => void;
}

type Write = Extract<SetChange, { kind: "create" | "replace" | "delete" }>;

const CONCURRENCY = 8;
const WINDOW_MS = 50;
const BACKOFF = { minMs: 100, maxMs: 30_000 };

/** Brings each set's objects to what membership says, one request a change, and keeps trying. */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  readonly #worker: KeyedWorker<SetKey>;
  /** When a set's oldest unwritten change was seen, monotonic. */
  readonly #changedAt = new Map<SetKey, number>();
  /** Sets that somebody else's object is in the way of, and its name. */
  readonly #conflicts = new Map<SetKey, string>();
  /** Objects whose name had to be told apart from another set's. */
  readonly #ambiguous = new Set<string>();

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

  /** How many sets somebody else's object is in the way of. */
  get conflicts(): number {
    return this.#conflicts.size;
  }

  /** How many objects have a name that had to be told apart from another set's. */
  get ambiguousNames(): number {
    return this.#ambiguous.size;
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
    const owner = this.#parts.actual.ownerOf(object);
    if (owner !== undefined) this.#worker.add(owner);
    for (const [set, name] of this.#conflicts) if (name === object.name) this.#worker.add(set);
  }

  /** Looks at every set that has members, and at every set that an object of ours holds. */
  all(): void {
    for (const set of this.#parts.membership.sets()) this.#worker.add(set);
    for (const set of this.#parts.actual.owners()) this.#worker.add(set);
  }

  /** Stops writing; resolves when the requests under way have ended. */
  async stop(): Promise<void> {
    await this.#worker.stop();
  }

  async #reconcile(set: SetKey): Promise<WorkResult> {
    const { plans, clock } = this.#parts;
    const client = this.#parts.client();
    const { cluster } = setIdOf(set);
    if (client === undefined || !this.#parts.isReady(cluster)) return { kind: "done" };
    const changes = plans.changes(set, clock.now(), (shard) => this.#nameOf(set, shard));
    if (!changes.some(({ kind }) => kind === "conflict")) this.#conflicts.delete(set);
    return this.#carryOut(set, changes, client);
  }

  #nameOf(set: SetKey, shard: number): string {
    const { name, isAmbiguous } = this.#parts.plans.nameOf(set, shard);
    if (!isAmbiguous) this.#ambiguous.delete(name);
    else if (!this.#ambiguous.has(name)) {
      this.#ambiguous.add(name);
      this.#parts.notices.nameCollision(set, name);
    }
    return name;
  }

  async #carryOut(
    set: SetKey,
    changes: readonly SetChange[],
    client: NetworkSetClient,
  ): Promise<WorkResult> {
    const changedAt = this.#changedAt.get(set);
    this.#changedAt.delete(set);
    let again: number | undefined;
    for (const change of changes) {
      switch (change.kind) {
        case "none":
          break;
        case "later":
          again = Math.min(again ?? Infinity, change.delayMs);
          break;
        case "conflict":
          this.#reportConflict(set, change.object);
          break;
        case "create":
        case "replace":
        case "delete": {
          // Leadership or the datastore may have been lost since the last write.
          if (this.#parts.client() !== client) return { kind: "done" };
          const failed = await this.#write(set, change, client, changedAt);
          if (failed !== undefined) {
            if (changedAt !== undefined) this.#changedAt.set(set, changedAt);
            return failed;
          }
          if (change.kind === "replace" && change.object.nets.length === 0) {
            again = Math.min(again ?? Infinity, this.#parts.emptyGraceMs);
          }
          break;
        }
        default:
          change satisfies never;
      }
    }
    return again === undefined ? { kind: "done" } : { kind: "again", delayMs: again };
  }

  /** Undefined when it went well. */
  async #write(
    set: SetKey,
    change: Write,
    client: NetworkSetClient,
    changedAt: number | undefined,
  ): Promise<WorkResult | undefined> {
    const { actual, log, metrics, clock } = this.#parts;
    const { object, kind: operation } = change;
    const labels = { remote_cluster: setIdOf(set).cluster };
    try {
      if (change.kind === "create") actual.written(await client.create(change.object));
      else if (change.kind === "replace") actual.written(await client.replace(change.object));
      else {
        await client.delete(change.object);
        actual.gone(change.object);
      }
    } catch (error) {
      metrics.metric.setWrites.add({ ...labels, operation, result: "error" });
      return this.#failed(change, client, error);
    }
    metrics.metric.setWrites.add({ ...labels, operation, result: "ok" });
    const durationMs = changedAt === undefined ? undefined : clock.monotonic() - changedAt;
    this.#parts.onWritten(set, durationMs);
    if (durationMs !== undefined) {
      metrics.metric.propagation.observe({ ...labels, stage: "written" }, durationMs / 1000);
    }
    log.info("network set written", {
      set: object.name,
      operation,
      members: object.nets.length,
      ...(change.kind === "replace" ? { reason: change.reason } : {}),
      ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs * 10) / 10 }),
    });
    return undefined;
  }

  async #failed(change: Write, client: NetworkSetClient, error: unknown): Promise<WorkResult> {
    const { log, metrics } = this.#parts;
    const { name } = change.object;
    const code = faultCode(error);
    // The fence: whoever leads now writes it, and if we do again, everything is looked at.
    if (code === "aborted") return { kind: "done" };
    metrics.metric.queueRetries.add({ name: "sets" });
    if (code === "conflict" || code === "already-exists" || code === "not-found") {
      await this.#refresh(name, client);
      return { kind: "retry" };
    }
    log.warn("network set not written; it will be tried again", {
      set: name,
      operation: change.kind,
      error: errorText(error),
    });
    const retryAfterMs = code === undefined ? undefined : (error as Fault).retryAfterMs;
    return retryAfterMs === undefined
      ? { kind: "retry" }
      : { kind: "retry", atLeastMs: retryAfterMs };
  }

  /** Our copy of the object is not the server's: reads it, so that the next try plans against the truth. */
  async #refresh(name: string, client: NetworkSetClient): Promise<void> {
    const { actual, log } = this.#parts;
    try {
      actual.written(await client.get(name));
    } catch (error) {
      const known = actual.get(name);
      if (faultCode(error) === "not-found" && known !== undefined) actual.gone(known);
      else if (faultCode(error) !== "not-found") {
        log.warn("network set not read", { set: name, error: errorText(error) });
      }
    }
  }

  #reportConflict(set: SetKey, object: ActualSet): void {
    if (this.#conflicts.has(set)) return;
    this.#conflicts.set(set, object.name);
    this.#parts.notices.foreignObject(set, object);
  }
}
