import { WireReader } from "./wire.ts";

/** What a protobuf answer of an API server begins with (apimachinery, runtime/serializer/protobuf). */
export const MAGIC: Buffer = Buffer.from("k8s\0", "latin1");

/** What an object in protobuf says of itself (runtime.TypeMeta). */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** An object within its envelope: its kind, and where in the bytes it is. */
export interface Enveloped extends ObjectKind {
  readonly start: number;
  readonly end: number;
}

/** Whether `bytes` from `start` begin an envelope. */
export function hasMagic(bytes: Buffer, start: number, end: number): boolean {
  return end - start >= MAGIC.length && MAGIC.compare(bytes, start, start + MAGIC.length) === 0;
}

/** The type that the reader stands in. */
export function readKind(reader: WireReader): ObjectKind {
  let apiVersion = "";
  let kind = "";
  for (;;) {
    const tag = reader.tag();
    if (tag === 0) return { apiVersion, kind };
    if (tag >>> 3 === 1) apiVersion = reader.text(tag);
    else if (tag >>> 3 === 2) kind = reader.text(tag);
    else reader.skip(tag);
  }
}

/**
 * Opens the magic number and runtime.Unknown that every object in protobuf comes in. Throws a Fault `malformed`, which
 * begins with `what`, when the bytes are none, or when the object within is encoded once more.
 */
export function openEnvelope(what: string, bytes: Buffer, start: number, end: number): Enveloped {
  const reader = new WireReader(what);
  if (!hasMagic(bytes, start, end)) throw reader.malformed("an object without its magic number");
  reader.over(bytes, start + MAGIC.length, end);
  let type: ObjectKind = { apiVersion: "", kind: "" };
  let objectStart = end;
  let objectEnd = end;
  for (;;) {
    const tag = reader.tag();
    if (tag === 0) return { ...type, start: objectStart, end: objectEnd };
    const field = tag >>> 3;
    if (field === 1) {
      const outer = reader.enter(tag);
      type = readKind(reader);
      reader.leave(outer);
    } else if (field === 2) {
      const length = reader.length(tag);
      objectStart = reader.pos;
      objectEnd = reader.pos += length;
    } else if (field === 3) refuseEncoding(reader, tag);
    else reader.skip(tag);
  }
}

/** Field 3 of runtime.Unknown: an encoding on top of protobuf, of which there is none today. */
export function refuseEncoding(reader: WireReader, tag: number): void {
  const encoding = reader.text(tag);
  if (encoding !== "") throw reader.malformed(`an object in content encoding "${encoding}"`);
}
