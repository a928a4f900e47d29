import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { POD_RANGE, REMOTE } from "./membership.ts";

/** A line of the operator's log, as far as the demo looks at it. */
export interface OperatorLine {
  readonly level: string;
  readonly message: string;
}

/** How to run an operator. */
export interface OperatorOptions {
  /** The command line of `wayleave`, to which `operator` and its flags are added. */
  readonly command: readonly [string, ...string[]];
  /** Kubeconfig files. */
  readonly remote: string;
  readonly local: string;
  readonly onLine: (line: OperatorLine) => void;
}

/** How long the operator may take to end before it is killed. */
const STOP_MS = 10_000;

/** The real operator, as a process of its own. */
export class OperatorChild {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #last = "";

  constructor({ command: [program, ...args], remote, local, onLine }: OperatorOptions) {
    this.#child = spawn(
      program,
      [
        ...args,
        "operator",
        `--target-cluster-name=${REMOTE}`,
        `--target-kube-config=${remote}`,
        `--local-kube-config=${local}`,
        `--remote-pod-cidr=${POD_RANGE}`,
        "--empty-set-grace=20s",
        "--metrics-bind-address=127.0.0.1:0",
      ],
      { stdio: ["ignore", "ignore", "pipe"], env: ownEnvironment() },
    );
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      // "close" and not "exit": the last line is read by then.
      this.#child.once("close", (code, signal) =>
        resolve(`${signal ?? `exit code ${code}`}${this.#last === "" ? "" : `: ${this.#last}`}`),
      );
    });
    if (this.#child.stderr === null) return;
    createInterface({ input: this.#child.stderr }).on("line", (text) => {
      const line = parseLine(text);
      if (line === undefined) this.#last = text;
      else onLine(line);
    });
  }

  /** Resolves when it has ended, with how and its last words. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
    this.#child.kill("SIGTERM");
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends it at once, when this process has no time left. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The environment without the operator's own settings, which are not meant for this one. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(WAYLEAVE|KPS|SP)_/.test(name)),
  );
}

function parseLine(text: string): OperatorLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<OperatorLine>;
    return { level: String(line.level), message: String(line.message) };
  } catch {
    return undefined;
  }
}
