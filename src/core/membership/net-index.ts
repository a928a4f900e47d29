import { setIdOf, type SetKey } from "./set-id.ts";

const NONE: readonly SetKey[] = [];

/** In which sets an address is, to see when two clusters claim it. Most addresses are in one set, and cost one Map entry. */
export class NetIndex {
  readonly #where = new Map<string, SetKey | Set<SetKey>>();
  readonly #contested = new Map<string, ReadonlySet<SetKey>>();

  get size(): number {
    return this.#where.size + this.#contested.size;
  }

  get hasContested(): boolean {
    return this.#contested.size > 0;
  }

  /** Addresses that sets of two clusters or more claim, with those sets. */
  get contested(): ReadonlyMap<string, ReadonlySet<SetKey>> {
    return this.#contested;
  }

  isContested(net: string): boolean {
    return this.#contested.has(net);
  }

  /** `net` joined `set`. Returns the sets that lose it because it became contested. */
  add(net: string, set: SetKey): Iterable<SetKey> {
    const before = this.#where.get(net);
    if (before === undefined) {
      this.#where.set(net, set);
      return NONE;
    }
    const sets = typeof before === "string" ? new Set([before]) : before;
    sets.add(set);
    this.#where.set(net, sets);
    const wasContested = this.#contested.has(net);
    if (!wasContested && clusters(sets) > 1) {
      this.#contested.set(net, sets);
      return sets;
    }
    return NONE;
  }

  /** `net` left `set`. Returns the sets that get it back because it is contested no more. */
  remove(net: string, set: SetKey): Iterable<SetKey> {
    const before = this.#where.get(net);
    if (before === undefined || typeof before === "string") {
      this.#where.delete(net);
      return NONE;
    }
    before.delete(set);
    const [only] = before;
    if (before.size === 1 && only !== undefined) this.#where.set(net, only);
    if (!this.#contested.has(net) || clusters(before) > 1) return NONE;
    this.#contested.delete(net);
    return before;
  }
}

function clusters(sets: ReadonlySet<SetKey>): number {
  return new Set([...sets].map((set) => setIdOf(set).cluster)).size;
}
