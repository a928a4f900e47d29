import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { containsIp, formatCidr, networkOf, parseCidr } from "../../../src/core/address/cidr.ts";
import { formatIp, parseIp, type Ip } from "../../../src/core/address/ip.ts";

const ips: fc.Arbitrary<Ip> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((bits) => ({ family: 4 as const, bits })),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((bits) => ({ family: 6 as const, bits })),
  fc.bigInt({ min: 0n, max: 2n ** 16n - 1n }).map((bits) => ({ family: 6 as const, bits })),
);

test("printing then parsing an address is the identity", () => {
  fc.assert(fc.property(ips, (ip) => expect(parseIp(formatIp(ip))).toEqual(ip)));
});

test("printing then parsing a range is the identity, and it holds its address", () => {
  fc.assert(
    fc.property(ips, fc.nat(128), (ip, prefix) => {
      const cidr = networkOf(ip, Math.min(prefix, ip.family === 4 ? 32 : 128));
      expect(parseCidr(formatCidr(cidr))).toEqual(cidr);
      expect(containsIp(cidr, ip)).toBe(true);
    }),
  );
});
