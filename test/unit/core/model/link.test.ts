import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  LINK_STATES,
  linkAt,
  type LinkLimits,
  type LinkProof,
  type LinkState,
} from "../../../../src/core/model/link.ts";

const NEVER: LinkLimits = { staleAfterMs: 60_000, expireAfterMs: undefined };
const HOUR: LinkLimits = { staleAfterMs: 60_000, expireAfterMs: 3_600_000 };
const SOONER: LinkLimits = { staleAfterMs: 60_000, expireAfterMs: 1_000 };

function proof(provenAt: number | undefined, fields: Partial<LinkProof> = {}): LinkProof {
  return { synced: true, removed: false, provenAt, ...fields };
}

test.each<[string, LinkProof, LinkLimits, number, LinkState, number | undefined]>([
  ["never spoken", proof(undefined, { synced: false }), HOUR, 9e9, "Connecting", undefined],
  ["never whole, however long", proof(0, { synced: false }), HOUR, 9e9, "Connecting", 9e9],
  ["just now", proof(500), HOUR, 500, "Synced", 0],
  ["as old as allowed", proof(0), HOUR, 60_000, "Synced", 60_000],
  ["older", proof(0), HOUR, 60_001, "Stale", 60_001],
  ["as old as is kept", proof(0), HOUR, 3_600_000, "Stale", 3_600_000],
  ["older than is kept", proof(0), HOUR, 3_600_001, "Expired", 3_600_001],
  ["never expires", proof(0), NEVER, 9e12, "Stale", 9e12],
  ["expires before it is stale", proof(0), SOONER, 1_001, "Expired", 1_001],
  ["whole, without proof", proof(undefined), HOUR, 9e9, "Stale", undefined],
  ["proven after now", proof(700), HOUR, 500, "Synced", 0],
  ["removed, alive", proof(0, { removed: true }), HOUR, 1, "Removed", 1],
  ["removed, expired", proof(0, { removed: true }), HOUR, 9e9, "Removed", 9e9],
  [
    "removed, never whole",
    proof(undefined, { removed: true, synced: false }),
    HOUR,
    1,
    "Removed",
    undefined,
  ],
])("%s", (_name, facts, limits, now, state, ageMs) => {
  expect(linkAt(facts, limits, now)).toEqual({ state, ageMs });
});

test("without new proof a link only gets worse", () => {
  const times = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.option(times, { nil: undefined }),
      times,
      fc.option(times, { nil: undefined }),
      times,
      times,
      (synced, provenAt, staleAfterMs, expireAfterMs, now, laterMs) => {
        const at = (time: number): number =>
          LINK_STATES.indexOf(
            linkAt(proof(provenAt, { synced }), { staleAfterMs, expireAfterMs }, time).state,
          );
        expect(at(now + laterMs)).toBeGreaterThanOrEqual(at(now));
      },
    ),
  );
});
