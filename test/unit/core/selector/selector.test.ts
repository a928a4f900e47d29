import { describe, expect, test } from "@jest/globals";
import { labelKeyProblem, labelValueProblem } from "../../../../src/core/selector/labels.ts";
import {
  canonicalSelector,
  formatSelector,
  matches,
  matchesKnown,
  selectorOf,
  type Operator,
} from "../../../../src/core/selector/selector.ts";

describe("each operator against an absent, empty, equal and other value (B5)", () => {
  const objects = [{}, { k: "" }, { k: "v" }, { k: "w" }] as const;
  test.each<[Operator, string[], boolean[]]>([
    ["In", ["v"], [false, false, true, false]],
    ["In", [""], [false, true, false, false]],
    ["In", ["v", ""], [false, true, true, false]],
    ["NotIn", ["v"], [true, true, false, true]],
    ["NotIn", [""], [true, false, true, true]],
    ["NotIn", ["v", "w"], [true, true, false, false]],
    ["Exists", [], [false, true, true, true]],
    ["DoesNotExist", [], [true, false, false, false]],
  ])("%s %j", (operator, values, expected) => {
    const selector = { requirements: [{ key: "k", operator, values }] };
    expect(objects.map((labels) => matches(selector, labels))).toEqual(expected);
  });

  test("matchLabels with an empty value needs the key", () => {
    expect(objects.map((labels) => matches(selectorOf({ k: "" }), labels))).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});

test("a key that every object inherits is not a label", () => {
  const exists = {
    requirements: [{ key: "constructor", operator: "Exists" as const, values: [] }],
  };
  expect(matches(exists, {})).toBe(false);
});

test("with some labels known, the others decide nothing", () => {
  const both = selectorOf({ a: "1", b: "2" });
  expect([
    matchesKnown(both, { a: "1" }),
    matchesKnown(both, { a: "2" }),
    matchesKnown(both, {}),
  ]).toEqual(["unknown", "no", "unknown"]);
});

test("selectors that differ in order are one", () => {
  const a = { requirements: [...selectorOf({ x: "1", y: "2" }).requirements] };
  const b = { requirements: a.requirements.toReversed() };
  expect(canonicalSelector(a)).toBe(canonicalSelector(b));
  expect(canonicalSelector(selectorOf({ x: "1" }))).not.toBe(
    canonicalSelector(selectorOf({ x: "2" })),
  );
});

test("a selector reads as its author wrote it", () => {
  const text = formatSelector({
    requirements: [
      { key: "app", operator: "In", values: ["web"] },
      { key: "tier", operator: "NotIn", values: ["a", "b"] },
      { key: "x", operator: "Exists", values: [] },
    ],
  });
  expect(text).toBe("{app=web, tier not in (a, b), x exists}");
});

test.each([
  ["a", true],
  ["example.com/a", true],
  ["a/b/c", false],
  ["", false],
  ["example.com/", false],
  ["/a", false],
  ["-a", false],
  ["a".repeat(63), true],
  ["a".repeat(64), false],
])("label key %s is legal: %s", (key, legal) => {
  expect(labelKeyProblem(key) === undefined).toBe(legal);
});

test.each([
  ["", true],
  ["a_B.c-1", true],
  ["a b", false],
  ["a-", false],
  ["a".repeat(64), false],
])("label value %s is legal: %s", (value, legal) => {
  expect(labelValueProblem(value) === undefined).toBe(legal);
});
