import { describe, expect, test } from "@jest/globals";
import { labelProfile, ownedId } from "../../../../src/core/membership/profile.ts";
import { aPod, cluster, SET_ANNOTATION } from "../../../support/pod-records.ts";

const id = { cluster: cluster("aws"), namespace: "shop", name: "db" };

describe("labels of sets", () => {
  test("legacy-2021 carries the predecessor's labels, and the key that its own example selects", () => {
    expect(labelProfile("legacy-2021", SET_ANNOTATION, undefined).labelsOf(id)).toEqual({
      "managed-by": "calico-global-network-sync-operator",
      "remote-cluster-name": "aws",
      "remote-cluster-prefix": "aws",
      name: "db",
      namespace: "shop",
    });
  });

  test("semaphore carries those of today's predecessor", () => {
    expect(labelProfile("semaphore", SET_ANNOTATION, undefined).labelsOf(id)).toEqual({
      "managed-by": "semaphore-policy",
      "policy.semaphore.uw.io/cluster": "aws",
      "policy.semaphore.uw.io/name": "db",
      "policy.semaphore.uw.io/namespace": "shop",
    });
  });

  test("both carries both families under today's manager", () => {
    expect(labelProfile("both", SET_ANNOTATION, undefined).labelsOf(id)).toEqual({
      "managed-by": "semaphore-policy",
      "remote-cluster-name": "aws",
      "remote-cluster-prefix": "aws",
      name: "db",
      namespace: "shop",
      "policy.semaphore.uw.io/cluster": "aws",
      "policy.semaphore.uw.io/name": "db",
      "policy.semaphore.uw.io/namespace": "shop",
    });
  });

  test("wayleave carries qualified keys only", () => {
    expect(labelProfile("wayleave", SET_ANNOTATION, undefined).labelsOf(id)).toEqual({
      "app.kubernetes.io/managed-by": "wayleave",
      "wayleave.dev/cluster": "aws",
      "wayleave.dev/namespace": "shop",
      "wayleave.dev/set": "db",
    });
  });
});

describe("opting in", () => {
  const pod = aPod({
    labels: {
      "uw.systems/networksets": "true",
      "policy.semaphore.uw.io/name": "green",
      "wayleave.dev/set": "red",
    },
    annotations: { [SET_ANNOTATION]: "blue" },
  });

  test.each([
    ["legacy-2021", "uw.systems/networksets=true", ["blue"]],
    ["semaphore", "policy.semaphore.uw.io/name", ["green"]],
    ["both", "", ["blue", "green"]],
    ["wayleave", "wayleave.dev/set", ["red"]],
  ] as const)("under %s pods are selected by %j and join %j", (name, selector, sets) => {
    const profile = labelProfile(name, SET_ANNOTATION, undefined);
    expect(profile.selector).toBe(selector);
    expect(profile.setNamesOf(pod)).toEqual(sets);
  });

  test("under both, the annotation counts only with its label, which no selector asks for", () => {
    const profile = labelProfile("both", SET_ANNOTATION, undefined);
    expect(profile.setNamesOf({ ...pod, labels: {} })).toEqual([]);
    const selecting = labelProfile("both", SET_ANNOTATION, "team=a");
    expect(selecting.setNamesOf({ ...pod, labels: {} })).toEqual(["blue"]);
  });
});

describe("whose an object is", () => {
  test.each([
    ["March 2021", "calico-global-network-sync-operator", "remote-cluster-prefix", ""],
    ["v0.1.0", "calico-global-network-sync-operator", "remote-cluster-name", ""],
    [
      "v0.1.1",
      "calico-global-network-sync-operator",
      "semaphore.uw.systems/cluster",
      "semaphore.uw.systems/",
    ],
    [
      "v0.1.1, misspelt",
      "calico-global-network-sync-operator",
      "semaphore.uw.system/cluster",
      "semaphore.uw.system/",
    ],
    ["v0.1.2", "kube-policy-semaphore", "semaphore.uw.systems/cluster", "semaphore.uw.systems/"],
    ["v0.1.3", "semaphore-policy", "semaphore.uw.systems/cluster", "semaphore.uw.systems/"],
    [
      "v0.1.4 to today",
      "semaphore-policy",
      "policy.semaphore.uw.io/cluster",
      "policy.semaphore.uw.io/",
    ],
  ])("%s is recognised", (_generation, manager, clusterKey, prefix) => {
    expect(
      ownedId({
        "managed-by": manager,
        [clusterKey]: "aws",
        [`${prefix}namespace`]: "shop",
        [`${prefix}name`]: "db",
      }),
    ).toEqual(id);
  });

  test.each([
    [{}],
    [{ "managed-by": "helm", "remote-cluster-name": "aws", namespace: "shop", name: "db" }],
    [{ "managed-by": "semaphore-policy", namespace: "shop", name: "db" }],
    [{ "managed-by": "semaphore-policy", "remote-cluster-name": "aws", namespace: "shop" }],
    [
      {
        "managed-by": "semaphore-policy",
        "remote-cluster-name": "a/b",
        namespace: "shop",
        name: "db",
      },
    ],
  ])("%j is not", (labels) => {
    expect(ownedId(labels)).toBeUndefined();
  });
});
