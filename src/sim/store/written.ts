import type { Stored } from "./stored.ts";

/** The two forms in which an object is stored or sent. */
export type WrittenForm = "json" | "protobuf";

/** An object that writes itself straight into a buffer, and knows how long it will be. */
export interface WrittenStored extends Stored {
  /** How many bytes `write` writes. */
  lengthAs(form: WrittenForm): number;
  /** Writes the object, without type or envelope, into `target` at `at`. */
  write(form: WrittenForm, target: Buffer, at: number): void;
}

/** Whether `stored` writes itself. */
export function writesItself(stored: Stored): stored is WrittenStored {
  return "lengthAs" in stored;
}

/** The bytes of an object that writes itself. */
export function bytesOf(stored: WrittenStored, form: WrittenForm): Buffer {
  const out = Buffer.allocUnsafe(stored.lengthAs(form));
  stored.write(form, out, 0);
  return out;
}
