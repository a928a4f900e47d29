import { Fault, errorText } from "../../core/model/fault.ts";

/** Wire types of protobuf (encoding specification, "Message Structure"). */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const GROUP = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
const MAX_GROUP_DEPTH = 16;
const EMPTY: Buffer = Buffer.alloc(0);

// A byte order mark is part of the text here.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads protobuf messages field by field. `pos` never passes `end`, and `end` never passes the message that is read,
 * whatever the bytes say: what would, and what is no protobuf, is a Fault `malformed` that begins with `what`.
 *
 * A message is read as `for (;;) { const tag = reader.tag(); if (tag === 0) break; switch (tag >>> 3) … }`, where each
 * field is taken with one of the methods that are given `tag`, which check its wire type, or with `skip`.
 */
export class WireReader {
  readonly what: string;
  bytes: Buffer = EMPTY;
  pos = 0;
  /** Of the message that is read. */
  end = 0;

  constructor(what: string) {
    this.what = what;
  }

  /** Begins with the message in `bytes` from `start` to `end`, which are within it. */
  over(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
  }

  /** Number and wire type of the next field (number << 3 | type), or 0 at the end of the message. */
  tag(): number {
    if (this.pos >= this.end) return 0;
    const first = this.bytes[this.pos] as number;
    if (first < 0x80) {
      this.pos++;
      if (first < 8) throw this.malformed("a field has number 0");
      return first;
    }
    const tag = this.#varint();
    if (tag >= 2 ** 32) throw this.malformed("a field number is too large");
    if (tag < 8) throw this.malformed("a field has number 0");
    return tag >>> 0;
  }

  /** Goes into the message in this field; `leave` with what it answers when the message was read to its end. */
  enter(tag: number): number {
    const outer = this.end;
    const length = this.length(tag);
    this.end = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.pos = this.end;
    this.end = outer;
  }

  /** Checks that the field is text, bytes or a message, and answers how many bytes follow at `pos`. */
  length(tag: number): number {
    if ((tag & 7) !== BYTES) throw this.#wrongType(tag);
    let length = this.pos < this.end ? (this.bytes[this.pos] as number) : 0x80;
    if (length < 0x80) this.pos++;
    else length = this.#varint();
    if (length > this.end - this.pos) {
      throw this.malformed(
        `field ${tag >>> 3} claims ${length} bytes, ${this.end - this.pos} left`,
      );
    }
    return length;
  }

  /** A text. What is not UTF-8 is a fault. */
  text(tag: number): string {
    const length = this.length(tag);
    const start = this.pos;
    this.pos = start + length;
    return this.textAt(start, this.pos);
  }

  textAt(start: number, end: number): string {
    const { bytes } = this;
    for (let i = start; i < end; i++) {
      if ((bytes[i] as number) >= 0x80) {
        try {
          return utf8.decode(bytes.subarray(start, end));
        } catch (error) {
          throw this.malformed(`a text is not UTF-8: ${errorText(error)}`);
        }
      }
    }
    return bytes.toString("latin1", start, end);
  }

  /** An int32, which is written as 64 bits of which the lower count. */
  int32(tag: number): number {
    if ((tag & 7) !== VARINT) throw this.#wrongType(tag);
    const start = this.pos;
    this.#skipVarint();
    let value = 0;
    const count = Math.min(this.pos - start, 5);
    for (let i = 0; i < count; i++) {
      value |= ((this.bytes[start + i] as number) & 0x7f) << (7 * i);
    }
    return value;
  }

  flag(tag: number): boolean {
    if ((tag & 7) !== VARINT) throw this.#wrongType(tag);
    const start = this.pos;
    this.#skipVarint();
    for (let i = start; i < this.pos; i++) {
      if (((this.bytes[i] as number) & 0x7f) !== 0) return true;
    }
    return false;
  }

  /** Goes past a field that is not wanted, of any wire type. */
  skip(tag: number): void {
    switch (tag & 7) {
      case BYTES:
        // Not with +=, which would read `pos` before `length` moves it.
        this.pos = this.length(tag) + this.pos;
        return;
      case VARINT:
        this.#skipVarint();
        return;
      case FIXED64:
        this.#skipFixed(tag, 8);
        return;
      case FIXED32:
        this.#skipFixed(tag, 4);
        return;
      case GROUP:
        this.#skipGroup(tag, 1);
        return;
      default:
        throw this.#wrongType(tag);
    }
  }

  malformed(why: string): Fault {
    return new Fault("malformed", `${this.what}: ${why}`);
  }

  #wrongType(tag: number): Fault {
    return this.malformed(`field ${tag >>> 3} has wire type ${tag & 7}`);
  }

  #skipFixed(tag: number, size: number): void {
    if (size > this.end - this.pos) throw this.malformed(`field ${tag >>> 3} is cut off`);
    this.pos += size;
  }

  #skipGroup(opening: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw this.malformed("groups are nested too deeply");
    for (;;) {
      const tag = this.tag();
      if (tag === 0) throw this.malformed(`group ${opening >>> 3} does not end`);
      if ((tag & 7) === GROUP_END) {
        if (tag >>> 3 !== opening >>> 3) {
          throw this.malformed(`group ${opening >>> 3} ends as ${tag >>> 3}`);
        }
        return;
      }
      if ((tag & 7) === GROUP) this.#skipGroup(tag, depth + 1);
      else this.skip(tag);
    }
  }

  #skipVarint(): void {
    const limit = Math.min(this.end, this.pos + MAX_VARINT_BYTES);
    for (let pos = this.pos; pos < limit; pos++) {
      if ((this.bytes[pos] as number) < 0x80) {
        this.pos = pos + 1;
        return;
      }
    }
    throw this.malformed("a number is cut off or too long");
  }

  /** As a double: exact below 2^53. */
  #varint(): number {
    const start = this.pos;
    this.#skipVarint();
    let value = 0;
    for (let pos = this.pos - 1; pos >= start; pos--) {
      value = value * 128 + ((this.bytes[pos] as number) & 0x7f);
    }
    return value;
  }
}
