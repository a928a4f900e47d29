import { jest } from "@jest/globals";
import { describeTier } from "../tier.ts";
import { locateBinaries } from "./binaries.ts";

const testTimeoutMs = 120_000;

/**
 * A `describe` for tests on real API servers: skipped with a reason where the binaries are missing, and
 * failed instead with CI=true. Gives the tests and hooks of the file two minutes each.
 */
export function describeOnApiServers(name: string, tests: () => void): void {
  const located = locateBinaries();
  describeTier(name, located.kind === "missing" ? located.reason : undefined, () => {
    jest.setTimeout(testTimeoutMs);
    tests();
  });
}
