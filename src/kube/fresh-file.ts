import { readFile } from "node:fs/promises";
import { Fault, errorText } from "../core/model/fault.ts";
import type { Clock } from "../runtime/clock.ts";

/** A small file that someone else replaces now and then (a token, a CA): its content, at most `maxAgeMs` old. */
export class FreshFile {
  readonly path: string;
  readonly #what: string;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  #content: string | undefined;
  #readAt = 0;

  /** `what` names the file in errors, e.g. `token file`. */
  constructor(what: string, path: string, clock: Clock, maxAgeMs: number) {
    this.path = path;
    this.#what = what;
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * The content. While the file cannot be read, the last one, unless `distrust` was called since;
   * without one, a Fault `credentials` that names the file.
   */
  async read(): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#content !== undefined && now - this.#readAt < this.#maxAgeMs) return this.#content;
    try {
      this.#content = await readFile(this.path, "utf8");
    } catch (error) {
      if (this.#content === undefined) {
        throw new Fault("credentials", `read ${this.#what} "${this.path}": ${errorText(error)}`, {
          cause: error,
        });
      }
    }
    this.#readAt = now;
    return this.#content;
  }

  /** The server refused what it said: the next `read` must look again. */
  distrust(): void {
    this.#content = undefined;
  }
}
