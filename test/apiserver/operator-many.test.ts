import { mkdtemp, rename, rm, writeFile, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { installCalicoCrds } from "../support/crds/install.ts";
import { eventually, pause } from "../support/eventually.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { OperatorProcess } from "../support/operator-process.ts";
import {
  createNamespace,
  createPod,
  createPods,
  deleteAllPods,
  deletePod,
  member,
} from "../support/pods.ts";

const many = (count: number, set: string) =>
  Array.from({ length: count }, (_, i) =>
    member("shop", `${set}-${i}`, set, `10.9.${i >> 8}.${i % 256}`),
  );

describeOnApiServers("an operator that must not be wrong", () => {
  let aws: ControlPlane;
  let gke: ControlPlane;
  let local: ControlPlane;
  let sets: NetworkSets;
  let operator: OperatorProcess;

  beforeAll(async () => {
    [aws, gke, local] = await Promise.all([
      startControlPlane({ name: "aws" }),
      startControlPlane({ name: "gke" }),
      startControlPlane({ name: "local" }),
    ]);
    await installCalicoCrds(local, "v3");
    sets = new NetworkSets(local, "v3");
    for (const namespace of ["shop", "b", "b-c"]) await createNamespace(aws, namespace);
    await createNamespace(gke, "shop");
  });

  afterAll(async () => {
    await Promise.all([aws?.stop(), gke?.stop(), local?.stop()]);
  });

  afterEach(async () => {
    await operator.stop();
    for (const plane of [aws, gke]) {
      await deleteAllPods(plane);
    }
    await sets.removeAll();
  });

  const start = async (...flags: string[]): Promise<OperatorProcess> =>
    OperatorProcess.start([
      "--target-cluster-name=aws",
      `--target-kube-config=${aws.kubeconfig}`,
      `--local-kube-config=${local.kubeconfig}`,
      ...flags,
    ]);

  const become = async (wanted: Readonly<Record<string, readonly string[]>>): Promise<void> =>
    eventually(async () => expect(await sets.nets()).toEqual(wanted));

  test("tenants whose set names join to the same are never merged, over a restart too", async () => {
    operator = await start();
    await createPod(aws, member("b-c", "p", "d", "10.1.0.1"));
    await become({ "aws-b-c-d": ["10.1.0.1/32"] });
    await createPod(aws, member("b", "p", "c-d", "10.1.0.2"));
    await eventually(async () => expect(await sets.list()).toHaveLength(2));
    const named = (await sets.list()).map(({ metadata, spec }) => [
      metadata.name,
      metadata.labels?.["namespace"],
      metadata.labels?.["name"],
      spec.nets,
    ]);
    expect(named).toEqual([
      ["aws-b-c-d", "b-c", "d", ["10.1.0.1/32"]],
      [expect.stringMatching(/^aws-b-c-d-[0-9a-f]{8}$/), "b", "c-d", ["10.1.0.2/32"]],
    ]);
    expect(await operator.metric("wayleave_ambiguous_names")).toBe(1);
    await operator.stop();
    const before = await sets.list();
    operator = await start();
    await eventually(() => expect(operator.lines("remote pods listed")).not.toEqual([]));
    await pause(1_000);
    expect(await sets.list()).toEqual(before);
  });

  test("a large set becomes several objects of equal labels, and a change writes one of them", async () => {
    operator = await start("--max-nets-per-set=20");
    await createPods(aws, many(50, "big"));
    const counts = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        (await sets.list()).map(({ metadata, spec }) => [metadata.name, spec.nets.length]),
      );
    await eventually(async () =>
      expect(Object.values(await counts()).reduce((sum, count) => sum + count, 0)).toBe(50),
    );
    expect(Object.keys(await counts()).toSorted()).toEqual([
      "aws-shop-big",
      "aws-shop-big-s2",
      "aws-shop-big-s3",
    ]);
    const all = await sets.list();
    expect(new Set(all.map(({ metadata }) => JSON.stringify(metadata.labels))).size).toBe(1);
    const holder = all.find(({ spec }) => spec.nets.includes("10.9.0.7/32"))?.metadata.name ?? "";
    await deletePod(aws, "shop", "big-7");
    await eventually(async () =>
      expect((await sets.get(holder)).spec.nets).not.toContain("10.9.0.7/32"),
    );
    const others = await sets.list();
    for (const { metadata } of all.filter((each) => each.metadata.name !== holder)) {
      const after = others.find((each) => each.metadata.name === metadata.name);
      expect(after?.metadata.resourceVersion).toBe(metadata.resourceVersion);
    }
  });

  test("a start that would remove most entries holds them until a second list agrees", async () => {
    const nets = Array.from({ length: 30 }, (_, i) => `10.9.0.${i}/32`);
    const labels = {
      "managed-by": "semaphore-policy",
      "policy.semaphore.uw.io/cluster": "aws",
      "policy.semaphore.uw.io/namespace": "shop",
      "policy.semaphore.uw.io/name": "big",
    };
    await sets.create("aws-shop-big", nets, labels);
    await createPods(aws, many(5, "big"));
    operator = await start("--removal-hold=2s");
    await eventually(() =>
      expect(operator.lines("mass removal held until a second list agrees")).toEqual([
        expect.objectContaining({ cluster: "aws", removed: 25, total: 30 }),
      ]),
    );
    await pause(1_000);
    expect((await sets.get("aws-shop-big")).spec.nets).toHaveLength(30);
    await eventually(async () =>
      expect((await sets.get("aws-shop-big")).spec.nets).toHaveLength(5),
    );
    expect((await sets.get("aws-shop-big")).metadata.labels).toMatchObject({
      "remote-cluster-name": "aws",
    });
    expect(await operator.metric('wayleave_removals_held_total{remote_cluster="aws"}')).toBe(1);
  });

  test("addresses outside the declared ranges, or inside local ones, are refused", async () => {
    operator = await start("--remote-pod-cidr=aws=10.1.0.0/16", "--local-cidr=10.1.5.0/24");
    await createPod(aws, member("shop", "in", "db", "10.1.0.1"));
    await createPod(aws, member("shop", "out", "db", "10.2.0.1"));
    await createPod(aws, member("shop", "ours", "db", "10.1.5.1"));
    await eventually(() => expect(operator.lines("pod refused")).toHaveLength(2));
    const refused = operator
      .lines("pod refused")
      .map(({ pod, value, reason }) => [pod, value, reason].join(" "));
    expect(refused.toSorted((one, other) => one.localeCompare(other))).toEqual([
      "shop/ours 10.1.5.1 lies in the local range 10.1.5.0/24",
      "shop/out 10.2.0.1 lies outside the ranges declared for its cluster",
    ]);
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
  });

  test("what the local cluster's nodes and services tell of its ranges fences remotes in too", async () => {
    await local.request("POST", "/api/v1/nodes", {
      metadata: { name: "node-1" },
      spec: { podCIDRs: ["10.77.0.0/24"] },
    });
    operator = await start();
    await createPod(aws, member("shop", "pod", "db", "10.77.0.9"));
    await createPod(aws, member("shop", "service", "db", "10.0.0.10"));
    await createPod(aws, member("shop", "fine", "db", "10.78.0.1"));
    await become({ "aws-shop-db": ["10.78.0.1/32"] });
    const reasons = new Set(operator.lines("pod refused").map(({ reason }) => reason));
    expect(reasons).toContain("lies in the local cluster's pod range 10.77.0.0/24");
    expect(reasons).toContain("lies in the local cluster's service range 10.0.0.0/24");
    await local.request("DELETE", "/api/v1/nodes/node-1");
  });

  test("sets of the predecessor are adopted without removing a net, those of nobody are cleared", async () => {
    const generation1 = {
      "managed-by": "calico-global-network-sync-operator",
      "remote-cluster-prefix": "aws",
      namespace: "shop",
    };
    await sets.create("aws-shop-db", ["10.1.0.1/32"], { ...generation1, name: "db" });
    await sets.create("aws-shop-old", ["10.1.0.9/32"], { ...generation1, name: "old" });
    await sets.create("gke-shop-db", ["10.1.0.8/32"], {
      ...generation1,
      "remote-cluster-prefix": "gke",
      name: "db",
    });
    await createPod(aws, member("shop", "p", "db", "10.1.0.1"));
    const { uid } = (await sets.get("aws-shop-db")).metadata;
    operator = await start("--empty-set-grace=1s");
    await become({ "aws-shop-db": ["10.1.0.1/32"], "gke-shop-db": ["10.1.0.8/32"] });
    expect((await sets.get("aws-shop-db")).metadata).toMatchObject({
      uid,
      labels: { "remote-cluster-name": "aws", "remote-cluster-prefix": "aws" },
    });
  });

  describe("with a folder of clusters", () => {
    let folder: string;

    const configure = async (plane: ControlPlane): Promise<void> => {
      const file = join(folder, plane.name);
      await writeFile(`${file}.tmp`, await readFile(plane.kubeconfig));
      await rename(`${file}.tmp`, file);
    };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "wayleave-clusters-"));
      await configure(aws);
      operator = await OperatorProcess.start([
        `--clusters-dir=${folder}`,
        `--local-kube-config=${local.kubeconfig}`,
        "--removal-hold=2s",
        "--empty-set-grace=1s",
      ]);
    });

    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    test("clusters come and go while it runs, and one that goes takes its sets along after the hold", async () => {
      await createPod(aws, member("shop", "p", "db", "10.1.0.1"));
      await createPod(gke, member("shop", "p", "db", "10.2.0.1"));
      await become({ "aws-shop-db": ["10.1.0.1/32"] });
      await configure(gke);
      await become({ "aws-shop-db": ["10.1.0.1/32"], "gke-shop-db": ["10.2.0.1/32"] });
      await rm(join(folder, "gke"));
      await eventually(() =>
        expect(operator.lines("remote cluster taken out of the configuration")).toHaveLength(1),
      );
      expect(await sets.nets()).toHaveProperty("gke-shop-db", ["10.2.0.1/32"]);
      await become({ "aws-shop-db": ["10.1.0.1/32"] });
      expect(await operator.metric('wayleave_remote_pods{remote_cluster="gke"}')).toBeUndefined();
    });

    test("one broken cluster does not delay another", async () => {
      await writeFile(join(folder, "broken"), "not a kubeconfig");
      await eventually(() =>
        expect(
          operator.lines("remote cluster cannot be used; its sets are held as they are"),
        ).toEqual([expect.objectContaining({ cluster: "broken" })]),
      );
      await createPod(aws, member("shop", "p", "db", "10.1.0.1"));
      await become({ "aws-shop-db": ["10.1.0.1/32"] });
    });

    test("an address that two clusters claim is in neither's set until one lets go", async () => {
      await configure(gke);
      await createPod(aws, member("shop", "p", "db", "10.1.0.1"));
      await createPod(aws, member("shop", "q", "db", "10.1.0.2"));
      await become({ "aws-shop-db": ["10.1.0.1/32", "10.1.0.2/32"] });
      await createPod(gke, member("shop", "p", "db", "10.1.0.1"));
      await eventually(async () =>
        expect(await sets.nets()).toMatchObject({ "aws-shop-db": ["10.1.0.2/32"] }),
      );
      expect(await sets.nets()).not.toHaveProperty("gke-shop-db");
      expect(await operator.metric("wayleave_contested_addresses")).toBe(1);
      await deletePod(aws, "shop", "p");
      await become({ "aws-shop-db": ["10.1.0.2/32"], "gke-shop-db": ["10.1.0.1/32"] });
    });
  });
});
