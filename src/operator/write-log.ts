import { LRUCache } from "lru-cache";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { Clock } from "../runtime/clock.ts";

const LAGS = 1000;
const SETS = 10_000;

/** When sets were last written, and how long after the change; of the latest writes only. */
export class WriteLog {
  readonly #clock: Clock;
  readonly #lags = new Map<ClusterName, number[]>();
  readonly #next = new Map<ClusterName, number>();
  readonly #writtenAt = new LRUCache<SetKey, number>({ max: SETS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `set` was written, `durationMs` after the change that it was written for. */
  note(set: SetKey, durationMs: number | undefined): void {
    this.#writtenAt.set(set, this.#clock.now());
    if (durationMs === undefined) return;
    const { cluster } = setIdOf(set);
    const lags = this.#lags.get(cluster) ?? [];
    const index = this.#next.get(cluster) ?? 0;
    lags[index] = durationMs;
    this.#lags.set(cluster, lags);
    this.#next.set(cluster, (index + 1) % LAGS);
  }

  /** When `set` was last written, milliseconds since the epoch; undefined when that was long ago or before the start. */
  writtenAt(set: SetKey): number | undefined {
    return this.#writtenAt.peek(set);
  }

  /** The 99th percentile, in milliseconds, of the cluster's last 1000 writes; undefined when there were none. */
  lagP99(cluster: ClusterName): number | undefined {
    const sorted = (this.#lags.get(cluster) ?? []).toSorted((a, b) => a - b);
    return sorted[Math.ceil(sorted.length * 0.99) - 1];
  }

  /** Drops what is known of a cluster's writes. */
  forget(cluster: ClusterName): void {
    this.#lags.delete(cluster);
    this.#next.delete(cluster);
  }
}
