import { beforeEach, expect, test } from "@jest/globals";
import { parseSetKey } from "../../../src/core/membership/set-id.ts";
import type { ActualSet } from "../../../src/core/plan/plan-set.ts";
import { ActualSets } from "../../../src/operator/actual-sets.ts";

const set = (over: Partial<ActualSet> = {}): ActualSet => ({
  name: "a",
  uid: "u1",
  resourceVersion: "10",
  owner: undefined,
  shard: 1,
  labels: {},
  annotations: {},
  nets: [],
  emptySince: undefined,
  carried: {},
  ...over,
});

let actual: ActualSets;
let changed: string[];

beforeEach(() => {
  changed = [];
  actual = new ActualSets(
    {
      onChanged: ({ name, resourceVersion }) => changed.push(`${name}@${resourceVersion}`),
      onComplete: () => changed.push("complete"),
    },
    ({ owner }) => owner,
  );
});

test("what we wrote comes back as an echo, which is no change", () => {
  actual.written(set({ resourceVersion: "11" }));
  actual.put(set({ resourceVersion: "11" }));
  expect(changed).toEqual([]);
});

test("the echo of a write that was followed by another one does not take us back", () => {
  actual.written(set({ resourceVersion: "9" }));
  actual.written(set({ resourceVersion: "11" }));
  actual.put(set({ resourceVersion: "9" }));
  expect(actual.get("a")?.resourceVersion).toBe("11");
  expect(changed).toEqual([]);
});

test("an edit by another hand is a change", () => {
  actual.written(set());
  actual.put(set({ resourceVersion: "12" }));
  expect(changed).toEqual(["a@10", "a@12"]);
});

test("versions that are not numbers are taken as they come", () => {
  actual.put(set({ resourceVersion: "x" }));
  actual.put(set({ resourceVersion: "b" }));
  expect(actual.get("a")?.resourceVersion).toBe("b");
});

test("the late deletion of an object does not remove its successor", () => {
  actual.put(set());
  actual.written(set({ uid: "u2", resourceVersion: "12" }));
  actual.remove(set());
  expect(actual.get("a")?.uid).toBe("u2");
});

test("a complete list removes what it did not hold, but not what was written while it ran", () => {
  actual.put(set({ name: "old" }));
  changed = [];
  actual.beginList();
  actual.written(set({ name: "new" }));
  actual.endList();
  expect([...actual.all()].map(({ name }) => name)).toEqual(["new"]);
  expect(changed).toEqual(["old@10", "complete"]);
});

test("a list that was abandoned removes nothing", () => {
  actual.put(set());
  actual.beginList();
  actual.abandonList();
  expect(actual.get("a")).toBeDefined();
});

test("objects are found by the set that they hold, and no longer once they hold another", () => {
  const [db, web] = ["c/ns/db", "c/ns/web"].map((key) => parseSetKey(key));
  if (db === undefined || web === undefined) throw new Error("bad test data");
  actual.put(set({ owner: db }));
  actual.put(set({ name: "b", uid: "u2", owner: db, shard: 2 }));
  expect(actual.of(db).map(({ name }) => name)).toEqual(["a", "b"]);
  actual.put(set({ owner: web, resourceVersion: "11" }));
  expect(actual.of(db).map(({ name }) => name)).toEqual(["b"]);
  expect(actual.of(web).map(({ name }) => name)).toEqual(["a"]);
  actual.remove(set({ name: "b", uid: "u2" }));
  actual.gone(set());
  expect([...actual.owners()]).toEqual([]);
});
