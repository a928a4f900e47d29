import type { Store } from "../core/reflector/store.ts";

/** A copy of a collection by key, which tells each difference as it takes it in. */
export class Mirror<T> implements Store<T> {
  readonly #items = new Map<string, T>();
  readonly #keyOf: (item: T) => string;
  readonly #onChange: (before: T | undefined, after: T | undefined) => void;
  #unseen: Set<string> | undefined;
  #isComplete = false;

  constructor(
    keyOf: (item: T) => string,
    onChange: (before: T | undefined, after: T | undefined) => void,
  ) {
    this.#keyOf = keyOf;
    this.#onChange = onChange;
  }

  /** Whether the collection was seen whole once. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** What the server has, as far as is known, by key. */
  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  beginList(): void {
    this.#unseen = new Set(this.#items.keys());
  }

  endList(): void {
    for (const key of this.#unseen ?? []) this.#set(key, undefined);
    this.#unseen = undefined;
    this.#isComplete = true;
  }

  abandonList(): void {
    this.#unseen = undefined;
  }

  put(item: T): void {
    const key = this.#keyOf(item);
    this.#unseen?.delete(key);
    this.#set(key, item);
  }

  remove(item: T): void {
    this.#set(this.#keyOf(item), undefined);
  }

  #set(key: string, after: T | undefined): void {
    const before = this.#items.get(key);
    if (after === undefined) this.#items.delete(key);
    else this.#items.set(key, after);
    if (before !== undefined || after !== undefined) this.#onChange(before, after);
  }
}
