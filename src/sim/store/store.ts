import { Collection, type Change, type HistoryLimits } from "./collection.ts";
import { TextObject, type Stored } from "./stored.ts";
import type { JsonObject } from "../json.ts";

/** The whole state of one simulated cluster: collections under one revision counter, as in etcd. */
export class Store {
  private readonly collections = new Map<string, Collection>();
  private readonly limits: HistoryLimits;
  private readonly first: number;
  private current: number;

  /** `firstRevision` is the revision of the empty store; a restarted store may begin anywhere. Versions before it are expired. */
  constructor(limits: HistoryLimits, firstRevision = 100) {
    this.limits = limits;
    this.first = firstRevision;
    this.current = firstRevision;
  }

  /** The newest revision. */
  get revision(): number {
    return this.current;
  }

  /** The collection called `key`; made when missing. */
  collection(key: string): Collection {
    let collection = this.collections.get(key);
    if (collection === undefined) {
      collection = new Collection(this.limits, this.first);
      this.collections.set(key, collection);
    }
    return collection;
  }

  /** Drops a whole collection: its definition is gone. Its watchers see no more changes. */
  drop(key: string): void {
    this.collections.delete(key);
  }

  /** Creates or replaces an object at a new revision, which it gets as its resourceVersion. */
  put(key: string, object: JsonObject): Stored {
    return this.putStored(key, (revision) => new TextObject(object, revision));
  }

  /** As `put`, for an object that knows how to keep itself. */
  putStored(key: string, make: (revision: number) => Stored): Stored {
    const collection = this.collection(key);
    const after = make(++this.current);
    const before = collection.get(after.namespace, after.name);
    collection.apply(change(this.current, before, after, false));
    return after;
  }

  /** Deletes an object at a new revision; gives what a DELETED event shows: `last`, or the object as it was. */
  remove(key: string, stored: Stored, last?: JsonObject): Stored {
    const revision = ++this.current;
    const after = last === undefined ? stored.at(revision) : new TextObject(last, revision);
    this.collection(key).apply(change(this.current, stored, after, true));
    return after;
  }

  /** Uses up revisions, as writes to resources that nobody looks at would. */
  advance(revisions = 1): number {
    this.current += revisions;
    return this.current;
  }

  /** Forgets the past of every collection up to `revision`, as an etcd compaction does. */
  compact(revision: number = this.current): void {
    for (const collection of this.collections.values()) collection.compact(revision);
  }
}

function change(
  revision: number,
  before: Stored | undefined,
  after: Stored,
  deleted: boolean,
): Change {
  return { revision, before, after, deleted, encoded: new Map() };
}
