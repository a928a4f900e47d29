import type { Labels } from "./labels.ts";

/** The operators of a label selector requirement (meta/v1 LabelSelectorRequirement). */
export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist";

/** One condition on one label key. `values` is empty for Exists and DoesNotExist. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/**
 * A label selector: all requirements hold. An entry of matchLabels is an `In` with one value.
 * No requirement selects everything; an absent selector is `undefined`, never this.
 */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

/** Yes, no, or not decidable from the facts at hand. */
export type Ternary = "yes" | "no" | "unknown";

/** The selector `{}`. */
export const EVERYTHING: Selector = { requirements: [] };

/** The selector that asks for exactly these labels. */
export function selectorOf(matchLabels: Labels): Selector {
  return {
    requirements: Object.entries(matchLabels).map(([key, value]) => ({
      key,
      operator: "In",
      values: [value],
    })),
  };
}

/** Whether `labels` meet `requirement`. `NotIn` holds where the key is absent; "" is a value like any other. */
export function meets(labels: Labels, requirement: Requirement): boolean {
  const present = Object.hasOwn(labels, requirement.key);
  switch (requirement.operator) {
    case "In":
      return present && requirement.values.includes(labels[requirement.key] ?? "");
    case "NotIn":
      return !present || !requirement.values.includes(labels[requirement.key] ?? "");
    case "Exists":
      return present;
    case "DoesNotExist":
      return !present;
    default:
      return requirement.operator satisfies never;
  }
}

/** Whether `selector` selects an object with these labels. */
export function matches(selector: Selector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => meets(labels, requirement));
}

/** As `matches`, where only the labels in `known` are known and any other key may have any value or none. */
export function matchesKnown(selector: Selector, known: Labels): Ternary {
  let answer: Ternary = "yes";
  for (const requirement of selector.requirements) {
    if (!Object.hasOwn(known, requirement.key)) answer = "unknown";
    else if (!meets(known, requirement)) return "no";
  }
  return answer;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values[0] ?? ""}` : `${key} in (${values.join(", ")})`;
    case "NotIn":
      return `${key} not in (${values.join(", ")})`;
    case "Exists":
      return `${key} exists`;
    case "DoesNotExist":
      return `${key} does not exist`;
    default:
      return operator satisfies never;
  }
}

/** The selector for people: `{app=web, tier in (a, b)}`; `{}` selects everything. */
export function formatSelector(selector: Selector): string {
  return `{${selector.requirements.map(formatRequirement).join(", ")}}`;
}

/** Equal texts for selectors that differ only in the order or repetition of requirements and values. */
export function canonicalSelector(selector: Selector): string {
  const parts = selector.requirements.map(({ key, operator, values }) =>
    JSON.stringify([key, operator, ...new Set(values.toSorted(compareText))]),
  );
  return [...new Set(parts.toSorted(compareText))].join(";");
}
