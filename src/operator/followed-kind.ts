import type { Named } from "../calico/datastore.ts";
import { faultCode } from "../core/model/fault.ts";
import type { Seen } from "../core/plan/calico-mode.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import { Reflector, type LinkFacts } from "../runtime/reflector.ts";

/** What a FollowedKind is made of. */
export interface FollowedKindOptions<T> {
  readonly source: ListWatch<Named<T>>;
  readonly clock: Clock;
  readonly random: () => number;
  /** What is seen may have changed; called synchronously. Must not throw. */
  readonly onChange: () => void;
}

/**
 * Follows a few objects of a kind that a cluster need not serve, nor let us read. What was once known stays known when
 * the server fails or refuses later; only a 404 of the collection takes it back.
 */
export class FollowedKind<T> {
  readonly #reflector: Reflector<Named<T>>;
  readonly #onChange: () => void;
  readonly #items = new Map<string, T>();
  #unseen = new Set<string>();
  #seen: Seen<ReadonlyMap<string, T>> = { kind: "unknown", why: "no answer yet" };

  constructor(options: FollowedKindOptions<T>) {
    this.#onChange = options.onChange;
    this.#reflector = new Reflector<Named<T>>({
      source: options.source,
      store: {
        beginList: () => void (this.#unseen = new Set(this.#items.keys())),
        put: ({ name, value }) => {
          this.#items.set(name, value);
          this.#unseen.delete(name);
          this.#changed();
        },
        remove: ({ name }) => {
          this.#items.delete(name);
          this.#changed();
        },
        endList: () => {
          for (const name of this.#unseen) this.#items.delete(name);
          this.#unseen.clear();
          this.#seen = { kind: "known", value: this.#items };
          this.#onChange();
        },
        abandonList: () => this.#unseen.clear(),
      },
      clock: options.clock,
      random: options.random,
      onLink: (facts) => this.#note(facts),
    });
  }

  /** The objects by name. The map is live. */
  get seen(): Seen<ReadonlyMap<string, T>> {
    return this.#seen;
  }

  /** Follows until `signal` aborts; rejects only with what `onChange` threw. May be called once. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#reflector.run(signal);
  }

  #changed(): void {
    if (this.#seen.kind === "known") this.#onChange();
  }

  #note({ isHealthy, lastFault }: LinkFacts): void {
    if (isHealthy || lastFault === undefined) return;
    const code = faultCode(lastFault);
    const why = lastFault.message;
    if (code === "not-found") this.#seen = { kind: "absent" };
    else if (this.#seen.kind === "known") return;
    else if (code === "forbidden") this.#seen = { kind: "forbidden", why };
    else if (this.#seen.kind === "unknown") this.#seen = { kind: "unknown", why };
    else return;
    this.#onChange();
  }
}
