import type { ObjectKey, PodRecord } from "../model/pod.ts";

/** A pod that has addresses in sets now. Times are milliseconds since the epoch. */
export interface Holding {
  readonly uid: string;
  readonly node: string;
  /** The pod's phase, or `Terminating` once its deletion was asked for. */
  readonly phase: string;
  readonly nets: readonly string[];
  /** Since when each of `nets`, at the same index, is known to be this pod's. */
  readonly since: readonly number[];
}

/** A pod that had an address before. Times are milliseconds since the epoch. */
export interface PastOwner {
  readonly pod: ObjectKey;
  readonly uid: string;
  readonly since: number;
  readonly until: number;
}

/** How much is remembered of addresses that changed hands. */
export interface HistoryLimits {
  readonly addresses: number;
  /** Owners of each. */
  readonly owners: number;
}

const DEFAULT_LIMITS: HistoryLimits = { addresses: 10_000, owners: 5 };

/**
 * Where the pods of one cluster are that have addresses in sets, since when, and who had an address before: for people.
 * What is known of present pods goes with them; of the past only the latest is kept, within `limits`.
 */
export class Holdings {
  readonly #now: () => number;
  readonly #limits: HistoryLimits;
  readonly #held = new Map<ObjectKey, Holding>();
  /** By address, newest owner first; the address that changed hands last is the last key. */
  readonly #past = new Map<string, readonly PastOwner[]>();

  /** `now` is the wall clock, milliseconds since the epoch. */
  constructor(now: () => number, limits: HistoryLimits = DEFAULT_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** `nets` is all that `pod`, called `key`, has in sets from now on. */
  put(key: ObjectKey, pod: PodRecord, nets: readonly string[]): void {
    const before = this.#held.get(key);
    const { uid } = pod;
    const isSame = before?.uid === uid;
    const now = this.#now();
    if (before !== undefined) this.#leave(key, before, isSame ? nets : [], now);
    if (nets.length === 0) return;
    const since = nets.map((net) => {
      const index = isSame ? before.nets.indexOf(net) : -1;
      return before?.since[index] ?? now;
    });
    const phase = pod.terminating ? "Terminating" : pod.phase;
    this.#held.set(key, { uid, node: pod.nodeName, phase, nets, since });
  }

  /** The pod called `key` is gone. */
  remove(key: ObjectKey): void {
    const before = this.#held.get(key);
    if (before !== undefined) this.#leave(key, before, [], this.#now());
  }

  /** What the pod called `key` holds; undefined when it is in no set. */
  of(key: ObjectKey): Holding | undefined {
    return this.#held.get(key);
  }

  /** Who had `net` before, the latest first. */
  past(net: string): readonly PastOwner[] {
    return this.#past.get(net) ?? [];
  }

  /** How many present pods and addresses of the past are remembered. */
  get size(): { readonly pods: number; readonly addresses: number } {
    return { pods: this.#held.size, addresses: this.#past.size };
  }

  #leave(key: ObjectKey, before: Holding, kept: readonly string[], until: number): void {
    this.#held.delete(key);
    for (const [index, net] of before.nets.entries()) {
      if (kept.includes(net)) continue;
      const owner = { pod: key, uid: before.uid, since: before.since[index] ?? until, until };
      const owners = [owner, ...this.past(net)].slice(0, this.#limits.owners);
      this.#past.delete(net);
      this.#past.set(net, owners);
      if (this.#past.size <= this.#limits.addresses) continue;
      for (const oldest of this.#past.keys()) {
        this.#past.delete(oldest);
        break;
      }
    }
  }
}
