import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Field, FieldType, MessageType, ScalarName, Schema } from "./parse.ts";
import { canonicalQuantity } from "./quantity.ts";

/** What came of reading JSON as a message. */
export interface Decoded {
  /** The object as an API server prints it: known fields, zero values left out, structs filled in. */
  readonly object: JsonObject;
  /** Strict decoding errors, e.g. `unknown field "spec.foo"`. */
  readonly strict: readonly string[];
}

/** JSON that is not of the message's type; the message is what Go's decoder says. */
export class DecodeError extends Error {}

/**
 * Reads `input` as the message `typeName`, as an API server's typed decoder does.
 * `kind` and `apiVersion` are left out. Throws DecodeError for a value of the wrong type.
 */
export function decodeMessage(schema: Schema, typeName: string, input: JsonObject): Decoded {
  const strict: string[] = [];
  const reader = new Reader(schema, strict);
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = input;
  return { object: reader.message(typeName, rest, "", ""), strict };
}

const GO_TYPES: Partial<Record<ScalarName, string>> = {
  bool: "bool",
  string: "string",
  int32: "int32",
  int64: "int64",
  double: "float64",
};

class Reader {
  private readonly schema: Schema;
  private readonly strict: string[];

  constructor(schema: Schema, strict: string[]) {
    this.schema = schema;
    this.strict = strict;
  }

  /** `path` has indexes, as strict errors print it; `goPath` has none, as Go's decoder prints it. */
  message(typeName: string, input: JsonObject, path: string, goPath: string): JsonObject {
    const type = this.schema.get(typeName) as MessageType;
    for (const key of Object.keys(input))
      if (!type.byName.has(key)) this.strict.push(`unknown field "${join(path, key)}"`);
    const out: JsonObject = {};
    for (const field of type.byName.values()) {
      const value = this.field(type, field, input[field.name], path, goPath);
      if (value !== undefined) out[field.name] = value;
    }
    return out;
  }

  private field(
    owner: MessageType,
    field: Field,
    input: Json | undefined,
    path: string,
    goPath: string,
  ): Json | undefined {
    const { type } = field;
    const here = join(path, field.name);
    const goHere = join(goPath, field.name);
    const where = `${owner.name}.${goHere}`;
    if (input === undefined || input === null) return this.zero(field, here, goHere);
    const value = this.value(type, input, here, goHere, where);
    if (field.pointer) return value;
    if (isZero(type, value) && !field.always) return this.zero(field, here, goHere);
    if (field.omitZero && isObject(value) && Object.keys(value).length === 0) return undefined;
    return value;
  }

  private zero(field: Field, path: string, goPath: string): Json | undefined {
    if (field.pointer) return field.always ? null : undefined;
    const { type } = field;
    if (type.kind === "message")
      return field.omitZero ? undefined : this.message(type.name, {}, path, goPath);
    if (type.kind === "scalar") {
      if (type.scalar === "time" || type.scalar === "microtime")
        return field.omitZero ? undefined : null;
      if (type.scalar === "intstr") return 0;
      if (type.scalar === "quantity") return "0";
    }
    if (!field.always) return undefined;
    return type.kind === "scalar" ? zeroScalar(type.scalar) : null;
  }

  private value(type: FieldType, input: Json, path: string, goPath: string, where: string): Json {
    switch (type.kind) {
      case "message":
        if (!isObject(input)) throw mismatch(input, where, `v1.${type.name}`);
        return this.message(type.name, input, path, goPath);
      case "list":
        if (!Array.isArray(input)) throw mismatch(input, where, `[]${goName(type.element)}`);
        return input.map((item, index) =>
          item === null
            ? this.nullItem(type.element, path, goPath)
            : this.value(type.element, item, `${path}[${index}]`, goPath, where),
        );
      case "map": {
        if (!isObject(input)) throw mismatch(input, where, `map[string]${goName(type.element)}`);
        const out: JsonObject = {};
        for (const key of Object.keys(input).toSorted()) {
          const item = input[key] as Json;
          out[key] =
            item === null
              ? this.nullItem(type.element, path, goPath)
              : this.value(type.element, item, join(path, key), goPath, where);
        }
        return out;
      }
      case "scalar":
        return this.scalar(type.scalar, input, path, goPath, where);
    }
  }

