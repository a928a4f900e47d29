import { describe, expect, test } from "@jest/globals";
import {
  compareCidrs,
  containsCidr,
  containsIp,
  formatCidr,
  parseCidr,
} from "../../../../src/core/address/cidr.ts";
import { canonicalIp, formatIp, isIpv4Mapped, parseIp } from "../../../../src/core/address/ip.ts";

describe("addresses", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "::"],
    ["::1", "::1"],
    ["FD00:10:244::5", "fd00:10:244::5"],
    ["fd00:0010:0244:0:0:0:0:0005", "fd00:10:244::5"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1::", "1::"],
    ["::ffff:10.1.2.3", "::ffff:10.1.2.3"],
    ["::ffff:a01:203", "::ffff:10.1.2.3"],
    ["64:ff9b::10.1.2.3", "64:ff9b::a01:203"],
  ])("%s is written %s", (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  test.each([
    "",
    "10.0.0",
    "10.0.0.0.1",
    "10.0.0.256",
    "10.0.0.01",
    "010.0.0.1",
    "10.0.0.",
    ".10.0.0",
    "10..0.1",
    " 10.0.0.1",
    "10.0.0.1/32",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8:9",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "1.2.3.4::",
    "::1.2.3",
    "::1.2.3.4:5",
  ])("%j is not an address", (text) => {
    expect(parseIp(text)).toBeUndefined();
    expect(canonicalIp(text)).toBeUndefined();
  });

  test("an IPv4-mapped address is seen however it is spelt", () => {
    const mapped = parseIp("::ffff:a01:203");
    expect(mapped !== undefined && isIpv4Mapped(mapped)).toBe(true);
    const plain = parseIp("10.1.2.3");
    expect(plain !== undefined && isIpv4Mapped(plain)).toBe(false);
  });
});

describe("ranges", () => {
  const cidr = (text: string) => {
    const parsed = parseCidr(text);
    if (parsed === undefined) throw new Error(`bad test data ${text}`);
    return parsed;
  };
  const ip = (text: string) => {
    const parsed = parseIp(text);
    if (parsed === undefined) throw new Error(`bad test data ${text}`);
    return parsed;
  };

  test.each([
    ["10.10.1.12/24", "10.10.1.0/24"],
    ["10.0.0.1/0", "0.0.0.0/0"],
    ["10.0.0.1/32", "10.0.0.1/32"],
    ["fd00:10:244::5/32", "fd00:10::/32"],
    ["::/0", "::/0"],
  ])("%s masks its host bits to %s", (text, canonical) => {
    expect(formatCidr(cidr(text))).toBe(canonical);
  });

  test.each(["10.0.0.1", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/", "::/129", "/8"])(
    "%j is not a range",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  test("containment ends exactly at the edges and never crosses families", () => {
    const net = cidr("10.1.0.0/16");
    expect(containsIp(net, ip("10.1.0.0"))).toBe(true);
    expect(containsIp(net, ip("10.1.255.255"))).toBe(true);
    expect(containsIp(net, ip("10.0.255.255"))).toBe(false);
    expect(containsIp(net, ip("10.2.0.0"))).toBe(false);
    expect(containsIp(cidr("0.0.0.0/0"), ip("::1"))).toBe(false);
    expect(containsIp(cidr("::/0"), ip("::ffff:10.1.0.1"))).toBe(true);
    expect(containsCidr(net, cidr("10.1.2.0/24"))).toBe(true);
    expect(containsCidr(cidr("10.1.2.0/24"), net)).toBe(false);
  });

  test("sorting is numeric, IPv4 first", () => {
    const sorted = ["fd00::1/128", "10.0.0.10/32", "10.0.0.9/32", "10.0.0.0/8"]
      .map(cidr)
      .toSorted(compareCidrs)
      .map(formatCidr);
    expect(sorted).toEqual(["10.0.0.0/8", "10.0.0.9/32", "10.0.0.10/32", "fd00::1/128"]);
    expect(formatIp(ip("10.0.0.9"))).toBe("10.0.0.9");
  });
});
