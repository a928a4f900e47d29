import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { installCalicoCrds } from "../support/crds/install.ts";
import { eventually, pause } from "../support/eventually.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { OperatorProcess } from "../support/operator-process.ts";
import { createNamespace, createPod, deleteAllPods, member } from "../support/pods.ts";

describeOnApiServers("two replicas of an operator", () => {
  let remote: ControlPlane;
  let local: ControlPlane;
  let sets: NetworkSets;
  const replicas: OperatorProcess[] = [];

  beforeAll(async () => {
    [remote, local] = await Promise.all([
      startControlPlane({ name: "remote" }),
      startControlPlane({ name: "local", auditLog: true }),
    ]);
    await createNamespace(remote, "shop");
    await installCalicoCrds(local, "v3");
    sets = new NetworkSets(local, "v3");
  });

  afterAll(async () => {
    await Promise.all([remote?.stop(), local?.stop()]);
  });

  afterEach(async () => {
    await Promise.all(replicas.map(async (replica) => replica.stop()));
    replicas.length = 0;
    await deleteAllPods(remote);
    await sets.removeAll();
  });

  async function start(): Promise<OperatorProcess> {
    const replica = await OperatorProcess.start([
      "--target-cluster-name=aws",
      `--target-kube-config=${remote.kubeconfig}`,
      `--local-kube-config=${local.kubeconfig}`,
      "--leader-elect",
    ]);
    replicas.push(replica);
    return replica;
  }

  const elected = async (replica: OperatorProcess): Promise<void> =>
    eventually(() => expect(replica.lines("elected leader")).not.toEqual([]), {
      timeoutMs: 30_000,
    });

  const written = (replica: OperatorProcess): number => replica.lines("network set written").length;

  test("one writes, the other is ready; a hand-over is quick and writes nothing that is right", async () => {
    const first = await start();
    await elected(first);
    const second = await start();
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await eventually(async () =>
      expect(await sets.nets()).toEqual({ "aws-shop-db": ["10.1.0.1/32"] }),
    );
    await eventually(async () => expect((await second.get("/readyz")).status).toBe(200));
    const lease = await local.request<{ spec: { holderIdentity: string } }>(
      "GET",
      "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/wayleave-operator-aws",
    );
    expect(lease.spec.holderIdentity).not.toBe("");
    const before = (await sets.get("aws-shop-db")).metadata.resourceVersion;
    await first.stop();
    await elected(second);
    await pause(500);
    expect((await sets.get("aws-shop-db")).metadata.resourceVersion).toBe(before);
    await createPod(remote, member("shop", "q", "db", "10.1.0.2"));
    await eventually(async () =>
      expect(await sets.nets()).toEqual({ "aws-shop-db": ["10.1.0.1/32", "10.1.0.2/32"] }),
    );
    expect(written(second)).toBe(1);
  });

  test("a leader that is paused and wakes after another took over writes nothing", async () => {
    const first = await start();
    await elected(first);
    const second = await start();
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await eventually(() => expect(written(first)).toBe(1));
    process.kill(first.pid, "SIGSTOP");
    await elected(second);
    await createPod(remote, member("shop", "q", "db", "10.1.0.2"));
    await eventually(() => expect(written(second)).toBe(1));
    process.kill(first.pid, "SIGCONT");
    await eventually(() => expect(first.lines("leadership lost")).toHaveLength(1));
    await createPod(remote, member("shop", "r", "db", "10.1.0.3"));
    await eventually(() => expect(written(second)).toBe(2));
    await pause(500);
    expect(written(first)).toBe(1);
  });
});
