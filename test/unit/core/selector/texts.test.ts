import { describe, expect, test } from "@jest/globals";
import { parseCalicoSelector } from "../../../../src/core/selector/calico.ts";
import { parseSelectorText } from "../../../../src/core/selector/parse-text.ts";
import { formatSelector } from "../../../../src/core/selector/selector.ts";

describe("kubectl's selector syntax", () => {
  test.each([
    ["", "{}"],
    ["app=web", "{app=web}"],
    ["app==web,tier!=db", "{app=web, tier not in (db)}"],
    ["env in (a, b),managed,!legacy", "{env in (a, b), managed exists, legacy does not exist}"],
    ["env notin (a)", "{env not in (a)}"],
    ["example.com/app=", "{example.com/app=}"],
  ])("%s is %s", (text, expected) => {
    const parsed = parseSelectorText(text);
    expect("selector" in parsed ? formatSelector(parsed.selector) : parsed.problem).toBe(expected);
  });

  test.each(["a b", "=x", "a=b c", "a in b", "a/b/c=d", "a=-"])("%s is refused", (text) => {
    expect(parseSelectorText(text)).toHaveProperty("problem");
  });
});

describe("Calico's selector syntax", () => {
  test("gives the conditions on labels, in order", () => {
    const text = `(has(a) || !has(b)) && c == 'x' && d != "y" && e in { 'p', "q" } && f not in {'r'} && g contains 's' && h starts with 't'`;
    const selector = parseCalicoSelector(text);
    expect(selector.kind === "terms" && selector.terms).toEqual([
      { key: "a", operator: "has", values: [], isNegated: false },
      { key: "b", operator: "has", values: [], isNegated: true },
      { key: "c", operator: "==", values: ["x"], isNegated: false },
      { key: "d", operator: "!=", values: ["y"], isNegated: false },
      { key: "e", operator: "in", values: ["p", "q"], isNegated: false },
      { key: "f", operator: "not in", values: ["r"], isNegated: false },
      { key: "g", operator: "contains", values: ["s"], isNegated: false },
      { key: "h", operator: "starts with", values: ["t"], isNegated: false },
    ]);
  });

  test.each([
    ["", false],
    ["all()", false],
    ["global()", true],
  ])("%j has no conditions; global: %s", (text, isGlobal) => {
    expect(parseCalicoSelector(text)).toEqual({ kind: "terms", terms: [], isGlobal });
  });

  test.each(["a ==", "a == b", "has(", "a == 'x' &&", "all", "a == 'x' 'y'", "$", "a in {'x'"])(
    "%s is refused",
    (text) => {
      expect(parseCalicoSelector(text).kind).toBe("invalid");
    },
  );
});
