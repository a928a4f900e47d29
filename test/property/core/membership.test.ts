import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { histories, play } from "../../support/histories.ts";

test("after any history the sets equal a recomputation, what was told as changed is what changed, and deleting all leaves nothing", () => {
  fc.assert(
    fc.property(histories, (history) => expect(play(history)).toBeUndefined()),
    { numRuns: 500 },
  );
});
