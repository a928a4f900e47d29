const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

const HASHED_BYTES = 128;
/** From here on a call of memcmp costs less than a loop. */
const NATIVE_BYTES = 48;

interface Entry<T> {
  readonly bytes: Buffer;
  readonly value: T;
}

/**
 * Values by the bytes that they were made of, so that what comes again costs a comparison and no memory. A value that
 * falls on another's slot takes its place: the table never grows, and a value that is forgotten is only made again.
 */
export class Interner<T> {
  readonly #slots: (Entry<T> | undefined)[];
  readonly #mask: number;
  /** What was asked for last, as pods of one owner follow one another. */
  #last: Entry<T> | undefined;
  readonly #maxBytes: number;

  /** `slots` is a power of two. Values of more than `maxBytes` bytes are not kept. */
  constructor(slots: number, maxBytes: number) {
    this.#slots = Array.from<undefined>({ length: slots });
    this.#mask = slots - 1;
    this.#maxBytes = maxBytes;
  }

  /** The value of these bytes, made by `make` when it is not known. What `make` throws goes on. */
  of(bytes: Buffer, start: number, end: number, make: (start: number, end: number) => T): T {
    if (end - start > this.#maxBytes) return make(start, end);
    const last = this.#last;
    if (last !== undefined && isEqual(last.bytes, bytes, start, end)) return last.value;
    // Of a long value some bytes must do: a hash that is not spread well costs time, never truth.
    const step = end - start <= HASHED_BYTES ? 1 : Math.ceil((end - start) / HASHED_BYTES);
    let hash = FNV_OFFSET ^ (end - start);
    for (let i = start; i < end; i += step) {
      hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    }
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    const known = this.#slots[slot];
    if (known !== undefined && isEqual(known.bytes, bytes, start, end)) {
      this.#last = known;
      return known.value;
    }
    const value = make(start, end);
    const entry = { bytes: Buffer.from(bytes.subarray(start, end)), value };
    this.#slots[slot] = entry;
    this.#last = entry;
    return value;
  }
}

function isEqual(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  if (known.length >= NATIVE_BYTES) return known.compare(bytes, start, end) === 0;
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false;
  }
  return true;
}
