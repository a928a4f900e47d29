import { isObject, type Json, type JsonObject } from "../json.ts";
import type { Field, FieldType, MessageType, ScalarName, Schema } from "../schema/parse.ts";
import { BackwardWriter, WIRE } from "./writer.ts";

/** Scalars that are messages in protobuf. */
type SpecialName = Exclude<ScalarName, "string" | "bool" | "int32" | "int64" | "byte" | "double">;

/**
 * Encodes objects as API servers do: fields in the order of their numbers, maps by key, and values that
 * are no pointers also when they are zero.
 */
export class ProtobufEncoder {
  private readonly schema: Schema;
  private readonly writer = new BackwardWriter();

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /** The bytes of the message `typeName`, without an envelope. */
  encode(typeName: string, object: JsonObject): Buffer {
    this.writer.reset();
    this.message(this.schema.get(typeName) as MessageType, object);
    return this.writer.finish();
  }

  private message(type: MessageType, object: JsonObject): void {
    for (let index = type.fields.length - 1; index >= 0; index--) {
      const field = type.fields[index] as Field;
      if (field.name === ".") this.nested(field.number, field.type, object);
      else this.field(field, object[field.name]);
    }
  }

  private field(field: Field, value: Json | undefined): void {
    const { type, number } = field;
    if (value === undefined || value === null) {
      if (!field.pointer) this.zero(number, type);
      return;
    }
    if (type.kind === "list") {
      if (Array.isArray(value))
        for (let index = value.length - 1; index >= 0; index--)
          this.nested(number, type.element, value[index] as Json);
      return;
    }
    if (type.kind === "map") {
      if (isObject(value)) this.map(number, type.element, value);
      return;
    }
    this.nested(number, type, value);
  }

  /** What is written for a value that is absent and no pointer. */
  private zero(number: number, type: FieldType): void {
    if (type.kind === "message") {
      this.nested(number, type, {});
      return;
    }
    if (type.kind !== "scalar") return;
    switch (type.scalar) {
      case "string":
        this.nested(number, type, "");
        return;
      case "bool":
        this.nested(number, type, false);
        return;
      case "int32":
      case "int64":
      case "double":
      case "byte":
      case "intstr":
        this.nested(number, type, 0);
        return;
      case "quantity":
        this.nested(number, type, "0");
        return;
      case "time":
      case "microtime":
      case "raw":
        this.writer.varint(0);
        this.writer.tag(number, WIRE.bytes);
        return;
      case "bytes":
      case "fieldsv1":
      case "json":
      case "schemaorarray":
      case "schemaorbool":
      case "schemaorstrings":
        return;
    }
  }

  private map(number: number, element: FieldType, map: JsonObject): void {
    for (const key of Object.keys(map).toSorted().toReversed()) {
      const start = this.writer.length;
      this.nested(2, element, map[key] as Json);
      this.writer.stringField(1, key);
      this.close(number, start);
    }
  }

  /** One value with its tag. */
  private nested(number: number, type: FieldType, value: Json): void {
    if (type.kind === "scalar") {
      this.scalar(number, type.scalar, value);
      return;
    }
    const start = this.writer.length;
    if (type.kind === "message")
      this.message(this.schema.get(type.name) as MessageType, isObject(value) ? value : {});
    this.close(number, start);
  }

  private close(number: number, start: number): void {
    this.writer.varint(this.writer.length - start);
    this.writer.tag(number, WIRE.bytes);
  }

  private scalar(number: number, scalar: ScalarName, value: Json): void {
    const { writer } = this;
    switch (scalar) {
      case "string":
        writer.stringField(number, typeof value === "string" ? value : "");
        return;
      case "bool":
        writer.varint(value === true ? 1 : 0);
        writer.tag(number, WIRE.varint);
        return;
      case "int32":
      case "int64":
      case "byte":
        writer.varint(typeof value === "number" ? value : 0);
        writer.tag(number, WIRE.varint);
        return;
      case "double":
        writer.double(typeof value === "number" ? value : 0);
        writer.tag(number, WIRE.fixed64);
        return;
      case "bytes":
      case "fieldsv1":
      case "intstr":
      case "json":
      case "microtime":
      case "quantity":
      case "raw":
      case "schemaorarray":
      case "schemaorbool":
      case "schemaorstrings":
      case "time": {
        const start = writer.length;
        this.special(scalar, value);
        this.close(number, start);
      }
    }
  }

  private special(scalar: SpecialName, value: Json): void {
    const { writer } = this;
    const text = typeof value === "string" ? value : "";
    switch (scalar) {
      case "bytes":
        writer.bytes(Buffer.from(text, "base64"));
        return;
      case "quantity":
        writer.stringField(1, text);
        return;
      case "time":
      case "microtime":
        this.time(scalar, text);
        return;
      case "intstr": {
        const isText = typeof value === "string";
        writer.stringField(3, text);
        writer.varint(typeof value === "number" ? value : 0);
        writer.tag(2, WIRE.varint);
        writer.varint(isText ? 1 : 0);
        writer.tag(1, WIRE.varint);
        return;
      }
      case "fieldsv1":
      case "json":
      case "raw":
      case "schemaorarray":
      case "schemaorbool":
      case "schemaorstrings":
        writer.stringField(1, JSON.stringify(value));
    }
  }

  private time(scalar: "time" | "microtime", text: string): void {
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) return;
    const micros =
      scalar === "microtime" ? Number((/\.(\d{1,6})/.exec(text)?.[1] ?? "0").padEnd(6, "0")) : 0;
    this.writer.varint(micros * 1000);
    this.writer.tag(2, WIRE.varint);
    this.writer.varint(Math.floor(ms / 1000));
    this.writer.tag(1, WIRE.varint);
  }
}
