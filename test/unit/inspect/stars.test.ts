import { describe, expect, test } from "@jest/globals";
import { readFileSync } from "node:fs";
import { explain } from "../../../src/inspect/explain.ts";
import { parseManifests } from "../../../src/inspect/manifest.ts";
import { collect } from "../../../src/inspect/collect.ts";
import type { ClusterName } from "../../../src/core/model/names.ts";
import { worldOf, type Snapshot } from "../../../src/inspect/source.ts";
import { fixture, snapshotOf } from "../../support/policy/files.ts";

interface Stage {
  /** Policies with a stage up to this one are applied. */
  readonly upTo: number;
  readonly aws: string;
  /** A file whose policies replace those of ccp. */
  readonly over?: string;
  /** In the policies, one address for another: what a fresh sync writes. */
  readonly synced?: readonly [string, string];
}

function policiesFor(
  cluster: string,
  stage: Stage,
): ReturnType<typeof parseManifests>["manifests"] {
  let text = readFileSync(fixture("stars/policies.yaml"), "utf8");
  if (stage.synced !== undefined) text = text.replaceAll(...stage.synced);
  const { manifests } = parseManifests(text, "policies.yaml");
  return manifests.filter(({ object }) => {
    const { annotations } = object["metadata"] as { annotations: Record<string, string> };
    return annotations["cluster"] === cluster && Number(annotations["stage"]) <= stage.upTo;
  });
}

async function starsAt(stage: Stage): Promise<Snapshot> {
  const snapshot = await snapshotOf({
    filename: [fixture("stars/ccp.yaml")],
    remote: [`aws=${fixture(`stars/${stage.aws}`)}`],
    localName: "ccp",
  });
  const over =
    stage.over === undefined
      ? []
      : parseManifests(readFileSync(fixture(`stars/${stage.over}`), "utf8"), stage.over).manifests;
  const clusters = snapshot.clusters.map((cluster) =>
    collect(
      [
        ...cluster.manifests,
        ...policiesFor(cluster.name, stage),
        ...(cluster.name === "ccp" ? over : []),
      ],
      { name: cluster.name },
    ),
  );
  return { ...snapshot, clusters };
}

const ENDS = {
  F: "ccp/stars/svc/frontend",
  B: "ccp/stars/svc/backend",
  C: "aws/client/deploy/client",
  UI: "aws/management-ui/management-ui-q8z",
} as const;
const PORTS = { F: 80, B: 6379, C: 9000 } as const;
type Star = keyof typeof PORTS;

/** What the page draws: for each star what it reaches, or "hidden" when the UI cannot ask it. */
function picture(snapshot: Snapshot): Record<Star, string> {
  const world = worldOf(snapshot);
  const reaches = (from: keyof typeof ENDS, to: Star): boolean =>
    explain(
      {
        source: ENDS[from],
        destination: `${ENDS[to]}:${PORTS[to]}`,
        namespace: "default",
        family: undefined,
      },
      world,
      snapshot.clusters,
    ).verdict === "Allowed";
  const draw = (star: Star, others: readonly Star[]): string =>
    reaches("UI", star)
      ? others.map((other) => `${reaches(star, other) ? "+" : "-"}${other}`).join(" ")
      : "hidden";
  return { C: draw("C", ["F", "B"]), F: draw("F", ["B", "C"]), B: draw("B", ["F", "C"]) };
}

const hidden = { C: "hidden", F: "hidden", B: "hidden" };

