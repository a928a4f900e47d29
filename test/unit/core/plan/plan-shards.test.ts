import { expect, test } from "@jest/globals";
import { setKey } from "../../../../src/core/membership/set-id.ts";
import { planShards } from "../../../../src/core/plan/plan-shards.ts";
import type { ActualSet, SetChange } from "../../../../src/core/plan/plan-set.ts";
import { cluster } from "../../../support/pod-records.ts";

const set = setKey({ cluster: cluster("c"), namespace: "n", name: "db" });
const labels = { "managed-by": "us" };

const object = (
  name: string,
  shard: number,
  nets: string[],
  over: Partial<ActualSet> = {},
): ActualSet => ({
  name,
  uid: name,
  resourceVersion: "1",
  owner: set,
  shard,
  labels,
  annotations: {},
  nets,
  emptySince: undefined,
  carried: {},
  ...over,
});

const plan = (nets: string[], objects: ActualSet[], maxNets = 2): readonly SetChange[] =>
  planShards({
    set,
    labels,
    nets,
    objects,
    objectNamed: (name) => objects.find((each) => each.name === name),
    nameOf: (shard) => (shard === 1 ? "db" : `db-s${shard}`),
    maxNets,
    now: 0,
    emptyGraceMs: 1000,
  });

const brief = (changes: readonly SetChange[]): unknown[] =>
  changes.map((change) =>
    change.kind === "none" || change.kind === "later"
      ? change.kind
      : [change.kind, change.object.name, change.object.nets],
  );

test("a large set becomes several objects of equal labels", () => {
  const changes = plan(["a", "b", "c"], []);
  expect(brief(changes)).toEqual([
    ["create", "db", ["a", "b"]],
    ["create", "db-s2", ["c"]],
  ]);
});

test("one change writes one object", () => {
  const objects = [object("db", 1, ["a", "b"]), object("db-s2", 2, ["c"])];
  expect(brief(plan(["a", "b", "c", "d"], objects))).toEqual([
    ["replace", "db-s2", ["c", "d"]],
    "none",
  ]);
});

test("what moves is added to one object before it is taken from the other", () => {
  const changes = plan(["a", "b", "c", "d"], [object("db", 1, ["a", "b", "c", "d"])]);
  expect(brief(changes)).toEqual([
    ["create", "db-s2", ["c", "d"]],
    ["replace", "db", ["a", "b"]],
  ]);
});

test("an object of the set under another name hands over and is emptied", () => {
  const stray = object("old-name", 1, ["a"]);
  expect(brief(plan(["a"], [stray]))).toEqual([
    ["create", "db", ["a"]],
    ["replace", "old-name", []],
  ]);
});

test("a shard that is empty waits and goes, the others stay", () => {
  const empty = object("db-s2", 2, [], { emptySince: -1000 });
  expect(brief(plan(["a"], [object("db", 1, ["a"]), empty]))).toEqual([
    "none",
    ["delete", "db-s2", []],
  ]);
});
