const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

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
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    }
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    const known = this.#slots[slot];
    if (known !== undefined && isEqual(known.bytes, bytes, start, end)) return known.value;
    const value = make(start, end);
    this.#slots[slot] = { bytes: Buffer.from(bytes.subarray(start, end)), value };
    return value;
  }
}

function isEqual(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    if (known[i] !== bytes[start + i]) return false;
  }
  return true;
}
