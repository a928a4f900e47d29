import { describe, expect, test } from "@jest/globals";
import { decodeSet, encodeSet } from "../../../src/calico/global-network-set.ts";
import { setKey } from "../../../src/core/membership/set-id.ts";
import type { CalicoGroup } from "../../../src/core/plan/calico-mode.ts";
import { cluster } from "../../support/pod-records.ts";

const V1: CalicoGroup = "crd.projectcalico.org/v1";
const V3: CalicoGroup = "projectcalico.org/v3";
const owner = setKey({ cluster: cluster("aws"), namespace: "shop", name: "front" });

interface Body {
  readonly metadata: {
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: unknown;
}

function object(metadata: object, spec: object = { nets: ["10.0.0.1/32"] }): unknown {
  return { metadata: { name: "a", uid: "u", resourceVersion: "7", ...metadata }, spec };
}

function encoded(group: CalicoGroup, set: ReturnType<typeof decodeSet>): Body {
  return encodeSet(group, set) as unknown as Body;
}

describe("metadata that Calico's API server put into an annotation of the raw object", () => {
  const v3 = {
    creationTimestamp: "2026-01-01T00:00:00Z",
    finalizers: ["kept"],
    labels: { name: "front", team: "blue" },
    annotations: { note: "v3", "wayleave.dev/owner": owner },
  };
  const raw = object({
    labels: { name: "stale", "projectcalico.org/tier": "x" },
    annotations: { "projectcalico.org/metadata": JSON.stringify(v3), note: "v1", own: "1" },
  });

  test("wins over the object's own where both speak", () => {
    const set = decodeSet(V1, raw);
    expect(set.labels).toEqual({ name: "front", team: "blue", "projectcalico.org/tier": "x" });
    expect(set.annotations).toEqual({ note: "v3", own: "1" });
    expect(set.owner).toBe(owner);
  });

  test("is written back with our labels and annotations in both places, and the rest untouched", () => {
    const changed = { ...decodeSet(V1, raw), labels: { name: "new" }, emptySince: 0 };
    const { metadata } = encoded(V1, changed);
    const { "projectcalico.org/metadata": text = "", ...annotations } = metadata.annotations;
    const ours = {
      note: "v3",
      own: "1",
      "wayleave.dev/owner": owner,
      "wayleave.dev/empty-since": "1970-01-01T00:00:00Z",
    };
    expect(metadata.labels).toEqual({ name: "new" });
    expect(annotations).toEqual(ours);
    expect(JSON.parse(text)).toEqual({
      creationTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["kept"],
      labels: { name: "new" },
      annotations: ours,
    });
  });

  test("that cannot be parsed hides the labels, as it hides the object from Calico, and goes with the next write", () => {
    for (const text of ["{", '"text"', "[]", "null", ""]) {
      const metadata = {
        labels: { name: "front" },
        annotations: { "projectcalico.org/metadata": text, "wayleave.dev/owner": owner },
      };
      const set = decodeSet(V1, object(metadata));
      expect(set).toMatchObject({ labels: {}, owner, annotations: {} });
      expect(encoded(V1, set).metadata.annotations).toEqual({ "wayleave.dev/owner": owner });
    }
  });

  test("is not made where there was none", () => {
    const set = decodeSet(V1, object({ labels: { name: "front" } }));
    expect(encoded(V1, set).metadata.annotations).toEqual({});
  });

  test("means nothing in projectcalico.org/v3, where it is an annotation like any other", () => {
    const set = decodeSet(V3, raw);
    expect(set.labels).toMatchObject({ name: "stale" });
    expect(encoded(V3, set).metadata.annotations).toMatchObject({
      "projectcalico.org/metadata": JSON.stringify(v3),
    });
  });
});

test("what others keep in the object survives a write", () => {
  const owners = [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "y" }];
  const set = decodeSet(
    V3,
    object(
      { finalizers: ["f"], ownerReferences: owners, annotations: { note: "1" } },
      { nets: ["10.0.0.1/32"], later: { field: true } },
    ),
  );
  expect(encodeSet(V3, { ...set, nets: ["10.0.0.2/32"] })).toEqual({
    apiVersion: V3,
    kind: "GlobalNetworkSet",
    metadata: {
      name: "a",
      uid: "u",
      resourceVersion: "7",
      finalizers: ["f"],
      ownerReferences: owners,
      labels: {},
      annotations: { note: "1" },
    },
    spec: { nets: ["10.0.0.2/32"], later: { field: true } },
  });
});

test.each([
  ["name", { name: "" }],
  ["resourceVersion", { resourceVersion: undefined }],
])("an object without metadata.%s is malformed", (field, metadata) => {
  expect(() => decodeSet(V3, object(metadata))).toThrow(`it has no metadata.${field}`);
});
