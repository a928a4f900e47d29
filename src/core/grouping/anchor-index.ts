import type { Labels } from "../selector/labels.ts";
import type { Selector } from "../selector/selector.ts";

/**
 * Finds the selectors that may match a label set without trying all. Each selector is filed under one requirement that
 * its objects must meet, its anchor: an `In` under each of its values, else an `Exists` under its key.
 * Selectors without such a requirement ({} and purely negative ones) are candidates for every label set.
 */
export class AnchorIndex<T> {
  readonly #byPair = new Map<string, Map<string, Set<T>>>();
  readonly #byKey = new Map<string, Set<T>>();
  readonly #rest = new Set<T>();

  /** Files `item` under `selector`. Balanced by `remove` with the same arguments. */
  add(selector: Selector, item: T): void {
    this.#each(selector, (found) => found.add(item));
  }

  /** Takes `item` out. */
  remove(selector: Selector, item: T): void {
    this.#each(selector, (found) => found.delete(item));
    this.#prune(selector);
  }

  /**
   * The items whose selector may match an object with `labels`.
   * @yields each of them once
   */
  *candidates(labels: Labels): Generator<T, void, undefined> {
    yield* this.#rest;
    for (const key of Object.keys(labels)) {
      const value = labels[key] ?? "";
      yield* this.#byPair.get(key)?.get(value) ?? [];
      yield* this.#byKey.get(key) ?? [];
    }
  }

  /** Whether nothing is filed. */
  get isEmpty(): boolean {
    return this.#rest.size === 0 && this.#byKey.size === 0 && this.#byPair.size === 0;
  }

  #each(selector: Selector, visit: (found: Set<T>) => void): void {
    const anchor = anchorOf(selector);
    if (anchor === undefined) {
      visit(this.#rest);
    } else if (anchor.operator === "Exists") {
      visit(at(this.#byKey, anchor.key, () => new Set<T>()));
    } else {
      const byValue = at(this.#byPair, anchor.key, () => new Map<string, Set<T>>());
      for (const value of anchor.values) visit(at(byValue, value, () => new Set<T>()));
    }
  }

  #prune(selector: Selector): void {
    const anchor = anchorOf(selector);
    if (anchor === undefined) return;
    if (this.#byKey.get(anchor.key)?.size === 0) this.#byKey.delete(anchor.key);
    const byValue = this.#byPair.get(anchor.key);
    for (const value of anchor.values) {
      if (byValue?.get(value)?.size === 0) byValue.delete(value);
    }
    if (byValue?.size === 0) this.#byPair.delete(anchor.key);
  }
}

function anchorOf(selector: Selector): Selector["requirements"][number] | undefined {
  const ins = selector.requirements.filter(({ operator }) => operator === "In");
  const [narrowest] = ins.toSorted((a, b) => a.values.length - b.values.length);
  return narrowest ?? selector.requirements.find(({ operator }) => operator === "Exists");
}

/** The value at `key`, made when it is not there. */
export function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
