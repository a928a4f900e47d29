import type { JsonObject } from "../json.ts";
import type { ProtobufEncoder } from "../protobuf/encode.ts";
import type { WrittenForm } from "../store/written.ts";

/** The object as a function of its variable texts. */
export type Draw = (slots: readonly string[]) => JsonObject;

/** More than the length of any text: keys of forms are numbers to this base. */
const KEY_BASE = 80;

/**
 * Objects that differ in a few texts only, written by copying: the object is drawn once with marks of the
 * right lengths, encoded, and the marks are found in the result. Texts are ASCII, 2 to 79 characters, no
 * more than eight of them.
 */
export class Template {
  private readonly draw: Draw;
  private readonly message: string;
  private readonly encoder: ProtobufEncoder;
  private readonly copies = new Map<number, Readonly<Record<WrittenForm, Copy>>>();

  constructor(draw: Draw, message: string, encoder: ProtobufEncoder) {
    this.draw = draw;
    this.message = message;
    this.encoder = encoder;
  }

  /** The object. */
  object(slots: readonly string[]): JsonObject {
    return this.draw(slots);
  }

  /** How long the object is in this form. */
  lengthAs(form: WrittenForm, slots: readonly string[]): number {
    return this.copy(slots)[form].bytes.length;
  }

  /** Writes the object into `target` at `at`. */
  write(form: WrittenForm, slots: readonly string[], target: Buffer, at: number): void {
    const { bytes, places } = this.copy(slots)[form];
    target.set(bytes, at);
    for (let index = 0; index < places.length; index += 2) {
      const text = slots[places[index] as number] as string;
      target.write(text, at + (places[index + 1] as number), text.length, "latin1");
    }
  }

  private copy(slots: readonly string[]): Readonly<Record<WrittenForm, Copy>> {
    let key = 0;
    for (const slot of slots) key = key * KEY_BASE + slot.length;
    let copy = this.copies.get(key);
    if (copy === undefined) this.copies.set(key, (copy = this.make(slots)));
    return copy;
  }

  private make(slots: readonly string[]): Readonly<Record<WrittenForm, Copy>> {
    const marks = slots.map((slot, index) => mark(index, slot.length));
    const drawn = this.draw(marks);
    return {
      json: find(Buffer.from(JSON.stringify(drawn)), marks),
      protobuf: find(this.encoder.encode(this.message, drawn), marks),
    };
  }
}

interface Copy {
  readonly bytes: Buffer;
  /** Slot and offset in turn, by offset. */
  readonly places: readonly number[];
}

function find(bytes: Buffer, marks: readonly string[]): Copy {
  const found: [number, number][] = [];
  for (const [slot, wanted] of marks.entries())
    for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1))
      found.push([slot, at]);
  return { bytes, places: found.toSorted(([, a], [, b]) => a - b).flat() };
}

/** `length` characters that stand for a slot: `~AAA~`. */
function mark(slot: number, length: number): string {
  return `~${String.fromCharCode(65 + slot).repeat(length - 2)}~`;
}
