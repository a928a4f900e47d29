import { BackwardWriter, WIRE } from "./writer.ts";

/** What every Kubernetes protobuf document begins with. */
export const MAGIC: Buffer = Buffer.from("k8s\0", "latin1");

/** A type as envelopes name it. */
export interface TypeMeta {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * The two parts of a document around `rawLength` bytes of the object itself
 * (runtime.Unknown: typeMeta 1, raw 2, contentEncoding 3, contentType 4).
 */
export function envelope(
  type: TypeMeta,
  rawLength: number,
): { readonly before: Buffer; readonly after: Buffer } {
  const writer = new BackwardWriter(256);
  writer.varint(rawLength);
  writer.tag(2, WIRE.bytes);
  const raw = writer.length;
  writer.stringField(2, type.kind);
  writer.stringField(1, type.apiVersion);
  writer.varint(writer.length - raw);
  writer.tag(1, WIRE.bytes);
  writer.bytes(MAGIC);
  const before = writer.finish();
  writer.reset();
  writer.stringField(4, "");
  writer.stringField(3, "");
  return { before, after: writer.finish() };
}

/** A whole document. */
export function wrap(type: TypeMeta, raw: Buffer): Buffer {
  const { before, after } = envelope(type, raw.length);
  return Buffer.concat([before, raw, after]);
}

/** The tag and length before a nested message of `length` bytes. */
export function fieldHeader(field: number, length: number): Buffer {
  const writer = new BackwardWriter(16);
  writer.varint(length);
  writer.tag(field, WIRE.bytes);
  return writer.finish();
}

/** One frame of a watch: its length in four bytes, then a WatchEvent (type 1, object 2 {raw 1}). */
export function watchFrame(type: string, document: Buffer): Buffer {
  const raw = fieldHeader(1, document.length);
  const object = fieldHeader(2, raw.length + document.length);
  const writer = new BackwardWriter(32);
  writer.stringField(1, type);
  const head = writer.finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length + object.length + raw.length + document.length);
  return Buffer.concat([length, head, object, raw, document]);
}
