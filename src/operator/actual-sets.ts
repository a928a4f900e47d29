import type { SetKey } from "../core/membership/set-id.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { Store } from "../core/reflector/store.ts";

/** What ActualSets tells as objects change; called synchronously. */
export interface ActualSetsEvents {
  /** An object appeared, changed or went away, and not by a write of ours. */
  onChanged(set: ActualSet): void;
  /** A complete list was taken in. */
  onComplete(): void;
}

/** Whether `a` is an older version than `b`: numbers where both are (KEP-5504), else unknown, which is false. */
function isOlder(a: string, b: string): boolean {
  if (!/^\d{1,20}$/.test(a) || !/^\d{1,20}$/.test(b)) return false;
  return BigInt(a) < BigInt(b);
}

/**
 * The GlobalNetworkSets of the local cluster, ours and others', as watched and as answered to our own writes,
 * so that a change of a set costs one request.
 */
export class ActualSets implements Store<ActualSet> {
  readonly #events: ActualSetsEvents;
  readonly #ownerOf: (set: ActualSet) => SetKey | undefined;
  readonly #sets = new Map<string, ActualSet>();
  /** The objects that hold a set, by name; those that are not ours are in none. */
  readonly #byOwner = new Map<SetKey, Map<string, ActualSet>>();
  /** While a list runs: the objects it has not held so far. */
  #unseen: Set<string> | undefined;

  /** `ownerOf` tells which set an object holds, undefined when it is not ours. */
  constructor(events: ActualSetsEvents, ownerOf: (set: ActualSet) => SetKey | undefined) {
    this.#events = events;
    this.#ownerOf = ownerOf;
  }

  get(name: string): ActualSet | undefined {
    return this.#sets.get(name);
  }

  all(): Iterable<ActualSet> {
    return this.#sets.values();
  }

  /** The objects that hold `set`. */
  of(set: SetKey): readonly ActualSet[] {
    return [...(this.#byOwner.get(set)?.values() ?? [])];
  }

  /** The sets that some object holds. */
  owners(): Iterable<SetKey> {
    return this.#byOwner.keys();
  }

  ownerOf(set: ActualSet): SetKey | undefined {
    return this.#ownerOf(set);
  }

  /** Takes in the answer to a write or a read of ours. */
  written(set: ActualSet): void {
    this.#keep(set);
    this.#unseen?.delete(set.name);
  }

  /** The object that we knew as `set` is gone, by our own delete or as a read of ours told. */
  gone(set: ActualSet): void {
    if (this.#sets.get(set.name)?.uid === set.uid) this.#forget(set.name);
  }

  beginList(): void {
    this.#unseen = new Set(this.#sets.keys());
  }

  endList(): void {
    for (const name of this.#unseen ?? []) {
      const set = this.#sets.get(name);
      if (set !== undefined) this.remove(set);
    }
    this.#unseen = undefined;
    this.#events.onComplete();
  }

  abandonList(): void {
    this.#unseen = undefined;
  }

  put(set: ActualSet): void {
    const known = this.#sets.get(set.name);
    this.#unseen?.delete(set.name);
    if (known?.resourceVersion === set.resourceVersion && known.uid === set.uid) return;
    // The echo of a write that was followed by another one, or a list begun before it.
    if (known?.uid === set.uid && isOlder(set.resourceVersion, known.resourceVersion)) return;
    this.#keep(set);
    // An object that was edited may have held another set before.
    if (known !== undefined) this.#events.onChanged(known);
    this.#events.onChanged(set);
  }

  remove(set: ActualSet): void {
    if (this.#sets.get(set.name)?.uid !== set.uid) return;
    this.#forget(set.name);
    this.#events.onChanged(set);
  }

  #keep(set: ActualSet): void {
    this.#forget(set.name);
    this.#sets.set(set.name, set);
    const owner = this.#ownerOf(set);
    if (owner === undefined) return;
    const objects = this.#byOwner.get(owner);
    if (objects === undefined) this.#byOwner.set(owner, new Map([[set.name, set]]));
    else objects.set(set.name, set);
  }

  #forget(name: string): void {
    const set = this.#sets.get(name);
    if (set === undefined) return;
    this.#sets.delete(name);
    const owner = this.#ownerOf(set);
    const objects = owner === undefined ? undefined : this.#byOwner.get(owner);
    if (owner === undefined || objects === undefined) return;
    objects.delete(name);
    if (objects.size === 0) this.#byOwner.delete(owner);
  }
}