  private nullItem(type: FieldType, path: string, goPath: string): Json {
    if (type.kind === "message") return this.message(type.name, {}, path, goPath);
    return type.kind === "scalar" ? zeroScalar(type.scalar) : null;
  }

  private scalar(
    scalar: ScalarName,
    input: Json,
    path: string,
    goPath: string,
    where: string,
  ): Json {
    switch (scalar) {
      case "string":
      case "bytes":
        if (typeof input !== "string") throw mismatch(input, where, GO_TYPES[scalar] ?? "string");
        return input;
      case "bool":
        if (typeof input !== "boolean") throw mismatch(input, where, "bool");
        return input;
      case "int32":
      case "int64":
      case "byte":
        if (typeof input !== "number" || !Number.isInteger(input))
          throw mismatch(input, where, GO_TYPES[scalar] ?? scalar);
        return input;
      case "double":
        if (typeof input !== "number") throw mismatch(input, where, "float64");
        return input;
      case "time":
      case "microtime":
        return parseTime(scalar, input);
      case "quantity": {
        const text =
          typeof input === "string" || typeof input === "number" ? String(input) : undefined;
        const quantity = text === undefined ? undefined : canonicalQuantity(text);
        if (quantity === undefined)
          throw new DecodeError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
          );
        return quantity;
      }
      case "intstr":
        if (typeof input !== "string" && typeof input !== "number")
          throw mismatch(input, where, "string");
        return input;
      case "schemaorbool":
        return typeof input === "boolean" ? input : this.nested(input, path, goPath);
      case "schemaorarray":
        return Array.isArray(input)
          ? input.map((item, index) => this.nested(item, `${path}[${index}]`, goPath))
          : this.nested(input, path, goPath);
      case "schemaorstrings":
        return Array.isArray(input) ? input : this.nested(input, path, goPath);
      case "json":
      case "raw":
      case "fieldsv1":
        return input;
    }
  }

  private nested(input: Json, path: string, goPath: string): Json {
    return isObject(input) ? this.message("JSONSchemaProps", input, path, goPath) : input;
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function goName(type: FieldType): string {
  if (type.kind === "message") return `v1.${type.name}`;
  if (type.kind === "list") return `[]${goName(type.element)}`;
  if (type.kind === "map") return `map[string]${goName(type.element)}`;
  return GO_TYPES[type.scalar] ?? type.scalar;
}

function mismatch(input: Json, where: string, goType: string): DecodeError {
  const found = Array.isArray(input)
    ? "array"
    : typeof input === "object"
      ? "object"
      : typeof input === "boolean"
        ? "bool"
        : typeof input === "number" && goType.startsWith("int")
          ? `number ${String(input)}`
          : typeof input;
  return new DecodeError(
    `json: cannot unmarshal ${found} into Go struct field ${where} of type ${goType}`,
  );
}

function parseTime(scalar: "time" | "microtime", input: Json): string {
  const text = typeof input === "string" ? input : "";
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new DecodeError(
      `parsing time "${text}" as "2006-01-02T15:04:05Z07:00": cannot parse "${text}" as "2006"`,
    );
  if (scalar === "time") return timeText(ms);
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  return `${timeText(ms).slice(0, -1)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** `ms` since the epoch as metav1.Time prints it: RFC 3339 in UTC, whole seconds. */
export function timeText(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

function zeroScalar(scalar: ScalarName): Json {
  switch (scalar) {
    case "bool":
      return false;
    case "int32":
    case "int64":
    case "double":
    case "byte":
    case "intstr":
      return 0;
    case "quantity":
      return "0";
    case "string":
      return "";
    case "bytes":
    case "fieldsv1":
    case "json":
    case "microtime":
    case "raw":
    case "schemaorarray":
    case "schemaorbool":
    case "schemaorstrings":
    case "time":
      return null;
  }
}

function isZero(type: FieldType, value: Json): boolean {
  if (type.kind === "list") return (value as Json[]).length === 0;
  if (type.kind === "map") return Object.keys(value as JsonObject).length === 0;
  return type.kind === "scalar" && (value === "" || value === 0 || value === false);
}
