import { fuzzPods } from "../../test/support/fuzz-pods.ts";

/*
 * Feeds damaged lists and watches to the protobuf decoder:
 *
 *     node --import ./test/support/typescript.mjs bench/fuzz/main.ts [SECONDS] [SEED]
 */
const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  throw new Error(
    `fuzz: expected seconds and a whole number as seed, got ${process.argv.slice(2).join(" ")}`,
  );
}
process.stdout.write(`seed ${seed}, ${seconds} s\n`);
const { runs, refused, slowestMs } = fuzzPods(seed, seconds * 1_000);
process.stdout.write(
  `${runs} damaged answers, ${refused} refused, ${runs - refused} read as a plain decoder reads them; slowest ${slowestMs.toFixed(1)} ms\n`,
);
