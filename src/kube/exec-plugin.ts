import { spawn } from "node:child_process";
import { Fault, errorText } from "../core/model/fault.ts";
import type { Clock } from "../runtime/clock.ts";
import { asObject, asText } from "./json.ts";
import type { ExecPlugin } from "./kubeconfig.ts";

/** What a plugin gave: a token, a client certificate with its key, or both. */
export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** `expirationTimestamp`, ms since the epoch. */
  readonly expiresAt: number | undefined;
}

/** A plugin that hangs is killed after this long. */
const TIME_LIMIT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** A credential is renewed this long before it expires. */
const RENEW_EARLY_MS = 15_000;

/**
 * Credentials from a plugin, kept until shortly before they expire.
 * However many requests wait, one process runs. It has a time limit, and its failure is a Fault `credentials`.
 */
export class ExecCredentials {
  readonly #plugin: ExecPlugin;
  readonly #clock: Clock;
  readonly #timeLimitMs: number;
  #running: Promise<ExecCredential> | undefined;
  #held: ExecCredential | undefined;
  /** Wall clock ms; credentials without an expiry are kept until distrusted. */
  #renewAt = Infinity;

  constructor(plugin: ExecPlugin, clock: Clock, timeLimitMs: number = TIME_LIMIT_MS) {
    this.#plugin = plugin;
    this.#clock = clock;
    this.#timeLimitMs = timeLimitMs;
  }

  /** The credential to use now. */
  async read(): Promise<ExecCredential> {
    if (this.#held !== undefined && this.#clock.now() < this.#renewAt) return this.#held;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The server refused it: the next `read` runs the plugin. */
  distrust(): void {
    this.#held = undefined;
  }

  async #run(): Promise<ExecCredential> {
    const { command, installHint } = this.#plugin;
    let output: string;
    try {
      output = await runPlugin(this.#plugin, this.#timeLimitMs);
    } catch (error) {
      const hint = installHint === "" ? "" : ` (${installHint})`;
      throw new Fault(
        "credentials",
        `run credential plugin "${command}": ${errorText(error)}${hint}`,
        {
          cause: error,
        },
      );
    }
    const credential = parseExecCredential(output, command);
    this.#held = credential;
    this.#renewAt = (credential.expiresAt ?? Infinity) - RENEW_EARLY_MS;
    return credential;
  }
}

function parseExecCredential(output: string, command: string): ExecCredential {
  const bad = (why: string): Fault =>
    new Fault("credentials", `credential plugin "${command}" ${why}`);
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw bad("did not print JSON");
  }
  const status = asObject(asObject(answer)?.["status"]);
  if (asObject(answer)?.["kind"] !== "ExecCredential" || status === undefined) {
    throw bad("did not print an ExecCredential with a status");
  }
  const expiry = asText(status["expirationTimestamp"]);
  const credential = {
    token: given(status["token"]),
    certificate: given(status["clientCertificateData"]),
    key: given(status["clientKeyData"]),
    expiresAt: expiry === "" ? undefined : Date.parse(expiry),
  };
  if (credential.token === undefined && credential.certificate === undefined) {
    throw bad("printed neither a token nor a certificate");
  }
  if ((credential.certificate === undefined) !== (credential.key === undefined)) {
    throw bad("printed a certificate without key, or a key without certificate");
  }
  if (Number.isNaN(credential.expiresAt)) {
    throw bad(`printed expirationTimestamp "${expiry}", not a time`);
  }
  return credential;
}

function given(value: unknown): string | undefined {
  const text = asText(value).trim();
  return text === "" ? undefined : text;
}

function runPlugin(plugin: ExecPlugin, timeLimitMs: number): Promise<string> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, cluster: plugin.clusterInfo },
  };
  return new Promise((resolve, reject) => {
    const child = spawn(plugin.command, [...plugin.args], {
      stdio: ["ignore", "pipe", "pipe"],
      // A process group of its own, so that what the plugin started is killed with it.
      detached: true,
      env: { ...process.env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
    });
    const output: Buffer[] = [];
    let outputBytes = 0;
    let complaint = "";
    const giveUp = (why: string): void => {
      clearTimeout(timer);
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new Error(why));
    };
    const timer = setTimeout(() => giveUp(`gave no answer within ${timeLimitMs} ms`), timeLimitMs);
    child.stdout.on("data", (piece: Buffer) => {
      outputBytes += piece.length;
      if (outputBytes > MAX_OUTPUT_BYTES) giveUp(`printed more than ${MAX_OUTPUT_BYTES} bytes`);
      else output.push(piece);
    });
    child.stderr.on("data", (piece: Buffer) => {
      complaint = (complaint + piece.toString("utf8")).slice(-500);
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(output).toString("utf8"));
      else reject(new Error(`ended with ${signal ?? `exit code ${code}`}: ${complaint.trim()}`));
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile.
  }
}
