/** Wire types of protobuf that Kubernetes uses. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2 } as const;

/**
 * Writes protobuf from the end to the beginning, so that the length of a nested message is known when
 * its tag is written. Fields are therefore given last first.
 */
export class BackwardWriter {
  private buffer: Buffer;
  private position: number;

  constructor(capacity = 16_384) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.position = capacity;
  }

  /** How much has been written. */
  get length(): number {
    return this.buffer.length - this.position;
  }

  /** Forgets what was written. */
  reset(): void {
    this.position = this.buffer.length;
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.buffer.subarray(this.position));
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** A whole number; negative ones take ten bytes, as int32 and int64 do. */
  varint(value: number): void {
    if (value < 0 || value > 0x7fffffff) {
      this.bigVarint(BigInt(value));
      return;
    }
    let size = 1;
    for (let rest = value; rest > 127; rest >>>= 7) size++;
    this.reserve(size);
    let at = this.position - size;
    this.position = at;
    let rest = value;
    while (rest > 127) {
      this.buffer[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.buffer[at] = rest;
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length);
    this.position -= value.length;
    this.buffer.set(value, this.position);
  }

  /** UTF-8 text without its length; gives the length. */
  text(value: string): number {
    const size = Buffer.byteLength(value);
    this.reserve(size);
    this.position -= size;
    this.buffer.write(value, this.position, size, "utf8");
    return size;
  }

  double(value: number): void {
    this.reserve(8);
    this.position -= 8;
    this.buffer.writeDoubleLE(value, this.position);
  }

  /** A length-delimited field of text. */
  stringField(field: number, value: string): void {
    this.varint(this.text(value));
    this.tag(field, WIRE.bytes);
  }

  private bigVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 128);
    } while (rest !== 0n);
    this.bytes(Uint8Array.from(bytes));
  }

  private reserve(size: number): void {
    if (this.position >= size) return;
    const used = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, used + size));
    this.buffer.copy(grown, grown.length - used, this.position);
    this.position = grown.length - used;
    this.buffer = grown;
  }
}
