import type { Store } from "../../src/core/reflector/store.ts";

/** A Store of named things that checks the order of calls and keeps what a copy would hold. */
export class RecordingStore implements Store<string> {
  readonly items = new Set<string>();
  /** Whole lists so far. */
  completed = 0;
  abandoned = 0;
  #listed: Set<string> | undefined;

  beginList(): void {
    if (this.#listed !== undefined) throw new Error("beginList within a list");
    this.#listed = new Set();
  }

  endList(): void {
    if (this.#listed === undefined) throw new Error("endList without a list");
    for (const item of this.items) if (!this.#listed.has(item)) this.items.delete(item);
    this.#listed = undefined;
    this.completed++;
  }

  abandonList(): void {
    if (this.#listed === undefined) throw new Error("abandonList without a list");
    this.#listed = undefined;
    this.abandoned++;
  }

  put(item: string): void {
    this.items.add(item);
    this.#listed?.add(item);
  }

  remove(item: string): void {
    this.items.delete(item);
  }
}
