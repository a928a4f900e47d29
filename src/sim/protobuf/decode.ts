import type { Json, JsonObject } from "../json.ts";
import { timeText } from "../schema/decode.ts";
import type { Field, FieldType, MessageType, ScalarName, Schema } from "../schema/parse.ts";
import { MAGIC, type TypeMeta } from "./envelope.ts";

/** Bytes that are no protobuf of the type. */
export class ProtobufError extends Error {}

/** Splits a document into its type and the bytes of the object. Throws ProtobufError. */
export function unwrap(document: Buffer): { readonly type: TypeMeta; readonly raw: Buffer } {
  if (!document.subarray(0, 4).equals(MAGIC))
    throw new ProtobufError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  let apiVersion = "";
  let kind = "";
  let raw: Buffer = Buffer.alloc(0);
  for (const part of fields(document.subarray(4))) {
    if (part.field === 2) raw = part.bytes;
    if (part.field !== 1) continue;
    for (const inner of fields(part.bytes))
      if (inner.field === 1) apiVersion = inner.bytes.toString("utf8");
      else if (inner.field === 2) kind = inner.bytes.toString("utf8");
  }
  return { type: { apiVersion, kind }, raw };
}

/** Reads the message `typeName` as the JSON that it stands for. Unknown fields are skipped. Throws ProtobufError. */
export function decodeProtobuf(schema: Schema, typeName: string, bytes: Buffer): JsonObject {
  const type = schema.get(typeName) as MessageType;
  const byNumber = new Map(type.fields.map((field) => [field.number, field]));
  const out: JsonObject = {};
  for (const part of fields(bytes)) {
    const field = byNumber.get(part.field);
    if (field !== undefined) put(schema, out, field, part);
  }
  return out;
}

function put(schema: Schema, out: JsonObject, field: Field, part: Part): void {
  const { type, name } = field;
  if (name === "." && type.kind === "message") {
    Object.assign(out, decodeProtobuf(schema, type.name, part.bytes));
    return;
  }
  if (type.kind === "list") {
    const present = out[name];
    const list = Array.isArray(present) ? present : [];
    list.push(value(schema, type.element, part));
    out[name] = list;
    return;
  }
  if (type.kind === "map") {
    const present = out[name] as JsonObject | undefined;
    const map = present ?? {};
    let key = "";
    let item: Json = zero(type.element);
    for (const inner of fields(part.bytes))
      if (inner.field === 1) key = inner.bytes.toString("utf8");
      else if (inner.field === 2) item = value(schema, type.element, inner);
    map[key] = item;
    out[name] = map;
    return;
  }
  out[name] = value(schema, type, part);
}

function zero(type: FieldType): Json {
  if (type.kind === "scalar") return type.scalar === "quantity" ? "0" : "";
  return type.kind === "list" ? [] : {};
}

function value(schema: Schema, type: FieldType, part: Part): Json {
  if (type.kind === "message") return decodeProtobuf(schema, type.name, part.bytes);
  if (type.kind === "scalar") return scalar(type.scalar, part);
  throw new ProtobufError("a list within a list");
}

function scalar(name: ScalarName, part: Part): Json {
  switch (name) {
    case "string":
      return part.bytes.toString("utf8");
    case "bool":
      return part.number !== 0n;
    case "int32":
    case "int64":
    case "byte":
      return Number(BigInt.asIntN(64, part.number));
    case "double":
      return part.bytes.readDoubleLE(0);
    case "bytes":
      return part.bytes.toString("base64");
    case "quantity":
      return [...fields(part.bytes)].find((inner) => inner.field === 1)?.bytes.toString() ?? "0";
    case "time":
    case "microtime":
      return time(name, part.bytes);
    case "intstr":
      return intOrString(part.bytes);
    case "fieldsv1":
    case "json":
    case "raw":
    case "schemaorarray":
    case "schemaorbool":
    case "schemaorstrings": {
      const raw = [...fields(part.bytes)].find((inner) => inner.field === 1);
      return raw === undefined ? null : (JSON.parse(raw.bytes.toString("utf8")) as Json);
    }
  }
}

function time(name: "time" | "microtime", bytes: Buffer): Json {
  if (bytes.length === 0) return null;
  let seconds = 0;
  let nanos = 0;
  for (const inner of fields(bytes))
    if (inner.field === 1) seconds = Number(BigInt.asIntN(64, inner.number));
    else if (inner.field === 2) nanos = Number(inner.number);
  const text = timeText(seconds * 1000);
  if (name === "time") return text;
  return `${text.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function intOrString(bytes: Buffer): Json {
  let isText = false;
  let number = 0;
  let text = "";
  for (const inner of fields(bytes))
    if (inner.field === 1) isText = inner.number === 1n;
    else if (inner.field === 2) number = Number(BigInt.asIntN(64, inner.number));
    else if (inner.field === 3) text = inner.bytes.toString("utf8");
  return isText ? text : number;
}

interface Part {
  readonly field: number;
  readonly number: bigint;
  readonly bytes: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

function fields(bytes: Buffer): Part[] {
  const out: Part[] = [];
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new ProtobufError("unexpected EOF");
      result |= BigInt(byte & 127) << shift;
      if (byte < 128) return result;
    }
    throw new ProtobufError("proto: integer overflow");
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >>> 3;
    switch (tag & 7) {
      case 0:
        out.push({ field, number: varint(), bytes: NO_BYTES });
        break;
      case 1:
        out.push({ field, number: 0n, bytes: bytes.subarray(at, at + 8) });
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        if (at + length > bytes.length) throw new ProtobufError("unexpected EOF");
        out.push({ field, number: 0n, bytes: bytes.subarray(at, at + length) });
        at += length;
        break;
      }
      default:
        throw new ProtobufError(`proto: illegal wireType ${tag & 7}`);
    }
  }
  return out;
}