describe("Stars across two clusters", () => {
  test.each<[string, Stage, Record<Star, string>]>([
    ["0 no policy", { upTo: 0, aws: "aws.yaml" }, { C: "+F +B", F: "+B +C", B: "+F +C" }],
    ["1 default deny", { upTo: 1, aws: "aws.yaml" }, hidden],
    ["2 the UI may ask", { upTo: 2, aws: "aws.yaml" }, { C: "-F -B", F: "-B -C", B: "-F -C" }],
    ["3 frontend to backend", { upTo: 3, aws: "aws.yaml" }, { C: "-F -B", F: "+B -C", B: "-F -C" }],
    ["4 client to frontend", { upTo: 4, aws: "aws.yaml" }, { C: "+F -B", F: "+B -C", B: "-F -C" }],
    [
      "5 the client got another address",
      { upTo: 4, aws: "aws-moved.yaml" },
      { C: "-F -B", F: "+B -C", B: "-F -C" },
    ],
    [
      "6 the policy was synced",
      { upTo: 4, aws: "aws-moved.yaml", synced: ["10.0.110.197", "10.0.110.200"] },
      { C: "+F -B", F: "+B -C", B: "-F -C" },
    ],
    [
      "10 by label instead of address, wherever the client is",
      { upTo: 4, aws: "aws-moved.yaml", over: "frontend-by-label.yaml" },
      { C: "+F -B", F: "+B -C", B: "-F -C" },
    ],
  ])("stage %s", async (_, stage, expected) => {
    expect(picture(await starsAt(stage))).toEqual(expected);
  });

  test("stage 8: who inherits the old address is denied by label, and admitted by a stale address", async () => {
    const heir = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "analytics", namespace: "client", labels: { role: "analytics" } },
      spec: { containers: [] },
      status: { phase: "Running", podIP: "10.0.110.197" },
    };
    const verdict = async (stage: Stage): Promise<string> => {
      const snapshot = await starsAt(stage);
      const clusters = snapshot.clusters.map((cluster) =>
        cluster.name === "aws"
          ? collect([...cluster.manifests, { object: heir, file: "heir", lineOf: () => 1 }], {
              name: cluster.name,
            })
          : cluster,
      );
      const world = worldOf({ ...snapshot, clusters });
      const question = {
        source: "aws/client/analytics",
        destination: `${ENDS.F}:80`,
        namespace: "default",
        family: undefined,
      };
      return explain(question, world, clusters).ingress.verdict;
    };
    expect(await verdict({ upTo: 4, aws: "aws-moved.yaml", over: "frontend-by-label.yaml" })).toBe(
      "Denied",
    );
    expect(await verdict({ upTo: 4, aws: "aws-moved.yaml" })).toBe("Allowed");
  });
});

describe("database, billing and analytics", () => {
  const policy = (peer: unknown): string =>
    JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "database", namespace: "default" },
      spec: {
        podSelector: { matchLabels: { app: "database" } },
        policyTypes: ["Ingress"],
        ingress: [{ from: [peer], ports: [{ port: 80 }] }],
      },
    });
  const pod = (namespace: string, name: string, app: string, ip: string): unknown => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: { app } },
    spec: { containers: [{ name: "c", ports: [{ containerPort: 80 }] }] },
    status: { phase: "Running", podIP: ip },
  });
  const space = (name: string, labels: Record<string, string> = {}): unknown => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  });

  async function table(
    peer: unknown,
    options: { keys?: string[]; scope?: string } = {},
  ): Promise<string[]> {
    const objects = (name: string, items: unknown[]) =>
      parseManifests(JSON.stringify({ apiVersion: "v1", kind: "List", items }), name).manifests;
    const hand = {
      "cluster.clusterset.k8s.io": "clusterb",
      "clusterset.k8s.io/cluster-name": "clusterb",
    };
    const a = objects("a", [
      space("default"),
      pod("default", "database", "database", "10.1.0.1"),
      pod("default", "billing", "billing", "10.1.0.2"),
    ]);
    const b = objects("b", [
      space("default", hand),
      space("other"),
      pod("default", "billing", "billing", "10.2.0.1"),
      pod("default", "analytics", "analytics", "10.2.0.2"),
      pod("other", "billing", "billing", "10.2.1.1"),
    ]);
    const own = peer === undefined ? [] : parseManifests(policy(peer), "policy").manifests;
    const base = await snapshotOf({
      filename: [],
      remote: ["clusterb"],
      localName: "clustera",
      ...(options.keys === undefined ? {} : { clusterLabel: options.keys }),
      defaultClusterScope: options.scope ?? "local",
    });
    const clusters = [
      collect([...a, ...own], { name: "clustera" as ClusterName }),
      collect(b, { name: "clusterb" as ClusterName }),
    ];
    const world = worldOf({ ...base, clusters });
    return [
      "clusterb/default/billing",
      "clusterb/default/analytics",
      "clustera/default/billing",
      "clusterb/other/billing",
    ].map(
      (source) =>
        explain(
          { source, destination: "default/database:80", namespace: "default", family: undefined },
          world,
          clusters,
        ).verdict,
    );
  }

  const peer = {
    podSelector: { matchLabels: { app: "billing" } },
    namespaceSelector: { matchLabels: { "clusterset.k8s.io/cluster-name": "clusterb" } },
  };

  test("before the policy all reach the database", async () => {
    expect(await table(undefined)).toEqual(["Allowed", "Allowed", "Allowed", "Allowed"]);
  });

  test.each(["local", "clusterset"])(
    "with the cluster's name from where pods were read, in %s scope",
    async (scope) => {
      expect(await table(peer, { scope })).toEqual(["Allowed", "Denied", "Denied", "Allowed"]);
    },
  );

  test("with labels set by hand, where no key is reserved and selectors are global", async () => {
    const keys = ["example.com/unused"];
    expect(await table(peer, { keys, scope: "clusterset" })).toEqual([
      "Allowed",
      "Denied",
      "Denied",
      "Denied",
    ]);
  });
});
