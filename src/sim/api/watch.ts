import type { CancelTimer } from "../../runtime/clock.ts";
import { badRequest, expired } from "./errors.ts";
import type { Change } from "../store/collection.ts";
import type { Stored } from "../store/stored.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Cluster } from "./cluster.ts";
import { badOption, filterOf, revisionOf, tooLarge, type Filter } from "./list.ts";
import { ApiError, invalid } from "./errors.ts";

/** One event of a watch, not yet encoded. */
export type WatchEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly stored: Stored;
      /** The change that it tells of, for sharing encoded forms; undefined for initial events. */
      readonly change: Change | undefined;
    }
  | { readonly type: "BOOKMARK"; readonly revision: number; readonly initialEnd: boolean }
  | { readonly type: "ERROR"; readonly error: ApiError };

/** What a watch writes to. */
export interface WatchSink {
  /** Takes one event; false when it wants no more until `whenReady` calls back. */
  send(event: WatchEvent): boolean;
  /** Calls `resume` once, when the sink takes events again. */
  whenReady(resume: () => void): void;
  /** Ends the stream. */
  end(): void;
}

/**
 * Starts a watch as the parameters of `query` ask; the returned function stops it.
 * Throws an ApiError for what is refused before the stream begins.
 */
export function startWatch(
  cluster: Cluster,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
  sink: WatchSink,
): () => void {
  return new Watch(cluster, kind, namespace, query, sink).start();
}

/** How long before its end a watch sends a last bookmark. */
const LAST_BOOKMARK_MS = 2_000;

class Watch {
  private readonly cluster: Cluster;
  private readonly kind: Kind;
  private readonly namespace: string;
  private readonly sink: WatchSink;
  private readonly filter: Filter | undefined;
  private readonly bookmarks: boolean;
  private readonly timeoutMs: number;
  private readonly wanted: number | undefined;
  private readonly initialEvents: boolean | undefined;
  private readonly timers = new Set<CancelTimer>();
  private readonly store: Cluster["store"];
  private initial:
    | { readonly objects: readonly Stored[]; next: number; ended: boolean }
    | undefined;
  /** Everything up to this revision has been sent. */
  private cursor = 0;
  private unsubscribe: (() => void) | undefined;
  private waiting = false;
  private ended = false;

  constructor(
    cluster: Cluster,
    kind: Kind,
    namespace: string,
    query: URLSearchParams,
    sink: WatchSink,
  ) {
    this.cluster = cluster;
    this.kind = kind;
    this.namespace = namespace;
    this.sink = sink;
    this.filter = filterOf(kind, query);
    this.bookmarks =
      query.get("allowWatchBookmarks") === "true" || query.get("allowWatchBookmarks") === "1";
    this.timeoutMs = timeoutOf(query);
    this.wanted = watchRevisionOf(query.get("resourceVersion"));
    this.initialEvents = initialEventsOf(query);
    this.store = cluster.store;
  }

  start(): () => void {
    const { revision } = this.store;
    if (this.wanted !== undefined && this.wanted > revision) throw tooLarge(this.wanted, revision);
    const collection = this.store.collection(this.kind.storage);
    const replay = this.initialEvents ?? (this.wanted === undefined || this.wanted === 0);
    if (replay) {
      this.cursor = revision;
      this.initial = { objects: collection.now(this.namespace), next: 0, ended: false };
    } else {
      this.cursor = this.wanted === undefined || this.wanted === 0 ? revision : this.wanted;
    }
    this.after(this.timeoutMs, () => this.finish());
    if (this.bookmarks) {
      this.everyInterval();
      if (this.timeoutMs > LAST_BOOKMARK_MS)
        this.after(this.timeoutMs - LAST_BOOKMARK_MS, () => this.bookmark());
    }
    this.unsubscribe = collection.onChange(() => this.pump());
    if (this.cursor < collection.compacted) this.expire(collection.compacted);
    else this.pump();
    return () => this.stop();
  }

