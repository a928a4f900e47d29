/** Where a value stands in an object: keys and indices from the root. */
export type FieldPath = readonly (string | number)[];

/** Something that the API server would refuse, at a field, with the value that it has. */
export interface Problem {
  readonly path: FieldPath;
  readonly value: unknown;
  readonly message: string;
  /**
   * `always`: every API server refuses it. `strict-cidr`: refused where the StrictIPCIDRValidation gate is on
   * (default from Kubernetes 1.36), masked or read loosely before. `unknown-field`: dropped by the API server,
   * refused by kubectl's strict field validation.
   */
  readonly kind: "always" | "strict-cidr" | "unknown-field";
}

/** `spec.ingress[0].from[1]` for a path. Label keys and other odd names are quoted in brackets. */
export function formatPath(path: FieldPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text === "" ? "object" : text;
}

/** A problem for people: field, value, what is wrong. */
export function formatProblem({ path, value, message }: Problem): string {
  const text = JSON.stringify(value) ?? "nothing";
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return `${formatPath(path)}: ${shown}: ${message}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads untyped JSON as Go's decoder does: `null` is absent, a wrong type is a problem. Collects all problems. */
export class FieldReader {
  readonly problems: Problem[] = [];
  #refusals = 0;

  /** How many problems of the kind `always` there are so far. */
  get refusals(): number {
    return this.#refusals;
  }

  /** Records that the value at `path` is refused. */
  refuse(path: FieldPath, value: unknown, message: string, kind: Problem["kind"] = "always"): void {
    if (kind === "always") this.#refusals++;
    this.problems.push({ path, value, message, kind });
  }

  /** The object in `value`; undefined when absent or of a wrong type. */
  object(value: unknown, path: FieldPath): Fields | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "object" && !Array.isArray(value)) return value as Fields;
    this.refuse(path, value, "must be an object");
    return undefined;
  }

  /** The list in `value`; undefined when absent or of a wrong type. */
  list(value: unknown, path: FieldPath): readonly unknown[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value)) return value as readonly unknown[];
    this.refuse(path, value, "must be a list");
    return undefined;
  }

  /** The string in `value`; undefined when absent or of a wrong type. */
  text(value: unknown, path: FieldPath): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string") return value;
    this.refuse(path, value, "must be a string");
    return undefined;
  }

  /** The strings of a list; a null element is "", as Go decodes it. */
  texts(value: unknown, path: FieldPath): string[] {
    return (this.list(value, path) ?? []).map(
      (item, index) => this.text(item, [...path, index]) ?? "",
    );
  }

  /** The string map in `value`; a null value is "", as Go decodes it. */
  textMap(value: unknown, path: FieldPath): Record<string, string> {
    const fields = this.object(value, path);
    const map: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const [key, item] of Object.entries(fields ?? {})) {
      map[key] = this.text(item, [...path, key]) ?? "";
    }
    return map;
  }

  /** The 32-bit integer in `value`; undefined when absent or of a wrong type. */
  int32(value: unknown, path: FieldPath): number | undefined {
    if (value === undefined || value === null) return undefined;
    if (Number.isInteger(value) && Math.abs(value as number) < 2 ** 31) return value as number;
    this.refuse(path, value, "must be an integer of 32 bits");
    return undefined;
  }

  /** Reports the keys of `fields` that the API does not have. */
  only(fields: Fields | undefined, known: readonly string[], path: FieldPath): void {
    for (const key of Object.keys(fields ?? {})) {
      if (known.includes(key)) continue;
      this.refuse([...path, key], fields?.[key], "is not a field of this object", "unknown-field");
    }
  }
}
