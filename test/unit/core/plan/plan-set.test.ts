import { expect, test } from "@jest/globals";
import { setKey } from "../../../../src/core/membership/set-id.ts";
import { planSet, type ActualSet, type DesiredSet } from "../../../../src/core/plan/plan-set.ts";
import { cluster } from "../../../support/pod-records.ts";

const owner = setKey({ cluster: cluster("c"), namespace: "ns", name: "db" });
const GRACE = 600_000;
const NOW = 1_700_000_000_000;

const desired = (...nets: string[]): DesiredSet => ({
  name: "c-ns-db",
  owner,
  shard: 1,
  labels: { "managed-by": "us" },
  nets,
});

const actual = (over: Partial<ActualSet> = {}): ActualSet => ({
  name: "c-ns-db",
  uid: "u",
  resourceVersion: "7",
  owner,
  shard: 1,
  labels: { "managed-by": "us", team: "x" },
  annotations: { note: "kept" },
  nets: ["10.0.0.1/32"],
  emptySince: undefined,
  carried: {},
  ...over,
});

const plan = (want: DesiredSet | undefined, have: ActualSet | undefined, now = NOW) =>
  planSet(want, have, {
    isOurs: (set) => set.owner === owner,
    now,
    emptyGraceMs: GRACE,
  });

test("nothing wanted and nothing there is nothing to do", () => {
  expect(plan(undefined, undefined)).toEqual({ kind: "none" });
});

test("a wanted set without an object is created", () => {
  expect(plan(desired("10.0.0.1/32"), undefined)).toEqual({
    kind: "create",
    object: desired("10.0.0.1/32"),
  });
});

test("an object that is right is not written", () => {
  expect(plan(desired("10.0.0.1/32"), actual())).toEqual({ kind: "none" });
});

test("new members replace the nets and keep foreign labels and annotations", () => {
  expect(plan(desired("10.0.0.2/32"), actual())).toEqual({
    kind: "replace",
    reason: "members",
    object: actual({ nets: ["10.0.0.2/32"] }),
  });
});

test("an edited label is put back", () => {
  const change = plan(desired("10.0.0.1/32"), actual({ labels: { team: "x" } }));
  expect(change).toEqual({ kind: "replace", reason: "labels", object: actual() });
});

test("labels of another generation of ours go when an object is adopted", () => {
  const before = actual({
    labels: { "managed-by": "semaphore-policy", "semaphore.uw.systems/name": "db", team: "x" },
  });
  const change = plan(desired("10.0.0.1/32"), before);
  expect(change).toEqual({ kind: "replace", reason: "labels", object: actual() });
});

test("a foreign object is never touched: a wanted set conflicts, an unwanted one does not care", () => {
  const foreign = actual({ owner: undefined });
  expect(plan(desired("10.0.0.1/32"), foreign)).toEqual({ kind: "conflict", object: foreign });
  expect(plan(undefined, foreign)).toEqual({ kind: "none" });
});

test("a set that nobody is in any more is emptied, waits, and is deleted after the grace", () => {
  const emptied = actual({ nets: [], emptySince: NOW });
  expect(plan(undefined, actual())).toEqual({ kind: "replace", reason: "empty", object: emptied });
  expect(plan(undefined, emptied)).toEqual({ kind: "later", delayMs: GRACE });
  expect(plan(undefined, emptied, NOW + GRACE - 1)).toEqual({ kind: "later", delayMs: 1 });
  expect(plan(undefined, emptied, NOW + GRACE)).toEqual({ kind: "delete", object: emptied });
});

test("an empty object that does not say since when gets the full grace", () => {
  expect(plan(undefined, actual({ nets: [] }))).toMatchObject({
    kind: "replace",
    object: { nets: [], emptySince: NOW },
  });
});

test("a time in the future neither deletes early nor keeps the object for longer than the grace", () => {
  const fromTomorrow = actual({ nets: [], emptySince: NOW + 86_400_000 });
  expect(plan(undefined, fromTomorrow)).toEqual({ kind: "later", delayMs: GRACE });
});

test("a set that gets members again forgets that it was empty", () => {
  expect(plan(desired("10.0.0.1/32"), actual({ nets: [], emptySince: NOW }))).toEqual({
    kind: "replace",
    reason: "members, no longer empty",
    object: actual(),
  });
});
