import { describe, expect, test } from "@jest/globals";
import type { PodKey, Selection, SelectionKey } from "../../../../src/core/grouping/selection.ts";
import { SelectionIndex } from "../../../../src/core/grouping/selection-index.ts";
import type { ClusterName } from "../../../../src/core/model/names.ts";
import { selectionOfPeer, selectionOfSubject } from "../../../../src/core/policy/selections.ts";
import { selectorOf } from "../../../../src/core/selector/selector.ts";
import { aCluster, aPolicy, aWorld, KEY } from "../../../support/policy/build.ts";

const web = "web" as SelectionKey;
const pod = "b/shop/web-1" as PodKey;

/** The selection of the first ingress peer of a policy in cluster a. */
function peerSelection(from: unknown): Selection {
  const policy = aPolicy("shop/p", { podSelector: {}, ingress: [{ from: [from] }] });
  const world = aWorld([aCluster("a", { policies: [policy] }), aCluster("b")]);
  const [resolved] = world.view("a" as ClusterName).policies ?? [];
  const peer = resolved?.ingress[0]?.peers?.[0];
  const selection = peer === undefined ? undefined : selectionOfPeer(peer);
  if (selection === undefined) throw new Error("no selection");
  return selection;
}

const inB = {
  namespaceSelector: { matchLabels: { [KEY]: "b", team: "t" } },
  podSelector: { matchLabels: { app: "web" } },
};

describe("a selection with a cluster term", () => {
  test("finds a pod once its namespace is known, and tells each step", () => {
    const told: string[] = [];
    const index = new SelectionIndex((selection, key, change) =>
      told.push(`${key} ${change} ${selection}`),
    );
    index.setSelection(web, peerSelection(inB));
    index.setPod(pod, { cluster: "b" as ClusterName, namespace: "shop", labels: { app: "web" } });
    expect([...index.podsIn(web)]).toEqual([]);
    index.setNamespace("b" as ClusterName, "shop", { team: "t" });
    expect([...index.podsIn(web)]).toEqual([pod]);
    expect([...index.selectionsOf(pod)]).toEqual([web]);
    index.setPod(pod, { cluster: "b" as ClusterName, namespace: "shop", labels: { app: "api" } });
    index.setPod(pod, { cluster: "b" as ClusterName, namespace: "shop", labels: { app: "web" } });
    index.setNamespace("b" as ClusterName, "shop", { team: "u" });
    expect(told).toEqual([
      `${pod} entered web`,
      `${pod} left web`,
      `${pod} entered web`,
      `${pod} left web`,
    ]);
  });

  test("does not find the same pod in another cluster", () => {
    const index = new SelectionIndex();
    index.setSelection(web, peerSelection(inB));
    index.setNamespace("a" as ClusterName, "shop", { team: "t" });
    index.setPod(pod, { cluster: "a" as ClusterName, namespace: "shop", labels: { app: "web" } });
    expect([...index.podsIn(web)]).toEqual([]);
  });
});

test("a changed selection tells only of the pods that differ", () => {
  const told: string[] = [];
  const index = new SelectionIndex((_, key, change) => told.push(`${key} ${change}`));
  const scope = {
    clusters: new Set(["a" as ClusterName]),
    namespaces: { kind: "named", name: "x" },
  } as const;
  for (const [key, app] of [
    ["1", "web"],
    ["2", "api"],
  ] as const) {
    index.setPod(key as PodKey, { cluster: "a" as ClusterName, namespace: "x", labels: { app } });
  }
  index.setSelection(web, { scope, pods: selectorOf({ app: "web" }) });
  index.setSelection(web, {
    scope,
    pods: { requirements: [{ key: "app", operator: "Exists", values: [] }] },
  });
  index.setSelection(web, { scope, pods: selectorOf({ app: "api" }) });
  expect(told).toEqual(["1 entered", "2 entered", "1 left"]);
});

test("the subject of a policy is its own cluster's, or nobody's", () => {
  const clustersOf = (podSelector: unknown): string[] => {
    const policy = aPolicy("shop/p", { podSelector });
    const world = aWorld([aCluster("a", { policies: [policy] }), aCluster("b")]);
    const [resolved] = world.view("a" as ClusterName).policies ?? [];
    if (resolved === undefined) throw new Error("no policy");
    return [...selectionOfSubject(resolved, "a" as ClusterName).scope.clusters];
  };
  expect(clustersOf({})).toEqual(["a"]);
  expect(clustersOf({ matchLabels: { [KEY]: "a" } })).toEqual(["a"]);
  expect(clustersOf({ matchLabels: { [KEY]: "b" } })).toEqual([]);
});
