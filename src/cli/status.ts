import type { Command } from "commander";
import { Fault } from "../core/model/fault.ts";
import { parseDuration } from "../core/options/duration.ts";
import type { Status } from "../operator/api-objects.ts";
import { sleep, systemClock } from "../runtime/clock.ts";
import { EXIT } from "./exit.ts";
import { orUsage } from "./inspect.ts";
import { addPrintOptions, printer, type PrintFlags } from "./print.ts";
import { addSourceOptions, type Source } from "./source.ts";
import { isWell, statusText, statusWarnings } from "./status-text.ts";

interface StatusFlags extends PrintFlags {
  readonly wait?: boolean;
  readonly timeout: string;
}

const POLL_MS = 1_000;

function timeoutOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new Fault("bad-request", `--timeout "${text}": expected a duration like 90s or 5m`);
  }
  return ms;
}

/** The status once all is well; undefined when that takes longer than `timeoutMs`. */
async function waitUntilWell(source: Source, timeoutMs: number): Promise<Status | undefined> {
  const endMs = systemClock.monotonic() + timeoutMs;
  for (;;) {
    try {
      const status = await source.status();
      if (isWell(status)) return status;
    } catch (error) {
      // The operator may just be starting.
      if (systemClock.monotonic() >= endMs) throw error;
    }
    if (systemClock.monotonic() >= endMs) return undefined;
    await sleep(systemClock, POLL_MS, new AbortController().signal);
  }
}

async function statusAction(openSource: () => Source, flags: StatusFlags): Promise<number> {
  const print = printer(flags);
  const timeoutMs = timeoutOf(flags.timeout);
  const source = openSource();
  const awaited = flags.wait === true ? await waitUntilWell(source, timeoutMs) : undefined;
  const status = awaited ?? (await source.status());
  const names = (): string[] => status.remotes.map(({ name }) => `remotecluster/${name}`);
  process.stdout.write(print({ value: status, text: (style) => statusText(status, style), names }));
  for (const warning of statusWarnings(status)) process.stderr.write(`warning: ${warning}\n`);
  if (flags.wait === true && awaited === undefined) return EXIT.timeout;
  return isWell(status) ? EXIT.ok : EXIT.negative;
}

/** `wayleave status`: how the operator and its links are doing. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command("status")
    .description(
      "show how each remote cluster is followed: link, last event, lag, pods, sets, credential; exit code 1 when a link is not Synced",
    );
  addPrintOptions(command)
    .option("--wait", "wait until every link is Synced; exit code 124 when that takes too long")
    .option("--timeout <duration>", "how long --wait waits", "5m");
  const openSource = addSourceOptions(command);
  command.action(async (flags: StatusFlags) =>
    orUsage(async () => statusAction(openSource, flags)),
  );
}
