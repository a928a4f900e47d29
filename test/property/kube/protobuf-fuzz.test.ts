import { expect, test } from "@jest/globals";
import { fuzzPods } from "../../support/fuzz-pods.ts";

const FUZZ_MS = 30_000;

test("damaged lists and watches are refused, or read as a plain decoder reads them", () => {
  // A finding names its seed; bench/fuzz takes it, and goes on for longer.
  const { runs, refused } = fuzzPods(Date.now() % 2 ** 31, FUZZ_MS);
  expect(refused).toBeGreaterThan(0);
  expect(runs).toBeGreaterThan(refused);
}, 120_000);
