import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** A program to run under the supervisor. */
export interface Program {
  /** One word; unique among those that run. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** File that its output is appended to. */
  readonly log: string;
}

type Event =
  | { readonly started: string; readonly pid: number }
  | { readonly ended: string; readonly how: string };

/** A program that runs, or ran. */
export class Running {
  readonly #send: (command: object) => void;
  readonly #name: string;
  #how: string | undefined;
  /** Undefined if it could not be started. */
  pid: number | undefined;
  /** Resolves when it has ended. */
  readonly end: Promise<void>;
  /** Called once by the owner with how it ended. */
  readonly setEnded: (how: string) => void;

  constructor(name: string, send: (command: object) => void) {
    this.#name = name;
    this.#send = send;
    let resolve = (): void => undefined;
    this.end = new Promise<void>((done) => {
      resolve = done;
    });
    this.setEnded = (how) => {
      this.#how ??= how;
      resolve();
    };
  }

  /** How it ended, e.g. `code 1` or `signal SIGKILL`; undefined while it runs. */
  get ended(): string | undefined {
    return this.#how;
  }

  /** Sends a signal; of no effect once it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#how === undefined) this.#send({ signal, to: this.#name });
  }
}

/**
 * The parent's side of supervisor.mjs: one supervisor process, which ends its programs and removes
 * `folder` when told to, and also when this process dies in whatever way.
 */
export class Supervised {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #running = new Map<string, Running>();
  readonly #gone: Promise<void>;

  constructor(folder: string) {
    const program = fileURLToPath(new URL("supervisor.mjs", import.meta.url));
    // Its own process group: a signal to ours must leave it alive to clean up.
    this.#process = spawn(process.execPath, [program, folder], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.#process.stdin.on("error", () => undefined);
    this.#gone = new Promise((resolve) => {
      this.#process.on("close", () => {
        for (const one of this.#running.values()) one.setEnded("supervisor ended");
        resolve();
      });
    });
    createInterface({ input: this.#process.stdout }).on("line", (line) =>
      this.#on(JSON.parse(line) as Event),
    );
  }

  /** Starts a program. One of this name must not be running. */
  run({ name, path, args, log }: Program): Running {
    const running = new Running(name, (command) => this.#send(command));
    this.#running.set(name, running);
    this.#send({ run: name, program: path, args, log });
    return running;
  }

  /** Ends every program and removes the folder; resolves when both are done. */
  async end(): Promise<void> {
    this.#process.stdin.end();
    await this.#gone;
  }

  #send(command: object): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #on(event: Event): void {
    if ("started" in event) {
      const running = this.#running.get(event.started);
      if (running !== undefined) running.pid = event.pid;
    } else {
      this.#running.get(event.ended)?.setEnded(event.how);
      this.#running.delete(event.ended);
    }
  }
}
