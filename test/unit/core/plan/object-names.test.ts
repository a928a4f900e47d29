import { beforeEach, describe, expect, test } from "@jest/globals";
import {
  joinedName,
  setIdOf,
  setKey,
  type SetKey,
} from "../../../../src/core/membership/set-id.ts";
import { chooseName, type Place } from "../../../../src/core/plan/object-names.ts";
import { cluster } from "../../../support/pod-records.ts";

const key = (of: string, namespace: string, name: string): SetKey =>
  setKey({ cluster: cluster(of), namespace, name });

/** Two tenants whose joined names are the same, `a-b-c-d`. */
const small = key("a", "b", "c-d");
const large = key("a", "b-c", "d");

let objects: Map<string, Place | "foreign">;
let sets: SetKey[];
let shards: Map<SetKey, number>;

beforeEach(() => {
  objects = new Map();
  sets = [small, large];
  shards = new Map();
});

const name = (set: SetKey, shard = 1) =>
  chooseName(
    { set, shard },
    {
      holder: (of) => objects.get(of),
      joined: (of) => sets.filter((each) => joinedName(setIdOf(each)) === of),
      shardsOf: (of) => shards.get(of) ?? 1,
      hash8: (text) => Buffer.from(text).toString("hex").slice(-8),
    },
  );

const HASHED = /^a-b-c-d-[0-9a-f]{8}$/;

test("a join that only one set has is its name", () => {
  sets = [large];
  expect(name(large)).toEqual({ name: "a-b-c-d", isAmbiguous: false });
});

describe("two tenants whose joins are the same", () => {
  test("where no object exists the smaller namespace gets the join", () => {
    expect(name(small)).toEqual({ name: "a-b-c-d", isAmbiguous: false });
    expect(name(large)).toEqual({ name: expect.stringMatching(HASHED), isAmbiguous: true });
  });

  test("an object keeps its name for its life, whoever comes later", () => {
    objects.set("a-b-c-d", { set: large, shard: 1 });
    expect(name(large).name).toBe("a-b-c-d");
    expect(name(small).name).toMatch(HASHED);
    const other = name(small).name;
    objects.set(other, { set: small, shard: 1 });
    objects.delete("a-b-c-d");
    sets = [small];
    expect(name(small).name).toBe(other);
  });

  test("one that has its own object elsewhere does not keep the join from the other", () => {
    objects.set("a-b-c-d", { set: large, shard: 1 });
    const other = name(small).name;
    objects.clear();
    objects.set(other, { set: small, shard: 1 });
    expect(name(large).name).toBe("a-b-c-d");
  });

  test("an empty object of the one that left is not taken over", () => {
    sets = [small];
    objects.set("a-b-c-d", { set: large, shard: 1 });
    expect(name(small).name).toMatch(HASHED);
  });
});

test("a stranger's object is not a name to avoid but a conflict to report", () => {
  sets = [large];
  objects.set("a-b-c-d", "foreign");
  expect(name(large)).toEqual({ name: "a-b-c-d", isAmbiguous: false });
});

describe("shards", () => {
  const set = key("a", "n", "db");
  const lookalike = key("a", "n", "db-s2");

  test("are numbered from the second on", () => {
    sets = [set];
    expect([1, 2, 3].map((shard) => name(set, shard).name)).toEqual([
      "a-n-db",
      "a-n-db-s2",
      "a-n-db-s3",
    ]);
  });

  test("never share a name with a set that is called like one", () => {
    sets = [set, lookalike];
    shards.set(set, 2);
    const names = [name(set, 2).name, name(lookalike).name];
    expect(names).toContain("a-n-db-s2");
    expect(new Set(names).size).toBe(2);
  });

  test("that are not needed claim nothing", () => {
    sets = [set, lookalike];
    expect(name(lookalike)).toEqual({ name: "a-n-db-s2", isAmbiguous: false });
  });
});

test("names differ in all that the join loses, and stay within a label's length when hashed", () => {
  const long = (namespace: string): SetKey => key("a", namespace, `${"x".repeat(50)}.y`);
  sets = [long("n"), long("m")];
  objects.set(joinedName(setIdOf(long("n"))), { set: long("m"), shard: 1 });
  expect(name(long("n")).name.length).toBeLessThanOrEqual(63);
});
