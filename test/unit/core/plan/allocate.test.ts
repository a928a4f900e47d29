import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { allocate } from "../../../../src/core/plan/allocate.ts";

const run = (nets: readonly string[], held: Record<number, string[]>, max: number) =>
  Object.fromEntries(
    allocate(nets, new Map(Object.entries(held).map(([shard, of]) => [Number(shard), of])), max),
  );

test("a set written from nothing has the fewest shards", () => {
  expect(run(["c", "a", "b", "d", "e"], {}, 2)).toEqual({ 1: ["a", "c"], 2: ["b", "d"], 3: ["e"] });
});

test("what an object holds stays in it, and a new net takes the first free place", () => {
  expect(run(["b", "d", "x"], { 1: ["a", "b"], 2: ["c", "d"] }, 2)).toEqual({
    1: ["b", "x"],
    2: ["d"],
  });
});

test("an emptied shard is told of, so that it can be cleared", () => {
  expect(run(["c"], { 1: ["a", "b"], 2: ["c"] }, 2)).toEqual({ 1: [], 2: ["c"] });
  expect(run([], { 1: ["a"] }, 2)).toEqual({ 1: [] });
});

test("only what exceeds a lowered maximum moves", () => {
  expect(run(["a", "b", "c", "d"], { 1: ["a", "b", "c"], 2: ["d"] }, 2)).toEqual({
    1: ["a", "b"],
    2: ["c", "d"],
  });
});

test("whatever objects hold, every net is in exactly one, none has too many, and none moves that fits", () => {
  const nets = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,2}$/), { maxLength: 30 });
  const held = fc.dictionary(fc.constantFrom("1", "2", "3", "5"), nets);
  fc.assert(
    fc.property(nets, held, fc.integer({ min: 1, max: 8 }), (wanted, before, max) => {
      const shards = allocate(
        wanted,
        new Map(Object.entries(before).map(([shard, of]) => [Number(shard), of])),
        max,
      );
      expect([...shards.values()].flat().toSorted()).toEqual(wanted.toSorted());
      for (const of of shards.values()) expect(of.length).toBeLessThanOrEqual(max);
      for (const net of wanted) {
        const first = Object.entries(before).find(([, of]) => of.includes(net));
        if (first === undefined) continue;
        const kept = first[1].filter((each) => wanted.includes(each));
        if (kept.length <= max) expect(shards.get(Number(first[0]))).toContain(net);
      }
    }),
  );
});
