import { writeSync } from "node:fs";

/** @typedef {import("@jest/test-result").AggregatedResult} Results */

/**
 * A Jest reporter whose last line on stdout is `N passed, N failed, N skipped`, of tests. A file that
 * could not run counts as one failed, as does a run that was cut short or executed nothing. Before it,
 * once each, come the reasons for which whole tiers were skipped (tier.ts).
 */
// Jest takes a reporter from the default export only.
// oxlint-disable-next-line import/no-default-export
export default class ClosingLine {
  #lines = ["the run ended before its tests did", "0 passed, 1 failed, 0 skipped"];
  /** @type {Error | undefined} */
  #error;

  constructor() {
    // Whatever Jest still has to say comes first.
    process.once("exit", () => writeSync(1, `${this.#lines.join("\n")}\n`));
  }

  /**
   * @param {unknown} _files
   * @param {Results} results
   */
  onRunComplete(_files, results) {
    this.#lines = closingLines(results);
    if (problemOf(results) !== undefined) this.#error = new Error(problemOf(results));
  }

  /** What makes Jest end with a code other than 0 although no test failed. */
  getLastError() {
    return this.#error;
  }
}

/**
 * The last lines for these results: reasons first, then the counts.
 *
 * @param {Results} results
 */
export function closingLines(results) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = results;
  const problem = problemOf(results);
  const failed = numFailedTests + brokenFiles(results) + (problem === undefined ? 0 : 1);
  const skipped = numPendingTests + numTodoTests;
  return [
    ...skipReasons(results.testResults),
    ...(problem === undefined ? [] : [problem]),
    `${numPassedTests} passed, ${failed} failed, ${skipped} skipped`,
  ];
}

/** @param {Results} results */
function problemOf(results) {
  if (results.wasInterrupted) return "the run was interrupted";
  const executed = results.numPassedTests + results.numFailedTests + brokenFiles(results);
  return executed === 0 ? "no test was executed" : undefined;
}

/**
 * Files that could not run, or failed outside of their tests.
 *
 * @param {Results} results
 */
function brokenFiles(results) {
  return results.testResults.filter((file) => file.testExecError !== undefined).length;
}

/** @param {Results["testResults"]} files */
function skipReasons(files) {
  /** @type {Set<string>} */
  const reasons = new Set();
  for (const { testResults } of files) {
    for (const { status, ancestorTitles } of testResults) {
      if (status !== "pending") continue;
      for (const title of ancestorTitles) {
        const reason = /\[(skipped: .*)\]$/.exec(title)?.[1];
        if (reason !== undefined) reasons.add(reason);
      }
    }
  }
  return [...reasons];
}
