import type { ListPage, WatchEvent } from "../core/reflector/store.ts";

/** What a Reflector reads: one collection of one server. All calls reject with a Fault. */
export interface ListWatch<T> {
  /**
   * Reads one page and gives each item to `onItem` as it is decoded.
   * `resourceVersion` "" asks for the most recent state; otherwise not older than it (`NotOlderThan`).
   * With a `continueToken` it is "": the token holds the version.
   * A rejected or aborted call may have given some items: they are facts, but not the whole.
   */
  list(request: {
    readonly resourceVersion: string;
    readonly continueToken: string;
    readonly limit: number;
    readonly signal: AbortSignal;
    /** Called for every piece of the answer that arrives, decoded or not: the connection is alive. */
    readonly onBytes: () => void;
    readonly onItem: (item: T) => void;
  }): Promise<ListPage>;

  /**
   * Follows changes after `resourceVersion`, bookmarks included, until the server ends the stream (resolves),
   * the stream fails (rejects), or `signal` aborts (rejects with code `aborted`).
   * Rejects with code `gone` when the version is too old, whether told by status 410 or by an ERROR event.
   */
  watch(request: {
    readonly resourceVersion: string;
    readonly timeoutSeconds: number;
    readonly signal: AbortSignal;
    readonly onBytes: () => void;
    readonly onOpen: () => void;
    readonly onEvent: (event: WatchEvent<T>) => void;
  }): Promise<void>;

  /**
   * Asks for the version of the most recent state, by a list of at most one object that no cache may answer from the past.
   * Sent while a watch is open, and leaves that alone. The caller limits its time by `signal`.
   */
  probe(request: { readonly signal: AbortSignal }): Promise<{ readonly resourceVersion: string }>;
}
