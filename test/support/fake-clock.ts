import type { CancelTimer, Clock } from "../../src/runtime/clock.ts";

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that a test moves; timers fire in order while it moves. */
export class FakeClock implements Clock {
  #time = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();
  readonly #epoch: number;

  constructor(epoch: number = Date.parse("2026-01-01T00:00:00Z")) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#epoch + this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  after(delayMs: number, callback: () => void): CancelTimer {
    const timer = { due: this.#time + delayMs, order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time by `ms`, firing what falls due, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers]
        .filter((timer) => timer.due <= end)
        .toSorted((a, b) => a.due - b.due || a.order - b.order)[0];
      if (next === undefined) break;
      this.#time = Math.max(this.#time, next.due);
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#time = end;
  }
}

/** Lets every promise that can settle now do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
