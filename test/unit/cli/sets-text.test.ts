import { describe, expect, test } from "@jest/globals";
import { describeText, diffText, setsText } from "../../../src/cli/sets-text.ts";
import type { NetworkSetView } from "../../../src/operator/api-objects.ts";
import { expectGolden } from "../../support/policy/files.ts";

const NOW = "2026-03-04T14:02:17.000Z";
const API = "wayleave.dev/v1alpha1";
const style = { isWide: false, hasHead: true };
const wide = { isWide: true, hasHead: true };

const CLIENT: NetworkSetView = {
  apiVersion: API,
  kind: "NetworkSet",
  metadata: { name: "aws-client-my-set" },
  cluster: "aws",
  namespace: "client",
  set: "my-set",
  state: "Differs",
  writtenTime: "2026-03-04T14:02:13.000Z",
  objects: [
    { name: "aws-client-my-set", shard: 1, members: 2, emptySince: null },
    { name: "aws-client-my-set-s2", shard: 2, members: 1, emptySince: null },
  ],
  nets: [
    {
      net: "10.0.110.200/32",
      contested: false,
      owners: [
        {
          pod: "aws/client/client-7d9f",
          uid: "u1",
          node: "ip-10-0-110-7",
          phase: "Running",
          since: "2026-03-04T14:02:13.100Z",
        },
      ],
      previousOwners: [],
    },
    {
      net: "10.0.110.201/32",
      contested: true,
      owners: [
        {
          pod: "aws/client/client-9k2c",
          uid: "u2",
          node: "ip-10-0-110-9",
          phase: "Terminating",
          since: "2026-03-03T13:40:02.000Z",
        },
      ],
      previousOwners: [
        {
          pod: "aws/jobs/report-x1",
          uid: "u3",
          since: "2026-03-03T12:00:00.000Z",
          until: "2026-03-03T13:12:40.000Z",
        },
        {
          pod: "aws/jobs/report-x0",
          uid: "u4",
          since: "2026-03-03T10:00:00.000Z",
          until: "2026-03-03T11:00:00.000Z",
        },
      ],
    },
    { net: "10.0.110.202/32", contested: false, owners: [], previousOwners: [] },
  ],
  differences: [
    {
      object: "aws-client-my-set",
      change: "replace",
      reason: "members, labels",
      missing: ["10.0.110.200/32"],
      surplus: ["0.0.0.0/0"],
    },
  ],
};

const EMPTY: NetworkSetView = {
  ...CLIENT,
  metadata: { name: "aws-shop-front" },
  namespace: "shop",
  set: "front",
  state: "Empty",
  writtenTime: null,
  objects: [],
  nets: [],
  differences: [],
};

const LIST = { apiVersion: API, kind: "NetworkSetList" as const, items: [CLIENT, EMPTY] };

describe("sets", () => {
  test("are a table, one a row; wider when asked", () => {
    expectGolden("sets.txt", setsText(LIST, NOW, style));
    expectGolden("sets-wide.txt", setsText(LIST, NOW, wide));
  });

  test("are described with pod, node, phase, since and the latest previous owner", () => {
    expectGolden("sets-describe.txt", describeText(CLIENT, NOW, style));
    expectGolden("sets-describe-wide.txt", describeText(CLIENT, NOW, wide));
    expect(describeText(EMPTY, NOW, style)).toBe(
      "GlobalNetworkSet aws-shop-front   set aws/shop/front   0 members   Empty\n",
    );
  });

  test("that differ say in which addresses; the others are only counted", () => {
    const conflict: NetworkSetView = {
      ...EMPTY,
      differences: [
        {
          object: "aws-shop-front",
          change: "conflict",
          reason: "not ours",
          missing: [],
          surplus: [],
        },
      ],
    };
    expectGolden("sets-diff.txt", diffText({ ...LIST, items: [CLIENT, conflict] }));
    expect(diffText({ ...LIST, items: [EMPTY] })).toBe("sets that differ: 0 of 1\n");
    expect(diffText({ ...LIST, items: [CLIENT, EMPTY] })).toContain("sets that differ: 1 of 2\n");
  });
});
