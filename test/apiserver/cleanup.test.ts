import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import {
  clusterInformationsPath,
  installCalicoCrds,
  installClusterInformation,
  removeCalicoCrds,
  removeClusterInformation,
  type CalicoVersion,
} from "../support/crds/install.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { runWayleave, type Ended } from "../support/operator-process.ts";

const legacy = (cluster: string): Record<string, string> => ({
  "managed-by": "calico-global-network-sync-operator",
  "remote-cluster-name": cluster,
  namespace: "shop",
  name: "front",
});

const prefixed = (prefix: string, manager: string, cluster: string): Record<string, string> => ({
  "managed-by": manager,
  [`${prefix}/cluster`]: cluster,
  [`${prefix}/namespace`]: "shop",
  [`${prefix}/name`]: "front",
});

/** One set of each generation of cluster aws. */
const GENERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "aws-2021-march": {
    "managed-by": "calico-global-network-sync-operator",
    "remote-cluster-prefix": "aws",
    namespace: "shop",
    name: "front",
  },
  "aws-2021": legacy("aws"),
  "aws-misspelt": prefixed("semaphore.uw.system", "kube-policy-semaphore", "aws"),
  "aws-systems": prefixed("semaphore.uw.systems", "kube-policy-semaphore", "aws"),
  "aws-semaphore": prefixed("policy.semaphore.uw.io", "semaphore-policy", "aws"),
  "aws-wayleave": {
    "app.kubernetes.io/managed-by": "wayleave",
    "wayleave.dev/cluster": "aws",
    "wayleave.dev/namespace": "shop",
    "wayleave.dev/set": "front",
  },
};

/** Sets that must never go: of another cluster, and of somebody else. */
const OTHERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "aws-foreign": { ...legacy("aws"), "managed-by": "somebody" },
  "aws-plain": {},
  "gke-shop-front": legacy("gke"),
};

describeOnApiServers("wayleave cleanup", () => {
  let local: ControlPlane;

  beforeAll(async () => {
    local = await startControlPlane({ name: "local" });
  });

  afterAll(async () => {
    await local?.stop();
  });

  const cleanup = async (...args: string[]): Promise<Ended> =>
    runWayleave(
      ["cleanup", "--target-cluster-name=aws", `--local-kube-config=${local.kubeconfig}`, ...args],
      { KPS_TARGET_CLUSTER_NAME: "gke", WAYLEAVE_LABEL_PROFILE: "wayleave" },
    );

  describe.each<CalicoVersion>(["v1", "v3"])("in Calico's %s", (version) => {
    let sets: NetworkSets;

    beforeAll(async () => {
      // Where both are served, Calico and so we take v1.
      await removeCalicoCrds(local, version === "v1" ? "v3" : "v1");
      await installCalicoCrds(local, version);
      sets = new NetworkSets(local, version);
    });

    beforeEach(async () => {
      for (const [name, labels] of Object.entries({ ...GENERATIONS, ...OTHERS })) {
        await sets.create(name, ["10.1.0.1/32"], labels);
      }
    });

    afterEach(async () => sets.removeAll());

    const group = `--calico-api-group=${version === "v3" ? "projectcalico.org/v3" : "crd.projectcalico.org/v1"}`;
    const left = async (): Promise<string[]> => Object.keys(await sets.nets());

    test("with --dry-run lists what is ours of the cluster, asks nothing and deletes nothing", async () => {
      const { code, stdout, stderr } = await cleanup(group, "--dry-run");
      expect(code).toBe(0);
      expect(stdout.split("\n").map((line) => line.split(/ +/))).toEqual([
        ["NAME", "NAMESPACE", "SET", "MEMBERS"],
        ...Object.keys(GENERATIONS)
          .toSorted((a, b) => (a < b ? -1 : 1))
          .map((name) => [name, "shop", "front", "1"]),
        [""],
      ]);
      expect(stderr).toBe("6 objects would be deleted (dry run)\n");
      expect(await left()).toHaveLength(9);
    });

    test("without a terminal it lists, deletes nothing and names --yes, with exit code 2", async () => {
      const { code, stdout, stderr } = await cleanup(group);
      expect(code).toBe(2);
      expect(stdout).toContain("aws-2021 ");
      expect(stderr).toMatch(/^error: nothing deleted: .*--yes$/m);
      expect(await left()).toHaveLength(9);
    });

    test("with --yes deletes every generation of the cluster, and nothing else", async () => {
      const { code, stdout } = await cleanup(group, "--yes");
      expect(code).toBe(0);
      expect(stdout.match(/ deleted$/gm)).toHaveLength(6);
      expect(await left()).toEqual(Object.keys(OTHERS));
      const again = await cleanup(group, "--yes");
      expect([again.code, again.stdout, again.stderr]).toEqual([
        0,
        "",
        "no sets of cluster aws found\n",
      ]);
    });

    test("while Calico's store is locked it lists, deletes nothing and says why", async () => {
      await installClusterInformation(local, version);
      const path = clusterInformationsPath(version);
      await local.request("POST", path, {
        apiVersion: path.split("/").slice(2, 4).join("/"),
        kind: "ClusterInformation",
        metadata: { name: "default" },
        spec: { datastoreReady: false },
      });
      const { code, stdout, stderr } = await cleanup("--yes");
      await removeClusterInformation(local, version);
      expect(code).toBe(2);
      expect(stdout).toContain("aws-2021 ");
      expect(stderr).toMatch(/^error: delete sets: not now: .*spec.datastoreReady is false$/m);
      expect(await left()).toHaveLength(9);
    });

    test("with --label-profile only deletes sets with such labels", async () => {
      expect((await cleanup(group, "--label-profile=semaphore", "--yes")).code).toBe(0);
      expect(await left()).toEqual(
        [...Object.keys(OTHERS), "aws-2021", "aws-2021-march", "aws-wayleave"].toSorted((a, b) =>
          a < b ? -1 : 1,
        ),
      );
    });
  });

  test("an object that says which set it holds goes too, whatever its labels say now", async () => {
    const sets = new NetworkSets(local, "v3");
    await sets.create("edited", ["10.1.0.1/32"], legacy("gke"));
    await sets.patch("edited", {
      metadata: { annotations: { "wayleave.dev/owner": "aws/shop/front" } },
    });
    expect((await cleanup("--calico-api-group=projectcalico.org/v3", "--yes")).stdout).toContain(
      "globalnetworkset/edited deleted\n",
    );
    expect(await sets.nets()).toEqual({});
  });

  test("an object that a finalizer keeps is asked to go once, and that is no failure", async () => {
    const sets = new NetworkSets(local, "v3");
    await sets.create("aws-kept", ["10.1.0.1/32"], legacy("aws"));
    await sets.patch("aws-kept", { metadata: { finalizers: ["example.org/kept"] } });
    expect((await cleanup("--calico-api-group=projectcalico.org/v3", "--yes")).code).toBe(0);
    await sets.patch("aws-kept", { metadata: { finalizers: null } });
    expect(await sets.nets()).toEqual({});
  });

  test("a server that is away and a cluster that is not named are wrong usage", async () => {
    const nowhere = await runWayleave(["cleanup", "--target-cluster-name=aws", "--yes"]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toMatch(/^error: --local-kube-config: .*KUBERNETES_SERVICE_HOST/m);
    const nobody = await runWayleave(["cleanup"], { KPS_TARGET_CLUSTER_NAME: "aws" });
    expect([nobody.code, nobody.stderr]).toEqual([2, "error: --target-cluster-name: required\n"]);
    const wrong = await runWayleave(["cleanup", "--target-cluster-name=A_B"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('got "A_B"');
  });
});
