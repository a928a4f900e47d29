import { expect, test } from "@jest/globals";
import type { AggregatedResult } from "@jest/test-result";
import { closingLines } from "../../support/closing-line.mjs";

const none = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  wasInterrupted: false,
  testResults: [],
};

function lines(results: object): string[] {
  return closingLines({ ...none, ...results } as unknown as AggregatedResult);
}

test("passed, failed and skipped tests are counted, todos as skipped", () => {
  const counts = { numPassedTests: 3, numFailedTests: 2, numPendingTests: 4, numTodoTests: 1 };
  expect(lines(counts)).toEqual(["3 passed, 2 failed, 5 skipped"]);
});

test("a file that could not run counts as one failed", () => {
  const testResults = [
    { testExecError: { message: "cannot load" }, testResults: [] },
    { testResults: [] },
  ];
  expect(lines({ numPassedTests: 3, testResults })).toEqual(["3 passed, 1 failed, 0 skipped"]);
});

test("a run of no test has failed", () => {
  expect(lines({})).toEqual(["no test was executed", "0 passed, 1 failed, 0 skipped"]);
});

test("a run that was cut short has failed", () => {
  expect(lines({ numPassedTests: 3, wasInterrupted: true })).toEqual([
    "the run was interrupted",
    "3 passed, 1 failed, 0 skipped",
  ]);
});

test("the reason of a skipped tier is said once", () => {
  const skipped = { status: "pending", ancestorTitles: ["sets [skipped: no x: set X]"] };
  const alone = { status: "pending", ancestorTitles: ["sets"] };
  const testResults = [{ testResults: [skipped, skipped] }, { testResults: [skipped, alone] }];
  expect(lines({ numPassedTests: 1, numPendingTests: 4, testResults })).toEqual([
    "skipped: no x: set X",
    "1 passed, 0 failed, 4 skipped",
  ]);
});
