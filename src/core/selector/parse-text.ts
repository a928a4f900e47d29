import { labelKeyProblem, labelValueProblem } from "./labels.ts";
import type { Requirement, Selector } from "./selector.ts";

const SET = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/;

function parseTerm(text: string): Requirement | undefined {
  const set = SET.exec(text);
  if (set !== null) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values };
  }
  const equal = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (equal !== null) {
    const operator = equal[2] === "!=" ? "NotIn" : "In";
    return { key: equal[1] ?? "", operator, values: [equal[3] ?? ""] };
  }
  if (/^!\s*\S+$/.test(text)) {
    return { key: text.slice(1).trim(), operator: "DoesNotExist", values: [] };
  }
  return /^[^\s=!()]+$/.test(text) ? { key: text, operator: "Exists", values: [] } : undefined;
}

/** The terms of a selector: cut at commas that are not inside parentheses. */
function terms(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((term) => term.trim());
}

/** Reads kubectl's selector syntax: `app=web,tier!=db,env in (a, b),!legacy,managed`. */
export function parseSelectorText(
  text: string,
): { readonly selector: Selector } | { readonly problem: string } {
  const requirements: Requirement[] = [];
  for (const term of text.trim() === "" ? [] : terms(text)) {
    const requirement = parseTerm(term);
    if (requirement === undefined) return { problem: `"${term}" is not a requirement` };
    const keyProblem = labelKeyProblem(requirement.key);
    if (keyProblem !== undefined)
      return { problem: `label key "${requirement.key}" ${keyProblem}` };
    for (const value of requirement.values) {
      const valueProblem = labelValueProblem(value);
      if (valueProblem !== undefined) return { problem: `label value "${value}" ${valueProblem}` };
    }
    requirements.push(requirement);
  }
  return { selector: { requirements } };
}
