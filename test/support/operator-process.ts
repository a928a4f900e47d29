import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A line of the operator's log. */
export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
};

/** How a program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line to its end. */
export async function runWayleave(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...bareEnv(), ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

function bareEnv(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };
}

/** A running `wayleave operator`. */
export class OperatorProcess {
  readonly #child: ChildProcess;
  readonly log: LogLine[] = [];
  readonly #unparsed: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stderr === null) throw new Error("stderr is a pipe");
    createInterface({ input: child.stderr }).on("line", (line) => {
      try {
        this.log.push(JSON.parse(line) as LogLine);
      } catch {
        this.#unparsed.push(line);
      }
    });
  }

  /** Starts the built operator with probes on a free port of 127.0.0.1; resolves once they are served. */
  static async start(
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<OperatorProcess> {
    const args = [MAIN, "operator", "--metrics-bind-address=127.0.0.1:0", ...flags];
    const child = spawn(process.execPath, args, {
      env: { ...bareEnv(), ...env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const operator = new OperatorProcess(child);
    await eventually(() => operator.port);
    return operator;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Port of probes and metrics; throws while there is none. */
  get port(): number {
    const line = this.log.find(({ message }) => message === "probes and metrics served");
    if (line === undefined) {
      throw new Error(`operator serves no probes\n${this.#unparsed.join("\n")}`);
    }
    return line["port"] as number;
  }

  /** Lines with `message`. */
  lines(message: string): LogLine[] {
    return this.log.filter((line) => line.message === message);
  }

  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** The value of one series, e.g. `wayleave_sets{remote_cluster="a"}`; undefined when there is none. */
  async metric(series: string): Promise<number | undefined> {
    const { body } = await this.get("/metrics");
    const line = body.split("\n").find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** Sends `signal` and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number | null; tookMs: number }> {
    const begun = Date.now();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill(signal);
      await ended;
    }
    return { code: this.#child.exitCode, tookMs: Date.now() - begun };
  }
}
