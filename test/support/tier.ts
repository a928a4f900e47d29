import { describe } from "@jest/globals";

/**
 * A `describe` for tests that need something a machine may lack. `missing` says in one line what lacks
 * and what to do about it; undefined means that nothing does. Where something lacks, the tests are
 * skipped and the run says so once; with CI=true they fail instead.
 */
export function describeTier(name: string, missing: string | undefined, tests: () => void): void {
  if (missing !== undefined && process.env["CI"] === "true") throw new Error(`${name}: ${missing}`);
  const suite: typeof describe.skip = missing === undefined ? describe : describe.skip;
  // closing-line.mjs reads the reason from this title.
  suite(missing === undefined ? name : `${name} [skipped: ${missing}]`, tests);
}
