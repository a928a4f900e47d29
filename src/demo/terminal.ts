import type { ReadStream, WriteStream } from "node:tty";
import { paint, type Line } from "./line.ts";
import type { Size } from "./picture.ts";

const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";

/** What a terminal tells. */
export interface TerminalEvents {
  /** A key that was pressed, as it came. */
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

/** The whole terminal, from construction until `close`: it is given back as it was found, however the process ends. */
export class Terminal {
  readonly #stdin: ReadStream;
  readonly #stdout: WriteStream;
  readonly #colour: boolean;
  readonly #onData: (bytes: Buffer) => void;
  readonly #onResize: () => void;
  readonly #restore = (): void => this.close();
  #isOpen = true;
  #last = "";

  constructor(stdin: ReadStream, stdout: WriteStream, colour: boolean, events: TerminalEvents) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#colour = colour;
    this.#onData = (bytes) => {
      for (const key of bytes.toString("utf8")) events.onKey(key);
    };
    this.#onResize = () => {
      this.#last = "";
      events.onResize();
    };
    process.on("exit", this.#restore);
    // Before an error is printed, so that it can be read.
    process.on("uncaughtExceptionMonitor", this.#restore);
    stdout.write(ENTER);
    stdout.on("resize", this.#onResize);
    if (stdin.isTTY) {
      stdin.setRawMode(true);
      stdin.on("data", this.#onData).resume();
    }
  }

  /** Its present size. */
  get size(): Size {
    // A terminal that does not know its size says 0.
    return { columns: this.#stdout.columns || 80, rows: this.#stdout.rows || 24 };
  }

  /** Shows the lines, and nothing else. */
  draw(lines: readonly Line[]): void {
    if (!this.#isOpen) return;
    const text = lines.map((line) => `${paint(line, this.#colour)}\u001B[K`).join("\r\n");
    if (text === this.#last) return;
    this.#last = text;
    this.#stdout.write(`\u001B[H${text}\u001B[J`);
  }

  /** Gives the terminal back. May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off("exit", this.#restore);
    process.off("uncaughtExceptionMonitor", this.#restore);
    this.#stdout.off("resize", this.#onResize);
    if (this.#stdin.isTTY) {
      this.#stdin.off("data", this.#onData).pause();
      this.#stdin.setRawMode(false);
    }
    this.#stdout.write(LEAVE);
  }
}
