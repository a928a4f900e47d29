import { isDnsSubdomain } from "../model/names.ts";

/** Labels of an object: keys to values. */
export type Labels = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** What is wrong with `key` as a label key (`[prefix/]name`), or undefined. The words are the API's rules. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.length > 2) return "must be a name with at most one prefix, as in example.com/name";
  if (parts.length === 2 && !isDnsSubdomain(parts[0] ?? "")) {
    return "must have a prefix that is a DNS-1123 subdomain of at most 253 characters";
  }
  if (name === "") return "must have a name that is not empty";
  if (name.length > 63) return "must have a name of at most 63 characters";
  return NAME.test(name)
    ? undefined
    : "must have a name of letters, digits, '-', '_' and '.' that begins and ends with a letter or digit";
}

/** What is wrong with `value` as a label value, or undefined. An empty value is legal. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return "must have at most 63 characters";
  return value === "" || NAME.test(value)
    ? undefined
    : "must be letters, digits, '-', '_' and '.', and begin and end with a letter or digit";
}

/** The label that the API server puts on every Namespace: its name. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** `labels` without the keys in `dropped`; the same object when it has none of them. */
export function withoutKeys(labels: Labels, dropped: readonly string[]): Labels {
  if (!dropped.some((key) => Object.hasOwn(labels, key))) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !dropped.includes(key)));
}
