import { describe, expect, test } from "@jest/globals";
import {
  NETWORKS_ANNOTATION,
  NETWORK_STATUS_ANNOTATION,
  addressesOn,
  networkNames,
  onNetwork,
} from "../../../../src/core/policy/secondary.ts";
import { aCluster, aPod, aPolicy } from "../../../support/policy/build.ts";

test.each([
  ["blue, other/red ,,x@net3", ["shop/blue", "other/red", "shop/x"]],
  ["", []],
  [" , ", []],
])("%j names the networks %j", (text, names) => {
  expect(networkNames(text, "shop")).toEqual(names);
});

describe("the addresses of a pod on a network", () => {
  const withStatus = (entries: unknown): ReturnType<typeof aPod> =>
    aPod("shop/p", "10.0.0.1", {
      annotations: { [NETWORK_STATUS_ANNOTATION]: JSON.stringify(entries) },
    });

  test("are those of all its interfaces there, and of no other network", () => {
    const pod = withStatus([
      { name: "shop/blue", ips: ["192.168.0.1"] },
      { name: "shop/red", ips: ["192.168.0.9"] },
      { name: "shop/blue", ips: ["192.168.0.2", "fd00::2"] },
    ]);
    expect(addressesOn(pod, "shop/blue")).toEqual(["192.168.0.1", "192.168.0.2", "fd00::2"]);
  });

  test("are unknown while only the request is known, and undefined without one", () => {
    const asks = (text: string): ReturnType<typeof aPod> =>
      aPod("shop/p", "10.0.0.1", { annotations: { [NETWORKS_ANNOTATION]: text } });
    expect(addressesOn(asks("blue@net1"), "shop/blue")).toEqual([]);
    expect(addressesOn(asks('[{"name":"blue","namespace":"other"}]'), "other/blue")).toEqual([]);
    expect(addressesOn(asks("red"), "shop/blue")).toBeUndefined();
    expect(addressesOn(aPod("shop/p", "10.0.0.1"), "shop/blue")).toBeUndefined();
  });

  test("never are those of the cluster's own network", () => {
    expect(
      addressesOn(
        withStatus([{ name: "shop/blue", default: true, ips: ["10.0.0.1"] }]),
        "shop/blue",
      ),
    ).toBeUndefined();
    const broken = aPod("shop/p", "10.0.0.1", {
      annotations: { [NETWORK_STATUS_ANNOTATION]: "{" },
    });
    expect(addressesOn(broken, "shop/blue")).toBeUndefined();
  });
});

test("a network has the attached pods and the policies for it", () => {
  const policy = aPolicy("shop/p", { podSelector: {} });
  const attached = aPod("shop/in", "10.0.0.1", {
    annotations: { [NETWORK_STATUS_ANNOTATION]: '[{"name":"shop/blue","ips":["192.168.0.1"]}]' },
  });
  const cluster = aCluster("a", {
    pods: [attached, aPod("shop/out", "10.0.0.2")],
    policies: [aPolicy("shop/other", { podSelector: {} })],
  });
  const facts = onNetwork(
    cluster,
    [
      { policy, networks: ["shop/blue"] },
      { policy, networks: [] },
    ],
    "shop/blue",
  );
  expect(facts.pods.map(({ name, ips }) => [name, ips])).toEqual([["in", ["192.168.0.1"]]]);
  expect(facts.policies).toEqual([policy]);
});
