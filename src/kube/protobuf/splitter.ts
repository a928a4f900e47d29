import { Fault } from "../../core/model/fault.ts";

/** More room than this is given up when no element is held. */
const IDLE_BYTES = 64 * 1024;

const NOTHING: Buffer = Buffer.alloc(0);

/** What cuts a stream of bytes into elements. */
export interface Cutter {
  /**
   * The size of the element at `start`, or 0 when the bytes up to `end` do not tell yet. A size is at least 1, and a
   * head that is long without telling one is a Fault.
   */
  sizeAt(bytes: Buffer, start: number, end: number): number;
  /** One whole element. The bytes are valid only during the call. */
  take(bytes: Buffer, start: number, end: number): void;
}

/**
 * Hands whole elements to a Cutter as pieces arrive, wherever those are cut. Elements that lie within a piece are not
 * copied; of a stream of any length, one element at most is held, and room is made for it only as its bytes arrive.
 */
export class Splitter {
  readonly #what: string;
  readonly #cutter: Cutter;
  readonly #maxBytes: number;
  #held: Buffer = NOTHING;
  #heldBytes = 0;
  /** Of the element that is held in part; 0 while it is not known. */
  #size = 0;

  /** An element of more than `maxBytes` is a Fault that begins with `what`. */
  constructor(what: string, maxBytes: number, cutter: Cutter) {
    this.#what = what;
    this.#maxBytes = maxBytes;
    this.#cutter = cutter;
  }

  /** How many bytes of an unfinished element are held. */
  get pending(): number {
    return this.#heldBytes;
  }

  push(piece: Buffer): void {
    let pos = this.#heldBytes === 0 ? 0 : this.#finish(piece);
    while (pos < piece.length) {
      const size = this.#sizeAt(piece, pos, piece.length);
      if (size === 0 || size > piece.length - pos) {
        this.#size = size;
        this.#hold(piece, pos, piece.length);
        return;
      }
      this.#cutter.take(piece, pos, pos + size);
      pos += size;
    }
  }

  /** Completes the held element from the head of `piece`; answers how much of that it took. */
  #finish(piece: Buffer): number {
    let pos = 0;
    while (this.#size === 0) {
      if (pos === piece.length) return pos;
      this.#hold(piece, pos, ++pos);
      this.#size = this.#sizeAt(this.#held, 0, this.#heldBytes);
    }
    const missing = Math.min(this.#size - this.#heldBytes, piece.length - pos);
    this.#hold(piece, pos, pos + missing);
    if (this.#heldBytes === this.#size) this.#release();
    return pos + missing;
  }

  #release(): void {
    const whole = this.#held;
    const size = this.#size;
    this.#heldBytes = 0;
    this.#size = 0;
    if (whole.length > IDLE_BYTES) this.#held = NOTHING;
    this.#cutter.take(whole, 0, size);
  }

  #hold(piece: Buffer, start: number, end: number): void {
    const bytes = this.#heldBytes + end - start;
    if (bytes > this.#held.length) {
      const wider = Buffer.allocUnsafe(Math.max(bytes, this.#held.length * 2, 4_096));
      this.#held.copy(wider, 0, 0, this.#heldBytes);
      this.#held = wider;
    }
    piece.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = bytes;
  }

  #sizeAt(bytes: Buffer, start: number, end: number): number {
    const size = this.#cutter.sizeAt(bytes, start, end);
    if (size > this.#maxBytes) {
      throw new Fault(
        "malformed",
        `${this.#what}: an element of ${size} bytes, ${this.#maxBytes} are allowed`,
      );
    }
    return size;
  }
}
