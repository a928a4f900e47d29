/** One change of a collection, as a watch tells it. `bookmark` carries no object, only progress. */
export type WatchEvent<T> =
  | { readonly kind: "put"; readonly item: T; readonly resourceVersion: string }
  | { readonly kind: "remove"; readonly item: T; readonly resourceVersion: string }
  | { readonly kind: "bookmark"; readonly resourceVersion: string };

/** How a page of a list ended. */
export interface ListPage {
  /** The collection's version, equal on all pages of one list. */
  readonly resourceVersion: string;
  /** Token of the next page, or "" on the last. */
  readonly continueToken: string;
}

/**
 * What a Reflector writes: a copy of the collection.
 * Calls come one at a time. A list is `beginList`, any number of `put`, then `endList` or `abandonList`;
 * while it runs, `put` is already the truth for that item, and nothing is absent before `endList`.
 */
export interface Store<T> {
  beginList(): void;
  /** The list is complete: what was not put since `beginList` does not exist any more. */
  endList(): void;
  /** The list failed half way: nothing may be concluded from what it did not hold. */
  abandonList(): void;
  /** The item exists, and this is its state now. May repeat what is known. */
  put(item: T): void;
  /** The item is gone; `item` is its last state. May name an unknown item. */
  remove(item: T): void;
}
