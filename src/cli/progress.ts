import type { Clock } from "../runtime/clock.ts";

/** Nothing is shown before this long: quick commands stay quiet. */
const QUIET_MS = 1000;
const EVERY_MS = 500;

/** Where progress goes: standard error, or a double of it. */
export interface ProgressSink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Says how far a slow command is. On a terminal one line is rewritten; elsewhere lines follow one another. */
export class Progress {
  readonly #sink: ProgressSink;
  readonly #clock: Clock;
  readonly #startMs: number;
  #lastMs = 0;
  #isShown = false;

  constructor(sink: ProgressSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#startMs = clock.monotonic();
  }

  /** Tells the state of the work; prints it only now and then. */
  tell(what: string, done: number, total: number): void {
    const now = this.#clock.monotonic();
    if (now - this.#startMs < QUIET_MS || now - this.#lastMs < EVERY_MS) return;
    this.#lastMs = now;
    this.#isShown = true;
    const line = `${what}: ${done} of ${total}`;
    this.#sink.write(this.#sink.isTTY === true ? `\r${line}\u001B[K` : `${line}\n`);
  }

  /** Clears the line on a terminal. */
  end(): void {
    if (this.#isShown && this.#sink.isTTY === true) this.#sink.write("\r\u001B[K");
  }
}
