/** An address family: IPv4 or IPv6. */
export type Family = 4 | 6;

/** An IP address as a number: 32 bits for family 4, 128 bits for family 6. */
export interface Ip {
  readonly family: Family;
  readonly bits: bigint;
}

const ZERO = 48;
const NINE = 57;
const DOT = 46;

/** The dotted quad in `text` as an unsigned 32-bit number, or -1. Leading zeros are refused (RFC 6943 3.1.1). */
function parseIpv4(text: string): number {
  let value = 0;
  let octet = -1;
  let octets = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0) return -1;
      value = value * 256 + octet;
      octets++;
      octet = -1;
    } else if (code >= ZERO && code <= NINE) {
      if (octet === 0) return -1;
      octet = (octet < 0 ? 0 : octet * 10) + (code - ZERO);
      if (octet > 255) return -1;
    } else {
      return -1;
    }
  }
  return octets === 4 ? value : -1;
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".")) {
      if (index !== parts.length - 1) return undefined;
      const quad = parseIpv4(part);
      if (quad < 0) return undefined;
      groups.push(Math.floor(quad / 65536), quad % 65536);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  if (halves.length === 2 && (halves[0] ?? "").includes(".")) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/**
 * The address that `text` spells, or undefined.
 * IPv4 with leading zeros and IPv6 with a zone are refused; an IPv4-mapped address stays family 6.
 */
export function parseIp(text: string): Ip | undefined {
  if (text.includes(":")) {
    const bits = parseIpv6(text);
    return bits === undefined ? undefined : { family: 6, bits };
  }
  const value = parseIpv4(text);
  return value < 0 ? undefined : { family: 4, bits: BigInt(value) };
}

function formatIpv6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((bits >> BigInt(112 - 16 * i)) & 0xffffn),
  );
  if (bits >> 32n === 0xffffn) {
    return `::ffff:${formatIpv4(bits & 0xffff_ffffn)}`;
  }
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (start < 0) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function formatIpv4(bits: bigint): string {
  const value = Number(bits);
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/** The canonical text of `ip`: dotted quad, or RFC 5952. */
export function formatIp(ip: Ip): string {
  return ip.family === 4 ? formatIpv4(ip.bits) : formatIpv6(ip.bits);
}

/** The canonical text of the address that `text` spells, or undefined when it is not an address. */
export function canonicalIp(text: string): string | undefined {
  if (!text.includes(":")) return parseIpv4(text) < 0 ? undefined : text;
  const ip = parseIp(text);
  return ip === undefined ? undefined : formatIp(ip);
}

/** Whether `ip` is an IPv4-mapped IPv6 address, `::ffff:0:0/96` (RFC 4291 2.5.5.2). */
export function isIpv4Mapped(ip: Ip): boolean {
  return ip.family === 6 && ip.bits >> 32n === 0xffffn;
}
