import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { installCalicoCrds, type CalicoVersion } from "../support/crds/install.ts";
import { eventually, pause } from "../support/eventually.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { OperatorProcess } from "../support/operator-process.ts";
import {
  createNamespace,
  createPod,
  deleteAllPods,
  deletePod,
  member as podInSet,
  patchPodMetadata,
  setPodStatus,
  type PodSpec,
} from "../support/pods.ts";
import { createServiceAccount, grant, requestToken } from "../support/service-accounts.ts";

const SET = "uw.systems/networkset-name";

/** A pod of namespace `shop` in `set`. */
function member(name: string, set: string, ip: string, over: Partial<PodSpec> = {}): PodSpec {
  return podInSet("shop", name, set, ip, over);
}

describeOnApiServers("pods of one cluster become GlobalNetworkSets in another", () => {
  let remote: ControlPlane;
  /** Serves projectcalico.org/v3. */
  let local: ControlPlane;
  /** Serves crd.projectcalico.org/v1. */
  let older: ControlPlane;

  beforeAll(async () => {
    [remote, local, older] = await Promise.all([
      startControlPlane({ name: "remote", watchCache: false }),
      startControlPlane({ name: "local", auditLog: true }),
      startControlPlane({ name: "older", auditLog: true }),
    ]);
    await createNamespace(remote, "shop");
    await installCalicoCrds(local, "v3");
    await installCalicoCrds(older, "v1");
  });

  afterAll(async () => {
    await Promise.all([remote?.stop(), local?.stop(), older?.stop()]);
  });

  async function startOperator(into: ControlPlane, ...flags: string[]): Promise<OperatorProcess> {
    return OperatorProcess.start([
      "--target-cluster-name=aws",
      `--target-kube-config=${remote.kubeconfig}`,
      `--local-kube-config=${into.kubeconfig}`,
      ...flags,
    ]);
  }

  /** Requests with which the operator wrote sets so far. */
  async function writes(into: ControlPlane): Promise<string[]> {
    const events = await into.auditEvents();
    return events
      .filter(
        ({ stage, verb, requestURI, userAgent }) =>
          stage === "ResponseComplete" &&
          ["create", "update", "patch", "delete"].includes(verb) &&
          requestURI.includes("globalnetworksets") &&
          userAgent?.startsWith("wayleave/") === true,
      )
      .map(({ verb, requestURI }) => `${verb} ${requestURI.split("/").at(-1)}`);
  }

  describe.each<CalicoVersion>(["v1", "v3"])("in Calico's %s", (version) => {
    let sets: NetworkSets;
    let operator: OperatorProcess;

    let into: ControlPlane;

    beforeAll(() => {
      into = version === "v3" ? local : older;
      sets = new NetworkSets(into, version);
    });

    beforeEach(async () => {
      operator = await startOperator(into, "--empty-set-grace=1s", "--full-store-resync-period=2s");
    });

    afterEach(async () => {
      await operator.stop();
      await deleteAllPods(remote);
      await sets.removeAll();
    });

    const becomes = async (name: string, ...nets: string[]): Promise<void> =>
      eventually(async () => expect((await sets.get(name)).spec.nets).toEqual(nets));

    const isGone = async (name: string): Promise<void> =>
      eventually(async () => expect(Object.keys(await sets.nets())).not.toContain(name));

    test("a pod makes its set, named and labelled as the predecessor did", async () => {
      await createPod(
        remote,
        member("web-0", "front", "10.1.0.9", { ips: ["10.1.0.9", "fd00:1::9"] }),
      );
      await createPod(remote, member("web-1", "front", "10.1.0.10"));
      await becomes("aws-shop-front", "10.1.0.10/32", "10.1.0.9/32", "fd00:1::9/128");
      const { apiVersion, metadata } = await sets.get("aws-shop-front");
      expect(apiVersion).toBe(
        version === "v3" ? "projectcalico.org/v3" : "crd.projectcalico.org/v1",
      );
      expect(metadata.labels).toEqual({
        "managed-by": "calico-global-network-sync-operator",
        "remote-cluster-name": "aws",
        "remote-cluster-prefix": "aws",
        name: "front",
        namespace: "shop",
      });
    });

    test("a pod that is annotated late joins, one that moves leaves its old set", async () => {
      await createPod(remote, { ...member("web-0", "", "10.1.0.1"), annotations: {} });
      await patchPodMetadata(remote, "shop", "web-0", { annotations: { [SET]: "blue" } });
      await becomes("aws-shop-blue", "10.1.0.1/32");
      await patchPodMetadata(remote, "shop", "web-0", { annotations: { [SET]: "green" } });
      await becomes("aws-shop-green", "10.1.0.1/32");
      await isGone("aws-shop-blue");
    });

    test("a pod that loses the label leaves", async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await createPod(remote, member("web-1", "front", "10.1.0.2"));
      await becomes("aws-shop-front", "10.1.0.1/32", "10.1.0.2/32");
      const labels = { "uw.systems/networksets": null };
      await patchPodMetadata(remote, "shop", "web-0", { labels });
      await becomes("aws-shop-front", "10.1.0.2/32");
    });

    test("a new address takes the old one's place", async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await becomes("aws-shop-front", "10.1.0.1/32");
      await setPodStatus(remote, "shop", "web-0", { ips: ["10.1.0.77"] });
      await becomes("aws-shop-front", "10.1.0.77/32");
    });

    test("the last member's deletion empties the set at once and deletes it after the grace", async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await becomes("aws-shop-front", "10.1.0.1/32");
      await deletePod(remote, "shop", "web-0");
      await becomes("aws-shop-front");
      expect((await sets.get("aws-shop-front")).metadata.annotations).toHaveProperty([
        "wayleave.dev/empty-since",
      ]);
      await isGone("aws-shop-front");
    });

    test("a completed pod leaves, and its deletion does not take away its address's next owner", async () => {
      await createPod(remote, member("job", "front", "10.1.0.5"));
      await createPod(remote, member("other", "front", "10.1.0.6"));
      await becomes("aws-shop-front", "10.1.0.5/32", "10.1.0.6/32");
      await createPod(remote, member("next", "front", "10.1.0.5"));
      await setPodStatus(remote, "shop", "job", { phase: "Succeeded" });
      await createPod(remote, member("marker", "front", "10.1.0.7"));
      await becomes("aws-shop-front", "10.1.0.5/32", "10.1.0.6/32", "10.1.0.7/32");
      await deletePod(remote, "shop", "job");
      await deletePod(remote, "shop", "marker");
      await becomes("aws-shop-front", "10.1.0.5/32", "10.1.0.6/32");
      await setPodStatus(remote, "shop", "next", { phase: "Failed" });
      await becomes("aws-shop-front", "10.1.0.6/32");
    });

    test("a pod on its node's network never joins", async () => {
      await createPod(remote, member("host", "front", "192.168.0.1", { hostNetwork: true }));
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await becomes("aws-shop-front", "10.1.0.1/32");
    });

    test("a set that is edited or deleted by hand is repaired", async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await becomes("aws-shop-front", "10.1.0.1/32");
      await sets.patch("aws-shop-front", {
        metadata: { labels: { name: "other", team: "blue" } },
        spec: { nets: ["0.0.0.0/0"] },
      });
      await becomes("aws-shop-front", "10.1.0.1/32");
      expect((await sets.get("aws-shop-front")).metadata.labels).toMatchObject({
        name: "front",
        team: "blue",
      });
      await sets.remove("aws-shop-front");
      await becomes("aws-shop-front", "10.1.0.1/32");
    });

    test("a set of the same name that is not ours is left alone and reported", async () => {
      await sets.create("aws-shop-front", ["192.0.2.0/24"], { owner: "somebody" });
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      const message = "network set not written: an object of its name exists and is not ours";
      await eventually(() => expect(operator.lines(message)).toHaveLength(1));
      expect((await sets.get("aws-shop-front")).spec.nets).toEqual(["192.0.2.0/24"]);
      await sets.remove("aws-shop-front");
      await becomes("aws-shop-front", "10.1.0.1/32");
    });

    test("a pod's bad set name is refused once and the log says which", async () => {
      await createPod(remote, member("bad", "My_App", "10.1.0.1"));
      await createPod(remote, member("good", "front", "10.1.0.2"));
      await becomes("aws-shop-front", "10.1.0.2/32");
      expect(operator.lines("pod refused")).toEqual([
        expect.objectContaining({ pod: "shop/bad", field: "set name", value: "My_App" }),
      ]);
      expect(Object.keys(await sets.nets())).toEqual(["aws-shop-front"]);
    });

    test("a restart writes nothing, and removes what left meanwhile", async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await createPod(remote, member("web-1", "front", "10.1.0.2"));
      await becomes("aws-shop-front", "10.1.0.1/32", "10.1.0.2/32");
      const { code, tookMs } = await operator.stop();
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(10_000);
      const before = await writes(into);
      operator = await startOperator(into, "--full-store-resync-period=500ms");
      await eventually(() => expect(operator.lines("remote pods listed")).not.toEqual([]));
      await pause(1_500);
      expect(await writes(into)).toEqual(before);
      await operator.stop();
      await deletePod(remote, "shop", "web-1");
      operator = await startOperator(into);
      await becomes("aws-shop-front", "10.1.0.1/32");
    });
  });

  describe("when a server is away", () => {
    const sets = (): NetworkSets => new NetworkSets(local, "v3");
    let operator: OperatorProcess;

    beforeEach(async () => {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      operator = await startOperator(local);
      await eventually(async () =>
        expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32"] }),
      );
    });

    afterEach(async () => {
      await operator.stop();
      await deleteAllPods(remote);
      await sets().removeAll();
    });

    test("the remote's return is followed within ten seconds, also the second time in a minute", async () => {
      for (const ip of ["10.1.0.21", "10.1.0.22"]) {
        await remote.kill();
        await pause(1_500);
        expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32"] });
        await remote.start();
        const back = Date.now();
        await createPod(remote, member("late", "front", ip));
        await eventually(async () =>
          expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32", `${ip}/32`] }),
        );
        expect(Date.now() - back).toBeLessThan(10_000);
        await deletePod(remote, "shop", "late");
        await eventually(async () =>
          expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32"] }),
        );
      }
    });

    test("what happened while history was compacted away is found by a list", async () => {
      await remote.pause();
      await pause(300);
      await remote.resume();
      await remote.kill();
      await remote.start();
      // The operator may be back before history is gone, so it is held still meanwhile.
      process.kill(operator.pid, "SIGSTOP");
      await remote.kill();
      await remote.start();
      await deletePod(remote, "shop", "web-0");
      await createPod(remote, member("web-9", "front", "10.1.0.9"));
      await remote.compact();
      process.kill(operator.pid, "SIGCONT");
      await eventually(async () =>
        expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.9/32"] }),
      );
      const restarts =
        'wayleave_remote_watch_restarts_total{remote_cluster="aws",resource="pods",reason="gone"}';
      expect(await operator.metric(restarts)).toBe(1);
      expect(operator.lines("remote pods listed").length).toBeGreaterThan(1);
    });

    test("changes made while the local server is away are written when it is back", async () => {
      await local.kill();
      await eventually(async () => expect((await operator.get("/readyz")).status).toBe(503));
      expect((await operator.get("/livez")).status).toBe(200);
      await createPod(remote, member("web-1", "front", "10.1.0.2"));
      await pause(500);
      await local.start();
      await eventually(async () =>
        expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32", "10.1.0.2/32"] }),
      );
      await eventually(async () => expect((await operator.get("/readyz")).status).toBe(200));
    });
  });

  describe("with a token instead of a kubeconfig", () => {
    const sets = (): NetworkSets => new NetworkSets(local, "v3");
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] }];
    let folder: string;
    let operator: OperatorProcess;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "wayleave-operator-"));
      await createServiceAccount(remote, "shop", "reader");
      await writeFile(join(folder, "ca.crt"), remote.caCert);
      await writeFile(join(folder, "token"), `${await requestToken(remote, "shop", "reader")}\n`);
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await sets().create("aws-shop-front", ["10.1.0.1/32", "10.1.0.2/32"], {
        "managed-by": "calico-global-network-sync-operator",
        "remote-cluster-name": "aws",
        name: "front",
        namespace: "shop",
      });
      // Predecessor's flags, written with a single dash; NODE_EXTRA_CA_CERTS stands for a CA that the system trusts.
      operator = await OperatorProcess.start(
        [
          `-remote-api-url=${remote.url}`,
          `-remote-sa-token-path=${join(folder, "token")}`,
          `-local-kube-config=${local.kubeconfig}`,
        ],
        { KPS_TARGET_CLUSTER_NAME: "aws", NODE_EXTRA_CA_CERTS: join(folder, "ca.crt") },
      );
    });

    afterAll(async () => {
      await operator?.stop();
      await deleteAllPods(remote);
      await sets().removeAll();
      await rm(folder, { recursive: true });
    });

    test("without permission it says so, removes nothing, keeps trying, and heals without a restart", async () => {
      const trouble = "remote cluster does not answer; its sets are held as they are";
      await eventually(() => expect(operator.lines(trouble)).toHaveLength(1));
      expect(operator.lines(trouble)[0]).toMatchObject({
        level: "warn",
        code: "forbidden",
        error: expect.stringContaining('cannot list resource "pods"'),
      });
      const { status, body } = await operator.get("/readyz?verbose");
      expect(status).toBe(200);
      expect(body).toContain("[!]remote-aws Connecting");
      expect(body).toContain('cannot list resource "pods"');
      await pause(2_000);
      expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32", "10.1.0.2/32"] });
      await grant(remote, "shop", "reader", rules);
      await eventually(
        async () => expect(await sets().nets()).toEqual({ "aws-shop-front": ["10.1.0.1/32"] }),
        { timeoutMs: 40_000 },
      );
    });
  });

  test("where no Calico is installed it waits and says so, then writes without a restart", async () => {
    const bare = await startControlPlane({ name: "bare" });
    const operator = await OperatorProcess.start([
      "--target-cluster-name=aws",
      `--target-kube-config=${remote.kubeconfig}`,
      `--local-kube-config=${bare.kubeconfig}`,
    ]);
    try {
      await createPod(remote, member("web-0", "front", "10.1.0.1"));
      await eventually(() =>
        expect(operator.lines("local cluster not usable yet")).toEqual([
          expect.objectContaining({ reason: expect.stringContaining("waiting for Calico") }),
        ]),
      );
      expect((await operator.get("/readyz")).status).toBe(200);
      await installCalicoCrds(bare, "v3");
      await eventually(async () =>
        expect(await new NetworkSets(bare, "v3").nets()).toEqual({
          "aws-shop-front": ["10.1.0.1/32"],
        }),
      );
    } finally {
      await operator.stop();
      await bare.stop();
      await deleteAllPods(remote);
    }
  });
});
