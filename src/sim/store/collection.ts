import type { Stored } from "./stored.ts";

/** One change of one object. */
export interface Change {
  readonly revision: number;
  /** The object before, or undefined when it was created. */
  readonly before: Stored | undefined;
  /** The object after; when it was deleted, as it last was, at the revision of the deletion. */
  readonly after: Stored;
  readonly deleted: boolean;
  /** Encoded forms by format, so that many watchers share them; undefined for a change that is not recent. */
  encoded: Map<string, Buffer> | undefined;
}

/** How much of the past one collection keeps. */
export interface HistoryLimits {
  readonly maxChanges: number;
  readonly maxBytes: number;
}

interface Bucket {
  readonly objects: Map<string, Stored>;
  /** Names in byte order; undefined after an insertion or removal. */
  names: string[] | undefined;
}

interface Snapshot {
  readonly revision: number;
  readonly namespace: string;
  readonly objects: readonly Stored[];
}

const MAX_SNAPSHOTS = 6;

/** How many changes keep their encoded forms. */
const RECENT = 256;

/** All objects of one resource, in the order in which etcd would give them, and their recent past. */
export class Collection {
  private readonly buckets = new Map<string, Bucket>();
  private readonly history: Change[] = [];
  /** Index of the oldest change still kept. */
  private start = 0;
  private historyBytes = 0;
  private snapshots: Snapshot[] = [];
  private readonly limits: HistoryLimits;
  private readonly watchers = new Set<() => void>();
  private compactedTo: number;
  private lastForgotten = 0;
  private count = 0;

  constructor(limits: HistoryLimits, compactedTo: number) {
    this.limits = limits;
    this.compactedTo = compactedTo;
  }

  /** The number of objects. */
  get size(): number {
    return this.count;
  }

  /** The newest revision whose past is gone: a watch from before it is refused. */
  get compacted(): number {
    return this.compactedTo;
  }

  /** The revision of the newest change that is forgotten; 0 when none is. */
  get forgotten(): number {
    return this.lastForgotten;
  }

  /** The object as it is now. */
  get(namespace: string, name: string): Stored | undefined {
    return this.buckets.get(namespace)?.objects.get(name);
  }

  /** Records `change` and tells every watcher. */
  apply(change: Change): void {
    const { namespace, name } = change.after;
    let bucket = this.buckets.get(namespace);
    if (change.deleted) {
      if (bucket?.objects.delete(name) === true) {
        bucket.names = undefined;
        this.count--;
        if (bucket.objects.size === 0) this.buckets.delete(namespace);
      }
    } else {
      if (bucket === undefined) {
        bucket = { objects: new Map(), names: undefined };
        this.buckets.set(namespace, bucket);
      }
      if (!bucket.objects.has(name)) {
        bucket.names = undefined;
        this.count++;
      }
      bucket.objects.set(name, change.after);
    }
    this.remember(change);
    for (const wake of this.watchers) wake();
  }

  /** Puts an object in place without a trace in the past: for data that was there at the start. */
  load(stored: Stored): void {
    let bucket = this.buckets.get(stored.namespace);
    if (bucket === undefined) {
      bucket = { objects: new Map(), names: undefined };
      this.buckets.set(stored.namespace, bucket);
    }
    if (!bucket.objects.has(stored.name)) this.count++;
    bucket.objects.set(stored.name, stored);
    bucket.names = undefined;
  }

  /** Calls `wake` after each change until the returned function is called. */
  onChange(wake: () => void): () => void {
    this.watchers.add(wake);
    return () => this.watchers.delete(wake);
  }

  /** Forgets the past up to and including `revision`. */
  compact(revision: number): void {
    this.compactedTo = Math.max(this.compactedTo, revision);
    while (this.start < this.history.length) {
      const oldest = this.history[this.start] as Change;
      if (oldest.revision > revision) break;
      this.forgetOldest();
    }
    this.snapshots = this.snapshots.filter((snapshot) => snapshot.revision > revision);
    this.tidy();
  }

