import { expect, test } from "@jest/globals";
import { parseCidr, type Cidr } from "../../../../src/core/address/cidr.ts";
import { makeFence, OPEN_FENCE } from "../../../../src/core/address/fence.ts";
import { parseIp } from "../../../../src/core/address/ip.ts";

const cidr = (text: string): Cidr => {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`bad test data ${text}`);
  return parsed;
};

const refusal = (fence: typeof OPEN_FENCE, text: string): string | undefined => {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`bad test data ${text}`);
  return fence.refusal(ip);
};

test.each([
  ["10.1.2.3", undefined],
  ["fd00::1", undefined],
  ["2001:db8::1", undefined],
  ["0.0.0.0", "is an unspecified address"],
  ["::", "is an unspecified address"],
  ["127.0.0.1", "is a loopback address"],
  ["::1", "is a loopback address"],
  ["169.254.169.254", "is a link-local address"],
  ["fe80::1", "is a link-local address"],
  ["224.0.0.1", "is a multicast address"],
  ["ff02::1", "is a multicast address"],
  ["255.255.255.255", "is a reserved address"],
  ["::ffff:10.1.2.3", "is an IPv4-mapped IPv6 address"],
])("no cluster is believed about %s: %s", (ip, why) => {
  expect(refusal(OPEN_FENCE, ip)).toBe(why);
});

test("a declared cluster is believed about its ranges only, and never about local ones", () => {
  const local = [{ cidr: cidr("10.1.5.0/24"), what: "lies in the local range 10.1.5.0/24" }];
  const fence = makeFence([cidr("10.1.0.0/16")], local);
  expect(refusal(fence, "10.1.0.1")).toBeUndefined();
  expect(refusal(fence, "10.2.0.1")).toBe("lies outside the ranges declared for its cluster");
  expect(refusal(fence, "fd00::1")).toBe("lies outside the ranges declared for its cluster");
  expect(refusal(fence, "10.1.5.1")).toBe("lies in the local range 10.1.5.0/24");
});
