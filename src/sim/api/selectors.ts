import { badRequest } from "./errors.ts";

/** A predicate over string properties: labels, or the fields that a field selector may name. */
export type Predicate = (values: Readonly<Record<string, string>>) => boolean;

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const TOKEN = /\s*(?:([^\s,()=!<>]+)|(==|!=|[=!<>,()]))/y;

/**
 * Reads a label selector in the syntax of query strings (`a=b,c in (d,e),!f`).
 * Throws 400 BadRequest as API servers word it. Undefined selects everything.
 */
export function parseLabelSelector(text: string): Predicate | undefined {
  const tokens = tokenize(text);
  if (tokens.length === 0) return undefined;
  const parts: Predicate[] = [];
  let at = 0;
  const next = (): string => tokens[at++] ?? "";
  const fail = (found: string, expected: string): Error =>
    badRequest(`unable to parse requirement: found '${found}', expected: ${expected}`);
  const key = (): string => {
    const found = next();
    if (found === "" || /^[,()=!<>]/.test(found))
      throw fail(found, "!, identifier, or 'end of string'");
    if (!LABEL_KEY.test(found))
      throw badRequest(
        `unable to parse requirement: <nil>: Invalid value: "${found}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      );
    return found;
  };
  const value = (name: string): string => {
    if (tokens[at] === undefined || tokens[at] === ",") return "";
    const found = next();
    if (!LABEL_VALUE.test(found))
      throw badRequest(
        `unable to parse requirement: values[0][${name}]: Invalid value: "${found}": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
      );
    return found;
  };
  const values = (): Set<string> => {
    if (next() !== "(") throw fail(tokens[at - 1] ?? "", "'('");
    const found = new Set<string>();
    for (let item = next(); item !== ")"; item = next()) {
      if (item === "") throw fail("", "',' or ')'");
      if (item === ",") {
        if (tokens[at] === ")" || tokens[at] === ",") found.add("");
      } else found.add(item);
    }
    return found;
  };
  for (;;) {
    if (tokens[at] === "!") {
      at++;
      const name = key();
      parts.push((labels) => !Object.hasOwn(labels, name));
    } else {
      const name = key();
      parts.push(
        requirement(
          name,
          tokens,
          () => next(),
          () => value(name),
          values,
          fail,
        ),
      );
      // `requirement` reads its operator through `next`.
    }
    const separator = next();
    if (separator === "") break;
    if (separator !== ",") throw fail(separator, "',' or 'end of string'");
  }
  return (labels) => parts.every((part) => part(labels));

  function requirement(
    name: string,
    all: readonly string[],
    take: () => string,
    one: () => string,
    many: () => Set<string>,
    refuse: (found: string, expected: string) => Error,
  ): Predicate {
    if (all[at] === undefined || all[at] === ",") return (labels) => Object.hasOwn(labels, name);
    const operator = take();
    switch (operator) {
      case "=":
      case "==": {
        const wanted = one();
        return (labels) => labels[name] === wanted;
      }
      case "!=": {
        const unwanted = one();
        return (labels) => labels[name] !== unwanted;
      }
      case "in": {
        const wanted = many();
        return (labels) => labels[name] !== undefined && wanted.has(labels[name]);
      }
      case "notin": {
        const unwanted = many();
        return (labels) => labels[name] === undefined || !unwanted.has(labels[name]);
      }
      case "<":
      case ">":
      case "lt":
      case "gt": {
        const bound = take();
        if (!/^-?\d+$/.test(bound))
          throw badRequest(
            `unable to parse requirement: values[0][${name}]: Invalid value: "${bound}": for 'Gt', 'Lt' operators, the value must be an integer`,
          );
        const above = operator === ">" || operator === "gt";
        return (labels) => {
          const found = labels[name];
          if (found === undefined || !/^-?\d+$/.test(found)) return false;
          return above ? BigInt(found) > BigInt(bound) : BigInt(found) < BigInt(bound);
        };
      }
      default:
        throw refuse(operator, "in, notin, =, ==, !=, gt, lt");
    }
  }
}

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const match = TOKEN.exec(trimmed);
    if (match === null) break;
    tokens.push((match[1] ?? match[2]) as string);
  }
  return tokens;
}

/**
 * Reads a field selector (`status.phase=Running,spec.nodeName!=a`); `supported` names the fields of the kind.
 * Throws 400 BadRequest for a field that the kind does not support.
 */
export function parseFieldSelector(
  text: string,
  supported: ReadonlySet<string>,
): Predicate | undefined {
  const parts: Predicate[] = [];
  for (const term of text.split(",")) {
    if (term.trim() === "") continue;
    const match = /^([^=!]*)(==|!=|=)(.*)$/.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
    const name = match[1] as string;
    const wanted = (match[3] as string).replaceAll(/\\([,=\\])/g, "$1");
    if (!supported.has(name)) {
      const onlyMetadata = [...supported].every((field) => field.startsWith("metadata."));
      throw badRequest(
        onlyMetadata
          ? `"${name}" is not a known field selector: only "metadata.name", "metadata.namespace"`
          : `field label not supported: ${name}`,
      );
    }
    const negative = match[2] === "!=";
    parts.push((fields) => ((fields[name] ?? "") === wanted) !== negative);
  }
  return parts.length === 0 ? undefined : (fields) => parts.every((part) => part(fields));
}