  /** Sends what there is to send, as far as the sink takes it. */
  private pump(): void {
    if (this.ended || this.waiting) return;
    if (this.store !== this.cluster.store) {
      this.finish();
      return;
    }
    if (this.initial !== undefined && !this.pumpInitial()) return;
    const collection = this.store.collection(this.kind.storage);
    if (this.cursor < collection.forgotten) {
      this.expire(collection.compacted);
      return;
    }
    for (const change of collection.changesAfter(this.cursor)) {
      this.cursor = change.revision;
      const event = this.eventOf(change);
      if (event !== undefined && !this.send(event)) return;
    }
    this.cursor = Math.max(this.cursor, this.store.revision);
  }

  private pumpInitial(): boolean {
    const initial = this.initial;
    if (initial === undefined) return true;
    while (initial.next < initial.objects.length) {
      const stored = initial.objects[initial.next++] as Stored;
      if (this.filter !== undefined && !this.filter(stored)) continue;
      if (!this.send({ type: "ADDED", stored, change: undefined })) return false;
    }
    this.initial = undefined;
    if (this.initialEvents === true && this.bookmarks)
      return this.send({ type: "BOOKMARK", revision: this.cursor, initialEnd: true });
    return true;
  }

  private eventOf(change: Change): WatchEvent | undefined {
    if (this.namespace !== "" && change.after.namespace !== this.namespace) return undefined;
    const { before, after } = change;
    if (this.filter === undefined) {
      const type = change.deleted ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
      return { type, stored: after, change };
    }
    const fitted = before !== undefined && this.filter(before);
    const fits = !change.deleted && this.filter(after);
    if (fits) return { type: fitted ? "MODIFIED" : "ADDED", stored: after, change };
    // An object that leaves the selection is shown as it last was in it.
    return fitted
      ? { type: "DELETED", stored: before.at(change.revision), change: undefined }
      : undefined;
  }

  private send(event: WatchEvent): boolean {
    if (this.sink.send(event)) return !this.ended;
    this.waiting = true;
    this.sink.whenReady(() => {
      this.waiting = false;
      this.pump();
    });
    return false;
  }

  private bookmark(): void {
    if (this.ended || this.waiting || this.initial !== undefined) return;
    this.pump();
    if (this.waiting) return;
    this.send({ type: "BOOKMARK", revision: this.cursor, initialEnd: false });
  }

  private everyInterval(): void {
    this.after(this.cluster.bookmarkIntervalMs, () => {
      this.bookmark();
      if (!this.ended) this.everyInterval();
    });
  }

  private expire(compacted: number): void {
    const error = expired(`too old resource version: ${this.cursor} (${compacted})`);
    this.sink.send({ type: "ERROR", error });
    this.finish();
  }

  private after(delayMs: number, callback: () => void): void {
    const cancel = this.cluster.clock.after(delayMs, () => {
      this.timers.delete(cancel);
      callback();
    });
    this.timers.add(cancel);
  }

  private finish(): void {
    if (this.ended) return;
    this.stop();
    this.sink.end();
  }

  private stop(): void {
    this.ended = true;
    this.unsubscribe?.();
    for (const cancel of this.timers) cancel();
    this.timers.clear();
  }
}

function timeoutOf(query: URLSearchParams): number {
  const text = query.get("timeoutSeconds") ?? "";
  if (text !== "" && !/^-?\d+$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  const seconds = Number(text);
  // API servers choose between 30 and 60 minutes when the client names no end.
  return (seconds > 0 ? seconds : 2_700) * 1000;
}

function watchRevisionOf(text: string | null): number | undefined {
  if (text !== null && text !== "" && !/^\d+$/.test(text))
    throw new ApiError(
      500,
      "",
      `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  return revisionOf(text);
}

function initialEventsOf(query: URLSearchParams): boolean | undefined {
  const text = query.get("sendInitialEvents");
  const match = query.get("resourceVersionMatch") ?? "";
  if (text === null) {
    if (match !== "")
      throw badOption(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      );
    return undefined;
  }
  if (match === "")
    throw badOption(
      "resourceVersionMatch",
      "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    );
  if (match !== "NotOlderThan")
    throw invalid("meta.k8s.io", "ListOptions", "", [
      {
        reason: "FieldValueNotSupported",
        message: `Unsupported value: "${match}": supported values: "NotOlderThan"`,
        field: "resourceVersionMatch",
      },
    ]);
  return text === "true" || text === "1";
}
