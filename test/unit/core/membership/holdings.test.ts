import { expect, test } from "@jest/globals";
import { Holdings } from "../../../../src/core/membership/holdings.ts";
import { objectKey } from "../../../../src/core/model/pod.ts";
import { aPod } from "../../../support/pod-records.ts";

const A = objectKey("shop", "a");
const B = objectKey("shop", "b");
const NET = "10.1.0.1/32";

function start(limits?: { addresses: number; owners: number }) {
  let now = 0;
  const holdings = new Holdings(() => now, limits);
  const at = (ms: number): Holdings => {
    now = ms;
    return holdings;
  };
  return { holdings, at };
}

test("an address is a pod's since it was first seen there, whatever else the pod does", () => {
  const { holdings, at } = start();
  at(1).put(A, aPod({ uid: "u1", nodeName: "n1" }), [NET]);
  at(2).put(A, aPod({ uid: "u1", nodeName: "n1", terminating: true }), [NET, "fd00::1/128"]);
  expect(holdings.of(A)).toEqual({
    uid: "u1",
    node: "n1",
    phase: "Terminating",
    nets: [NET, "fd00::1/128"],
    since: [1, 2],
  });
  expect(holdings.past(NET)).toEqual([]);
});

test("who had an address before is told, the latest first", () => {
  const { holdings, at } = start();
  at(1).put(A, aPod({ uid: "u1" }), [NET]);
  at(5).remove(A);
  at(7).put(B, aPod({ uid: "u2" }), [NET]);
  at(9).put(B, aPod({ uid: "u2" }), ["10.1.0.2/32"]);
  expect(holdings.past(NET)).toEqual([
    { pod: B, uid: "u2", since: 7, until: 9 },
    { pod: A, uid: "u1", since: 1, until: 5 },
  ]);
  expect(holdings.of(A)).toBeUndefined();
});

test("a pod that is made again under its name is another owner of the same address", () => {
  const { holdings, at } = start();
  at(1).put(A, aPod({ uid: "u1" }), [NET]);
  at(3).put(A, aPod({ uid: "u2" }), [NET]);
  expect(holdings.of(A)).toMatchObject({ uid: "u2", since: [3] });
  expect(holdings.past(NET)).toEqual([{ pod: A, uid: "u1", since: 1, until: 3 }]);
});

test("the past is bounded: few owners of an address, and the addresses that changed hands last", () => {
  const { holdings, at } = start({ addresses: 2, owners: 2 });
  const one = (net: string, uid: string, ms: number): void => {
    at(ms).put(A, aPod({ uid }), [net]);
    at(ms + 1).remove(A);
  };
  one("a", "u1", 1);
  one("b", "u2", 3);
  one("a", "u3", 5);
  one("a", "u4", 7);
  one("c", "u5", 9);
  expect(holdings.past("a").map(({ uid }) => uid)).toEqual(["u4", "u3"]);
  expect(holdings.past("b")).toEqual([]);
  expect(holdings.size).toEqual({ pods: 0, addresses: 2 });
});
