/**
 * Plays generated histories of test/support/histories.ts, many more than the tests do:
 *
 *     node --import ./test/support/typescript.mjs bench/histories/main.ts [COUNT [SEED]]
 *
 * Prints the seed, and the rate at the end. A history that fails is shrunk, printed, and ends the run with code 1; the
 * same COUNT and SEED play the same histories again.
 */
import fc from "fast-check";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { histories, play } from "../../test/support/histories.ts";

/** Histories between two words of progress, and the size of a piece of work. */
const CHUNK = 5_000;

interface Share {
  readonly seeds: readonly number[];
  readonly runs: readonly number[];
}

/** One run of fast-check; undefined, or the report of a failure. */
function check(seed: number, numRuns: number): string | undefined {
  const property = fc.property(histories, (history) => {
    const wrong = play(history);
    if (wrong !== undefined) throw new Error(wrong);
  });
  const result = fc.check(property, { seed, numRuns });
  return result.failed ? fc.defaultReportMessage(result) : undefined;
}

function work({ seeds, runs }: Share): void {
  for (const [index, seed] of seeds.entries()) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    parentPort?.postMessage(check(seed, runs[index] ?? 0) ?? runs[index]);
  }
}

function positive(text: string | undefined, name: string, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`${name} is "${text}", but must be a whole number of at least 1`);
  }
  return value;
}

async function main(): Promise<void> {
  const count = positive(process.argv[2], "COUNT", 1_000_000);
  const seed = positive(process.argv[3], "SEED", 1 + Math.floor(Math.random() * 2 ** 30));
  process.stdout.write(`${count} histories, seed ${seed}\n`);
  const shares = Array.from({ length: Math.min(availableParallelism(), 4) }, () => ({
    seeds: [] as number[],
    runs: [] as number[],
  }));
  for (let done = 0, piece = 0; done < count; done += CHUNK, piece++) {
    const share = shares[piece % shares.length];
    share?.seeds.push(seed + piece);
    share?.runs.push(Math.min(CHUNK, count - done));
  }
  const begun = performance.now();
  let played = 0;
  await Promise.all(
    shares.map(
      async (share) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL(import.meta.url), { workerData: share });
          worker.on("message", (message: number | string) => {
            if (typeof message === "string") {
              process.stdout.write(`${message}\n`);
              process.exit(1);
            }
            played += message;
            if (played % 100_000 < CHUNK) process.stderr.write(`${played}\n`);
          });
          worker.once("error", reject);
          worker.once("exit", () => resolve());
        }),
    ),
  );
  const seconds = (performance.now() - begun) / 1_000;
  if (played !== count) throw new Error(`${played} of ${count} histories were played`);
  process.stdout.write(
    `${played} histories, all right, in ${seconds.toFixed(0)} s: ${Math.round(played / seconds)} a second\n`,
  );
}

if (isMainThread) await main();
else work(workerData as Share);
