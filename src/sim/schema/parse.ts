/**
 * How an array or map behaves in server-side apply (KEP-555): replaced whole, a set of scalars,
 * or (arrays) a map by `keys`.
 */
export type ListType = "atomic" | "set" | "map";

/** Scalars that have a form of their own in JSON or protobuf. */
export type ScalarName =
  | "string"
  | "bool"
  | "int32"
  | "int64"
  | "double"
  | "byte"
  | "bytes"
  | "time"
  | "microtime"
  | "quantity"
  | "intstr"
  | "fieldsv1"
  | "raw"
  | "json"
  | "schemaorbool"
  | "schemaorarray"
  | "schemaorstrings";

/** What one value is: a scalar, a message by name, or an array or string-keyed map of those. */
export type FieldType =
  | { readonly kind: "scalar"; readonly scalar: ScalarName }
  | { readonly kind: "message"; readonly name: string }
  | { readonly kind: "list"; readonly element: FieldType }
  | { readonly kind: "map"; readonly element: FieldType };

/** One field of a message. */
export interface Field {
  /** The JSON name. */
  readonly name: string;
  /** The protobuf number; 0 for kinds that are never protobuf. */
  readonly number: number;
  readonly type: FieldType;
  /** Whether absence can be told from the zero value. */
  readonly pointer: boolean;
  /** Whether the zero value is printed in JSON. */
  readonly always: boolean;
  /** Whether a struct that holds nothing is left out of JSON instead of printed as `{}`. */
  readonly omitZero: boolean;
  readonly listType: ListType;
  /** Keys of a `map` list. */
  readonly keys: readonly string[];
  /** Whether a map or struct is replaced whole by server-side apply. */
  readonly atomic: boolean;
  /** Strategic merge patch: `merge` with `mergeKey` ("" for scalars), else replaced. */
  readonly merge: boolean;
  readonly mergeKey: string;
  /** Whether strategic merge patch honours `$retainKeys` here. */
  readonly retainKeys: boolean;
}

/** A message type: its fields by JSON name, embedded ones included. */
export interface MessageType {
  readonly name: string;
  /** Whether server-side apply replaces it whole. */
  readonly atomic: boolean;
  /** Own fields in the order of their protobuf numbers; an embedded message has the name ".". */
  readonly fields: readonly Field[];
  /** All fields as JSON shows them: embedded messages are spread. */
  readonly byName: ReadonlyMap<string, Field>;
}

/** Message types by name. */
export type Schema = ReadonlyMap<string, MessageType>;

const SCALARS: ReadonlySet<string> = new Set<ScalarName>([
  "string",
  "bool",
  "int32",
  "int64",
  "double",
  "byte",
  "bytes",
  "time",
  "microtime",
  "quantity",
  "intstr",
  "fieldsv1",
  "raw",
  "json",
  "schemaorbool",
  "schemaorarray",
  "schemaorstrings",
]);

/**
 * Reads message types written as `Name [atomic]: field=NUMBER [*]TYPE FLAGS; ...`.
 * TYPE is a scalar, a message, `[]TYPE` or `map TYPE`; `*` marks a pointer; a field named `.` is embedded.
 * FLAGS: `always`, `omitzero`, `atomic`, `set`, `key(a,b)`, `merge`, `merge(key)`, `retain`.
 * Throws when a line is not of that form or names an unknown message.
 */
export function parseSchema(...texts: string[]): Schema {
  const own = new Map<string, { atomic: boolean; fields: Field[] }>();
  for (const text of texts)
    for (const line of text.replaceAll("\n  ", " ").split("\n")) {
      if (line.trim() === "") continue;
      const head = /^(\w+)( atomic)?:(.*)$/.exec(line);
      if (head === null) throw new Error(`schema: unreadable line: ${line}`);
      const fields = (head[3] as string)
        .split(";")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map(parseField);
      own.set(head[1] as string, { atomic: head[2] !== undefined, fields });
    }
  const spread = (name: string): Field[] => {
    const message = own.get(name);
    if (message === undefined) throw new Error(`schema: no message ${name}`);
    return message.fields.flatMap((field) =>
      field.name === "." && field.type.kind === "message" ? spread(field.type.name) : [field],
    );
  };
  const schema = new Map<string, MessageType>();
  for (const [name, { atomic, fields }] of own)
    schema.set(name, {
      name,
      atomic,
      fields: fields.toSorted((a, b) => a.number - b.number),
      byName: new Map(spread(name).map((field) => [field.name, field])),
    });
  return schema;
}

function parseField(text: string): Field {
  const parts = /^(\S+)=(\d*) (\*?)((?:\[\]|map )*)(\w+)(.*)$/.exec(text);
  if (parts === null) throw new Error(`schema: unreadable field: ${text}`);
  const [, name, number, star, wrappers, base, rest] = parts as unknown as string[];
  const flags = (rest as string).trim().split(" ");
  const call = (flag: string): string | undefined =>
    flags.find((item) => item.startsWith(`${flag}(`))?.slice(flag.length + 1, -1);
  const keys = call("key")?.split(",") ?? [];
  return {
    name: name as string,
    number: Number(number),
    type: parseType(wrappers as string, base as string),
    pointer: star === "*",
    always: flags.includes("always"),
    omitZero: flags.includes("omitzero"),
    listType: keys.length > 0 ? "map" : flags.includes("set") ? "set" : "atomic",
    keys,
    atomic: flags.includes("atomic"),
    merge: flags.includes("merge") || call("merge") !== undefined,
    mergeKey: call("merge") ?? "",
    retainKeys: flags.includes("retain"),
  };
}

function parseType(wrappers: string, base: string): FieldType {
  if (wrappers.startsWith("[]"))
    return { kind: "list", element: parseType(wrappers.slice(2), base) };
  if (wrappers.startsWith("map "))
    return { kind: "map", element: parseType(wrappers.slice(4), base) };
  return SCALARS.has(base)
    ? { kind: "scalar", scalar: base as ScalarName }
    : { kind: "message", name: base };
}
