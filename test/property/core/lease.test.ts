import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  ElectionWorld,
  type Fate,
  type Quartz,
  type Trouble,
} from "../../support/election-world.ts";

const TROUBLED_MS = 120_000;
/** A rival's duration on the slowest clock, the request under way and a retry before it was seen. */
const SETTLED_MS = TROUBLED_MS + 30_000;

const times = fc.integer({ min: 0, max: TROUBLED_MS });
const who = fc.nat(2);

const fates: fc.Arbitrary<Fate> = fc.record({
  upMs: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 50, max: 20_000 })),
  downMs: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 50, max: 20_000 })),
  lost: fc.constantFrom("nothing", "nothing", "nothing", "request", "answer"),
});

function pauses(suspends: boolean): fc.Arbitrary<Trouble> {
  return fc.record({
    kind: fc.constant("pause" as const),
    atMs: times,
    who,
    forMs: fc.integer({ min: 1, max: 40_000 }),
    suspends: fc.constant(suspends),
    answersFirst: fc.boolean(),
  });
}

const partitions: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constant("partition" as const),
  atMs: times,
  who,
  forMs: fc.integer({ min: 1, max: 30_000 }),
});
const kills: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constantFrom("kill" as const, "release" as const, "edit" as const),
  atMs: times,
  who,
});
const wallSteps: fc.Arbitrary<Trouble> = fc.record({
  kind: fc.constant("wall step" as const),
  atMs: times,
  who,
  byMs: fc.integer({ min: -7_200_000, max: 7_200_000 }),
});

/** Clocks that differ by up to a tenth in speed: between 15 s and 10 s there is room for a fifth. */
const quartzes: fc.Arbitrary<readonly Quartz[]> = fc.array(
  fc.record({
    offsetMs: fc.nat(1_000_000),
    rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
  }),
  { minLength: 2, maxLength: 3 },
);

function histories(troubles: fc.Arbitrary<Trouble>): fc.Arbitrary<[Trouble[], Fate[]]> {
  return fc.tuple(
    fc.array(troubles, { maxLength: 15 }),
    fc.array(fates, { minLength: 1, maxLength: 40 }),
  );
}

function neverTwo(
  clocks: readonly Quartz[],
  [troubles, fate]: readonly [Trouble[], Fate[]],
): ElectionWorld {
  const world = new ElectionWorld(clocks, troubles, fate);
  world.runUntil(TROUBLED_MS + 60_000);
  expect(world.violations).toEqual([]);
  return world;
}

test("whatever befalls candidates, network and wall clocks, never do two write; and when it ends, exactly one does", () => {
  let elections = 0;
  fc.assert(
    fc.property(
      quartzes,
      histories(fc.oneof(pauses(false), partitions, kills, wallSteps)),
      (clocks, [troubles, fate]) => {
        elections += neverTwo(clocks, [troubles, fate]).elections;
        const world = new ElectionWorld(clocks, troubles, fate);
        world.runUntil(TROUBLED_MS);
        world.calm();
        // A pause or partition may last longer than the trouble does.
        const calmMs = Math.max(
          ...troubles.map((each) => each.atMs + ("forMs" in each ? each.forMs : 0)),
          TROUBLED_MS,
        );
        const settledMs = calmMs + (SETTLED_MS - TROUBLED_MS);
        world.runUntil(settledMs);
        for (let ms = settledMs; ms < settledMs + 20_000; ms += 250) {
          world.runUntil(ms);
          expect(world.writers()).toHaveLength(1);
        }
        expect(world.violations).toEqual([]);
      },
    ),
    { numRuns: 400 },
  );
  // The histories are not so bad that nobody is ever elected.
  expect(elections).toBeGreaterThan(400);
});

test("nor do they when machines are suspended and their monotonic clocks stand still meanwhile", () => {
  fc.assert(
    fc.property(
      quartzes,
      histories(fc.oneof(pauses(true), pauses(false), partitions, kills)),
      (clocks, history) => void neverTwo(clocks, history),
    ),
    { numRuns: 400 },
  );
});
