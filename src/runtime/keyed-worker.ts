import PQueue from "p-queue";
import type { CancelTimer, Clock } from "./clock.ts";

/** What one run of a key's work came to. */
export type WorkResult =
  | { readonly kind: "done" }
  /** Not wrong, but to be looked at again. */
  | { readonly kind: "again"; readonly delayMs: number }
  /** To be tried again after the key's backoff, or after `atLeastMs` when that is longer. */
  | { readonly kind: "retry"; readonly atLeastMs?: number };

/** Settings of a KeyedWorker. */
export interface KeyedWorkerOptions<K extends string> {
  /** Does what `key` needs now; must not throw for anything that is expected to happen. */
  readonly work: (key: K) => Promise<WorkResult>;
  readonly clock: Clock;
  /** A number from 0 to 1, anew at each call: the jitter of backoff. */
  readonly random: () => number;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /** A key that was worked on is not worked on again within this time; changes meanwhile are taken together. */
  readonly windowMs: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
  /** Called when `work` throws: a bug. The key is retried all the same. */
  readonly onBug: (key: K, error: unknown) => void;
}

interface KeyState {
  /** Queued or running, so that a further request need not start another run. */
  phase: "waiting" | "queued" | "running";
  /** Asked for again while running. */
  again: boolean;
  failures: number;
  /** Earliest time of the next run, monotonic. */
  notBefore: number;
  cancelTimer: CancelTimer | undefined;
}

/**
 * Runs work by key: one run of a key at a time, requests for a key coalesced, keys isolated from one another.
 * The first request after a quiet spell runs at once; memory is bounded by the number of keys.
 */
export class KeyedWorker<K extends string> {
  readonly #options: KeyedWorkerOptions<K>;
  readonly #queue: PQueue;
  readonly #keys = new Map<K, KeyState>();
  #stopped = false;

  constructor(options: KeyedWorkerOptions<K>) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Keys that wait, are queued or run. */
  get depth(): number {
    return this.#keys.size;
  }

  /** Asks for a run of `key`: at once, or when its window or backoff ends. */
  add(key: K): void {
    if (this.#stopped) return;
    const state = this.#keys.get(key);
    if (state === undefined) {
      this.#keys.set(key, {
        phase: "queued",
        again: false,
        failures: 0,
        notBefore: 0,
        cancelTimer: undefined,
      });
      this.#enqueue(key);
    } else if (state.phase === "running") {
      state.again = true;
    } else if (state.phase === "waiting") {
      this.#wait(key, state, state.notBefore);
    }
  }

  /** Stops taking requests, drops those that wait, and resolves when the runs under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const state of this.#keys.values()) state.cancelTimer?.();
    this.#queue.clear();
    await this.#queue.onIdle();
  }

  #enqueue(key: K): void {
    void this.#queue.add(async () => this.#run(key));
  }

  async #run(key: K): Promise<void> {
    const state = this.#keys.get(key);
    if (state === undefined || this.#stopped) return;
    state.phase = "running";
    state.again = false;
    let result: WorkResult;
    try {
      result = await this.#options.work(key);
    } catch (error) {
      this.#options.onBug(key, error);
      result = { kind: "retry" };
    }
    if (!this.#stopped) this.#settle(key, state, result);
  }

  #settle(key: K, state: KeyState, result: WorkResult): void {
    const now = this.#options.clock.monotonic();
    state.phase = "waiting";
    if (result.kind === "retry") {
      const { minMs, maxMs } = this.#options.backoff;
      const ceiling = Math.min(maxMs, minMs * 2 ** state.failures);
      state.failures++;
      const delayMs = ceiling * (0.5 + this.#options.random() / 2);
      state.notBefore = now + Math.max(delayMs, result.atLeastMs ?? 0);
      this.#wait(key, state, state.notBefore);
      return;
    }
    state.failures = 0;
    state.notBefore = now + this.#options.windowMs;
    if (state.again) this.#wait(key, state, state.notBefore);
    else if (result.kind === "again") this.#wait(key, state, now + result.delayMs);
    else this.#wait(key, state, state.notBefore, true);
  }

  /** Runs `key` at `due`; or, when it only rests, forgets it then. */
  #wait(key: K, state: KeyState, due: number, rests = false): void {
    state.cancelTimer?.();
    const delayMs = Math.max(0, due - this.#options.clock.monotonic());
    state.cancelTimer = this.#options.clock.after(delayMs, () => {
      state.cancelTimer = undefined;
      if (rests) {
        this.#keys.delete(key);
      } else {
        state.phase = "queued";
        this.#enqueue(key);
      }
    });
  }
}
