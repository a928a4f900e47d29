import type { PodRecord } from "../../core/model/pod.ts";
import type { ListPage } from "../../core/reflector/store.ts";
import { hasMagic, MAGIC, readKind, refuseEncoding } from "./envelope.ts";
import type { PodDecoder } from "./pod.ts";
import { Splitter, type Cutter } from "./splitter.ts";
import { WireReader } from "./wire.ts";

/** etcd holds objects of 1.5 MiB; whatever else a server adds to one, this is none. */
const MAX_ELEMENT_BYTES = 16 * 1024 * 1024;
const MAX_VARINT_BYTES = 10;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;

/** Where in the answer the next element is: the magic number, a field of runtime.Unknown, a field of the PodList. */
type Place = "magic" | "envelope" | "list";

/**
 * A PodList in protobuf, decoded as it arrives: of a list of any length, one pod at most is held.
 * Faults (`malformed`) begin with `what`. What `onItem` was given before a fault are facts, but not the whole.
 */
export class PodListBody implements Cutter {
  readonly #pods: PodDecoder;
  readonly #onItem: (pod: PodRecord) => void;
  readonly #reader: WireReader;
  readonly #splitter: Splitter;
  #place: Place = "magic";
  #kind = "";
  #hasList = false;
  /** Bytes of the PodList that are not taken yet. */
  #listBytes = 0;
  #resourceVersion = "";
  #continueToken = "";

  constructor(what: string, pods: PodDecoder, onItem: (pod: PodRecord) => void) {
    this.#pods = pods;
    this.#onItem = onItem;
    this.#reader = new WireReader(what);
    this.#splitter = new Splitter(what, MAX_ELEMENT_BYTES, this);
  }

  push(piece: Buffer): void {
    this.#splitter.push(piece);
  }

  /** The answer ended. Throws a Fault unless the list is whole. */
  end(): ListPage {
    if (this.#splitter.pending > 0 || this.#place !== "envelope" || !this.#hasList) {
      throw this.#reader.malformed("the list is cut off");
    }
    if (this.#resourceVersion === "") {
      throw this.#reader.malformed("the list has no metadata.resourceVersion");
    }
    return { resourceVersion: this.#resourceVersion, continueToken: this.#continueToken };
  }

  sizeAt(bytes: Buffer, start: number, end: number): number {
    if (this.#place === "magic") return MAGIC.length;
    const tag = varintAt(bytes, start, end);
    if (tag === undefined) return this.#unknown(start, end);
    const type = tag.value & 7;
    // The one element that is not taken whole: of the list itself, only the head.
    const isList = this.#place === "envelope" && tag.value >>> 3 === 2;
    if (type === BYTES) {
      const length = varintAt(bytes, tag.end, end);
      if (length === undefined) return this.#unknown(start, end);
      return this.#within(length.end - start + (isList ? 0 : length.value));
    }
    if (type === GROUP || type === GROUP_END) {
      throw this.#reader.malformed(`field ${tag.value >>> 3} has wire type ${type}`);
    }
    if (type === 0) {
      const value = varintAt(bytes, tag.end, end);
      return value === undefined ? this.#unknown(start, end) : this.#within(value.end - start);
    }
    return this.#within(tag.end - start + (type === 1 ? 8 : 4));
  }

  take(bytes: Buffer, start: number, end: number): void {
    if (this.#place === "magic") {
      if (!hasMagic(bytes, start, end)) {
        throw this.#reader.malformed("the answer does not begin as Kubernetes protobuf");
      }
      this.#place = "envelope";
    } else if (this.#place === "envelope") this.#takeOfEnvelope(bytes, start, end);
    else this.#takeOfList(bytes, start, end);
  }

  #takeOfEnvelope(bytes: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    reader.over(bytes, start, end);
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === 1) {
      const outer = reader.enter(tag);
      this.#kind = readKind(reader).kind;
      reader.leave(outer);
    } else if (field === 2) {
      if (this.#hasList) throw reader.malformed("the answer holds a second list");
      if (this.#kind !== "PodList") {
        throw reader.malformed(`the answer is no PodList but "${this.#kind}"`);
      }
      if ((tag & 7) !== BYTES) throw reader.malformed(`field 2 has wire type ${tag & 7}`);
      this.#hasList = true;
      this.#listBytes = varintAt(bytes, reader.pos, end)?.value ?? 0;
      if (this.#listBytes > 0) this.#place = "list";
    } else if (field === 3) refuseEncoding(reader, tag);
    else reader.skip(tag);
  }

  #takeOfList(bytes: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    reader.over(bytes, start, end);
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === 1) {
      const outer = reader.enter(tag);
      this.#metadata();
      reader.leave(outer);
    } else if (field === 2) {
      const length = reader.length(tag);
      this.#onItem(this.#pods.decode(bytes, reader.pos, reader.pos + length));
    } else reader.skip(tag);
    this.#listBytes -= end - start;
    if (this.#listBytes === 0) this.#place = "envelope";
  }

  #metadata(): void {
    const reader = this.#reader;
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) return;
      if (tag >>> 3 === 2) this.#resourceVersion = reader.text(tag);
      else if (tag >>> 3 === 3) this.#continueToken = reader.text(tag);
      else reader.skip(tag);
    }
  }

  #within(size: number): number {
    if (this.#place === "list" && size > this.#listBytes) {
      throw this.#reader.malformed(`an item of ${size} bytes, ${this.#listBytes} are left`);
    }
    return size;
  }

  #unknown(start: number, end: number): number {
    if (end - start >= 2 * MAX_VARINT_BYTES) throw this.#reader.malformed("a number is too long");
    return 0;
  }
}

/** The number at `start` (a double: exact below 2^53) and where it ends; undefined when it goes on after `end`, or too long. */
function varintAt(
  bytes: Buffer,
  start: number,
  end: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let unit = 1;
  const limit = Math.min(end, start + MAX_VARINT_BYTES);
  for (let pos = start; pos < limit; pos++) {
    const byte = bytes[pos] as number;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return { value, end: pos + 1 };
    unit *= 128;
  }
  return undefined;
}