  /** The kept changes after `revision`, oldest first. What is forgotten is not among them. */
  changesAfter(revision: number): Iterable<Change> {
    const start = this.indexAfter(revision);
    const { history } = this;
    return {
      [Symbol.iterator]: () => {
        let index = start;
        return {
          next: () =>
            index < history.length
              ? { done: false, value: history[index++] as Change }
              : { done: true, value: undefined },
        };
      },
    };
  }

  /**
   * All objects of `namespace` ("" for all) as they were at `revision`, in order.
   * The caller has made sure that `revision` is neither compacted nor in the future.
   */
  at(revision: number, namespace: string): readonly Stored[] {
    const known = this.snapshots.find(
      (snapshot) => snapshot.revision === revision && snapshot.namespace === namespace,
    );
    if (known !== undefined) return known.objects;
    const objects = this.rollBack(this.now(namespace), revision, namespace);
    if (objects.length > 0) {
      this.snapshots.unshift({ revision, namespace, objects });
      this.snapshots.length = Math.min(this.snapshots.length, MAX_SNAPSHOTS);
    }
    return objects;
  }

  /** All objects of `namespace` ("" for all) as they are now, in order. */
  now(namespace: string): Stored[] {
    if (namespace !== "") return ordered(this.buckets.get(namespace));
    const names = [...this.buckets.keys()].toSorted((a, b) => compare(`${a}/`, `${b}/`));
    const out: Stored[] = [];
    for (const name of names)
      for (const stored of ordered(this.buckets.get(name))) out.push(stored);
    return out;
  }

  private rollBack(current: Stored[], revision: number, namespace: string): readonly Stored[] {
    const past = new Map<string, Stored | undefined>();
    for (const change of this.changesAfter(revision)) {
      const key = orderKey(change.after);
      if (namespace !== "" && change.after.namespace !== namespace) continue;
      if (!past.has(key)) past.set(key, change.before);
    }
    if (past.size === 0) return current;
    const kept = current.filter((stored) => !past.has(orderKey(stored)));
    const earlier = [...past.values()].filter((stored) => stored !== undefined);
    return merge(kept, earlier.toSorted(byOrder));
  }

  /** The index of the first kept change after `revision`. */
  private indexAfter(revision: number): number {
    let low = this.start;
    let high = this.history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.history[middle] as Change).revision > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private remember(change: Change): void {
    this.history.push(change);
    const stale = this.history[this.history.length - 1 - RECENT];
    if (stale !== undefined) stale.encoded = undefined;
    this.historyBytes += change.after.bytes;
    while (
      this.history.length - this.start > this.limits.maxChanges ||
      (this.historyBytes > this.limits.maxBytes && this.history.length - this.start > 1)
    ) {
      this.compactedTo = (this.history[this.start] as Change).revision;
      this.forgetOldest();
    }
    this.tidy();
  }

  private forgetOldest(): void {
    const oldest = this.history[this.start] as Change;
    this.historyBytes -= oldest.after.bytes;
    this.lastForgotten = oldest.revision;
    (this.history as (Change | undefined)[])[this.start] = undefined;
    this.start++;
  }

  private tidy(): void {
    if (this.start < 1024 || this.start * 2 < this.history.length) return;
    this.history.splice(0, this.start);
    this.start = 0;
  }
}

function ordered(bucket: Bucket | undefined): Stored[] {
  if (bucket === undefined) return [];
  bucket.names ??= [...bucket.objects.keys()].toSorted(compare);
  return bucket.names.map((name) => bucket.objects.get(name) as Stored);
}

/** Where an object stands in a list: the order of keys in etcd. */
export function orderKey(stored: Stored): string {
  return `${stored.namespace}/${stored.name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byOrder(a: Stored, b: Stored): number {
  return compare(orderKey(a), orderKey(b));
}

function merge(a: readonly Stored[], b: readonly Stored[]): Stored[] {
  const out: Stored[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length)
    out.push(byOrder(a[i] as Stored, b[j] as Stored) < 0 ? (a[i++] as Stored) : (b[j++] as Stored));
  return out.concat(a.slice(i), b.slice(j));
}
