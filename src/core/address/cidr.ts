import { formatIp, parseIp, type Family, type Ip } from "./ip.ts";

/** A range of addresses: `bits` is the first one, its host bits zero; `prefix` counts the fixed bits. */
export interface Cidr {
  readonly family: Family;
  readonly bits: bigint;
  readonly prefix: number;
}

function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** The network of `prefix` fixed bits that holds `ip`. `prefix` is 0 to 32 or 0 to 128. */
export function networkOf(ip: Ip, prefix: number): Cidr {
  const hostBits = BigInt(width(ip.family) - prefix);
  return { family: ip.family, bits: (ip.bits >> hostBits) << hostBits, prefix };
}

/** The range that `text` spells (`10.0.0.0/8`, `fd00::/8`), host bits masked, or undefined. A bare address is refused. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (ip === undefined || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = Number(length);
  return prefix > width(ip.family) ? undefined : networkOf(ip, prefix);
}

/** The canonical text of `cidr`, e.g. `10.0.0.0/8`. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr)}/${cidr.prefix}`;
}

/** The range that holds only `ip`: /32 or /128. */
export function hostCidr(ip: Ip): Cidr {
  return { family: ip.family, bits: ip.bits, prefix: width(ip.family) };
}

/** Whether `ip` lies in `cidr`. Addresses of the other family never do. */
export function containsIp(cidr: Cidr, ip: Ip): boolean {
  if (cidr.family !== ip.family) return false;
  const hostBits = BigInt(width(cidr.family) - cidr.prefix);
  return cidr.bits >> hostBits === ip.bits >> hostBits;
}

/** Whether every address of `inner` lies in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.prefix <= inner.prefix && containsIp(outer, inner);
}

/** Order for sorting: IPv4 before IPv6, then by first address, then the wider first. */
export function compareCidrs(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.bits !== b.bits) return a.bits < b.bits ? -1 : 1;
  return a.prefix - b.prefix;
}
