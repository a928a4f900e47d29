/**
 * Owns the processes and the data folder of one control plane, and outlives whoever asked for them:
 *
 *     node supervisor.mjs DATA_FOLDER [PID]
 *
 * stdin, a JSON object per line:  {"run": NAME, "program": PATH, "args": [..], "log": PATH}
 *                                 {"signal": SIGNAL, "to": NAME}
 * stdout, a JSON object per line: {"started": NAME, "pid": N}
 *                                 {"signalled": NAME}
 *                                 {"ended": NAME, "how": "code 1" | "signal SIGKILL" | message}
 *
 * When stdin closes, for whatever reason (a killed parent included), or when process PID is no more, it
 * kills every process, removes the data folder, and ends. Plain JavaScript, so that it starts at once.
 */
import { spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";

const [, , folder, watchedPid] = process.argv;
if (folder === undefined) throw new Error("supervisor: no data folder named");
const watchMs = 500;

/**
 * @typedef {{ run: string, program: string, args: string[], log: string }} RunCommand
 * @typedef {{ signal: NodeJS.Signals, to: string }} SignalCommand
 */

/** @type {Map<string, import("node:child_process").ChildProcess>} */
const running = new Map();

// A terminal's Ctrl-C is for the parent; we end when its pipe closes.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
process.stdout.on("error", () => {});

/** @param {object} event */
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

/** @param {RunCommand} command */
function run({ run: name, program, args, log }) {
  const output = openSync(log, "a", 0o600);
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", output, output] });
  closeSync(output);
  running.set(name, child);
  let ended = false;
  const end = (/** @type {string} */ how) => {
    if (ended) return;
    ended = true;
    running.delete(name);
    tell({ ended: name, how });
  };
  child.on("spawn", () => tell({ started: name, pid: child.pid }));
  child.on("error", (error) => end(error.message));
  child.on("exit", (code, signal) => end(code === null ? `signal ${signal}` : `code ${code}`));
}

const lines = createInterface({ input: process.stdin });
if (watchedPid !== undefined) {
  setInterval(() => {
    try {
      process.kill(Number(watchedPid), 0);
    } catch {
      lines.close();
    }
  }, watchMs);
}
for await (const line of lines) {
  const command = /** @type {RunCommand | SignalCommand} */ (JSON.parse(line));
  if ("run" in command) run(command);
  else {
    running.get(command.to)?.kill(command.signal);
    tell({ signalled: command.to });
  }
}

const ends = [...running.values()].map(
  (child) => new Promise((resolve) => child.once("exit", resolve)),
);
for (const child of running.values()) child.kill("SIGKILL");
await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, 5000))]);
await rm(folder, { recursive: true, force: true, maxRetries: 5 });
process.exit(0);
