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
  | { readonly signalled: string }
  | { readonly ended: string; readonly how: string };

/** A program that runs, or ran. */
export class Running {
  readonly #name: string;
  readonly #send: (command: object) => void;
  readonly #signals: (() => void)[] = [];
  #ended: string | undefined;
  #resolveEnd: () => void = () => undefined;
  /** Resolves when it has ended. */
  readonly end: Promise<void>;
  /** Undefined before it is known. */
  pid: number | undefined;

  constructor(name: string, send: (command: object) => void) {
    this.#name = name;
    this.#send = send;
    this.end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  /** How it ended, e.g. `code 1` or `signal SIGKILL`; undefined while it runs. */
  get ended(): string | undefined {
    return this.#ended;
  }

  /** Sends a signal; resolves when that has happened. Of no effect once it has ended. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended !== undefined) return;
    const sent = new Promise<void>((resolve) => void this.#signals.push(resolve));
    this.#send({ signal, to: this.#name });
    await Promise.race([sent, this.end]);
  }

  /** For the owner: the supervisor has sent the oldest signal. */
  onSignalled(): void {
    this.#signals.shift()?.();
  }

  /** For the owner: it has ended, and how. */
  onEnded(how: string): void {
    this.#ended ??= how;
    this.#resolveEnd();
  }
}

/**
 * The parent's side of supervisor.mjs: one supervisor process, which ends its programs and removes
 * `folder` when told to, and also when this process dies in whatever way, or the one that forked it.
 */
export class Supervised {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #running = new Map<string, Running>();
  readonly #gone: Promise<void>;

  constructor(folder: string) {
    const program = fileURLToPath(new URL("supervisor.mjs", import.meta.url));
    // A worker of Jest runs its file to the end although Jest was killed: then we end with Jest.
    const runner = process.connected ? [String(process.ppid)] : [];
    // Its own process group: a signal to ours must leave it alive to clean up.
    this.#process = spawn(process.execPath, [program, folder, ...runner], {
      stdio: ["pipe", "pipe", "inherit"],
      detached: true,
    });
    this.#process.stdin.on("error", () => undefined);
    this.#gone = new Promise((resolve) => {
      this.#process.on("close", () => {
        for (const one of this.#running.values()) one.onEnded("supervisor ended");
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
    } else if ("signalled" in event) {
      this.#running.get(event.signalled)?.onSignalled();
    } else {
      this.#running.get(event.ended)?.onEnded(event.how);
      this.#running.delete(event.ended);
    }
  }
}
