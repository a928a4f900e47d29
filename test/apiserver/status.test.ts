import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { networkInterfaces } from "node:os";
import type { NetworkSetListView, NetworkSetView, Status } from "../../src/operator/api-objects.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { installCalicoCrds } from "../support/crds/install.ts";
import { eventually } from "../support/eventually.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { OperatorProcess, runWayleave, type Ended } from "../support/operator-process.ts";
import { createNamespace, createPod, deletePod, type PodSpec } from "../support/pods.ts";
import { schemaErrors } from "../support/policy/cli.ts";

const member = (name: string, ip: string, over: Partial<PodSpec> = {}): PodSpec => ({
  namespace: "shop",
  name,
  labels: { "uw.systems/networksets": "true" },
  annotations: { "uw.systems/networkset-name": "front" },
  ips: [ip],
  ...over,
});

const TIME = /^\d{4}-\d{2}-\d{2}T.*Z$/;

describeOnApiServers("wayleave status and sets", () => {
  let remote: ControlPlane;
  let local: ControlPlane;
  let sets: NetworkSets;
  let operator: OperatorProcess | undefined;

  beforeAll(async () => {
    [remote, local] = await Promise.all([
      startControlPlane({ name: "remote" }),
      startControlPlane({ name: "local" }),
    ]);
    await installCalicoCrds(local, "v3");
    sets = new NetworkSets(local, "v3");
    await createNamespace(remote, "shop");
  });

  afterAll(async () => {
    await Promise.all([remote?.stop(), local?.stop()]);
  });

  afterEach(async () => {
    await operator?.stop();
    operator = undefined;
    await remote.start();
    const { items } = await remote.request<{ items: { metadata: { name: string } }[] }>(
      "GET",
      "/api/v1/namespaces/shop/pods",
    );
    for (const { metadata } of items) await deletePod(remote, "shop", metadata.name);
    await sets.removeAll();
  });

  const clusters = (): string[] => [
    "--target-cluster-name=aws",
    `--target-kube-config=${remote.kubeconfig}`,
    `--local-kube-config=${local.kubeconfig}`,
  ];

  const start = async (...flags: string[]): Promise<OperatorProcess> =>
    (operator = await OperatorProcess.start([...clusters(), ...flags]));

  const ask = async (...args: string[]): Promise<Ended> =>
    runWayleave([...args, `--server=http://127.0.0.1:${operator?.port}`]);

  const become = async (...nets: string[]): Promise<void> =>
    eventually(async () => expect(await sets.nets()).toEqual({ "aws-shop-front": nets }));

  const describeSet = async (): Promise<NetworkSetView> => {
    const { code, stdout } = await ask("sets", "describe", "aws-shop-front", "-o", "json");
    expect(code).toBe(0);
    expect(schemaErrors("network-set", stdout)).toEqual([]);
    return JSON.parse(stdout) as NetworkSetView;
  };

  test("status says how the remote is followed, and what is the matter once it is away", async () => {
    await start();
    await createPod(remote, member("web-0", "10.1.0.1"));
    await become("10.1.0.1/32");
    const before = await ask("status", "-o", "json", "--wait", "--timeout=30s");
    expect(before.code).toBe(0);
    expect(schemaErrors("status", before.stdout)).toEqual([]);
    const status = JSON.parse(before.stdout) as Status;
    expect(status.operator?.role).toBe("leader");
    expect(status.local).toMatchObject({ ok: true, apiGroup: "projectcalico.org/v3" });
    expect(status.remotes).toEqual([
      {
        name: "aws",
        link: "Synced",
        lastEventTime: expect.stringMatching(TIME),
        lastEventAgeSeconds: expect.any(Number),
        lagP99Seconds: expect.any(Number),
        pods: 1,
        sets: 1,
        members: 1,
        held: 0,
        // The control plane's client certificate.
        credentialExpirationTime: expect.stringMatching(TIME),
        message: "",
      },
    ]);
    await remote.kill();
    await eventually(async () => {
      const [aws] = (JSON.parse((await ask("status", "-o", "json")).stdout) as Status).remotes;
      expect(aws).toMatchObject({ pods: 1, sets: 1, message: expect.stringMatching(/\w/) });
    });
    await operator?.stop();
    await start();
    const after = await ask("status");
    expect(after.code).toBe(1);
    expect(after.stdout).toMatch(/^REMOTE +LINK +LAST EVENT +LAG P99 +PODS +SETS +CREDENTIAL +M/m);
    expect(after.stdout).toMatch(/^aws +Connecting +- +- +0 +0 /m);
    expect(after.stderr).toContain("warning: aws: link is Connecting");
    expect((await ask("status", "--wait", "--timeout=1s")).code).toBe(124);
    // What is not known is neither different nor gone.
    await eventually(async () => expect((await describeSet()).state).toBe("Unknown"));
    expect((await describeSet()).nets.map(({ net }) => net)).toEqual(["10.1.0.1/32"]);
    const diff = await ask("sets", "diff");
    expect([diff.code, diff.stderr]).toEqual([
      0,
      "warning: 1 sets not compared; not seen yet: aws\n",
    ]);
    expect((await ask("sets", "diff", "--strict")).code).toBe(3);
  });

  test("describe says who has an address, where and since when, and who had it before", async () => {
    await start();
    await createPod(remote, member("web-0", "10.1.0.1", { nodeName: "node-7" }));
    await become("10.1.0.1/32");
    const [first] = (await describeSet()).nets;
    expect(first).toEqual({
      net: "10.1.0.1/32",
      contested: false,
      owners: [
        {
          pod: "aws/shop/web-0",
          uid: expect.any(String),
          node: "node-7",
          phase: "Running",
          since: expect.stringMatching(TIME),
        },
      ],
      previousOwners: [],
    });
    await deletePod(remote, "shop", "web-0");
    await become();
    await createPod(remote, member("web-1", "10.1.0.1"));
    await become("10.1.0.1/32");
    const { state, nets, writtenTime } = await describeSet();
    expect([state, writtenTime]).toEqual(["InSync", expect.stringMatching(TIME)]);
    expect(nets[0]?.owners.map(({ pod }) => pod)).toEqual(["aws/shop/web-1"]);
    expect(nets[0]?.previousOwners).toEqual([
      {
        pod: "aws/shop/web-0",
        uid: first?.owners[0]?.uid,
        since: first?.owners[0]?.since,
        until: expect.stringMatching(TIME),
      },
    ]);
    const table = await ask("sets", "describe", "aws/shop/front");
    expect(table.stdout).toMatch(
      /^10\.1\.0\.1\/32 +aws\/shop\/web-1 .* aws\/shop\/web-0 \(until /m,
    );
    const missing = await ask("sets", "describe", "nonsense");
    expect([missing.code, missing.stderr]).toEqual([1, 'error: set "nonsense" not found\n']);
  });

  test("sets are listed in every form, by namespace and cluster", async () => {
    await start();
    await createPod(remote, member("web-0", "10.1.0.1"));
    await become("10.1.0.1/32");
    const json = await ask("sets", "-o", "json");
    expect(schemaErrors("network-set-list", json.stdout)).toEqual([]);
    expect((await ask("sets", "list", "-o", "name")).stdout).toBe(
      "globalnetworkset/aws-shop-front\n",
    );
    expect((await ask("sets", "-o", "yaml")).stdout).toMatch(/^kind: NetworkSetList$/m);
    expect((await ask("sets", "-o", "wide", "--no-headers")).stdout).toMatch(
      /^aws-shop-front +aws +shop +front +1 +InSync +1 +\S+Z\n$/,
    );
    for (const filter of [
      ["-n", "other"],
      ["--cluster", "gke"],
    ]) {
      const { code, stdout, stderr } = await ask("sets", ...filter);
      expect([code, stdout, stderr]).toEqual([0, "", "no sets found\n"]);
    }
    expect((await ask("sets", "-n", "shop", "-o", "name")).stdout).not.toBe("");
  });

  test("other peers than loopback get 403 from the API, and probes all the same", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === "IPv4" && !each.internal)?.address;
    await start("--metrics-bind-address=:0");
    const port = operator?.port;
    for (const host of ["127.0.0.1", "[::1]"]) {
      expect((await fetch(`http://${host}:${port}/api/v1/status`)).status).toBe(200);
    }
    if (address === undefined) return;
    const refused = await fetch(`http://${address}:${port}/api/v1/status`);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain("loopback");
    expect((await fetch(`http://${address}:${port}/livez`)).status).toBe(200);
    expect((await fetch(`http://${address}:${port}/metrics`)).status).toBe(200);
    const { code, stderr } = await runWayleave(["status", `--server=http://${address}:${port}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*403.*loopback/);
  });

  describe("without an operator, from the clusters", () => {
    const compute = async (...args: string[]): Promise<Ended> =>
      runWayleave([...args, ...clusters()]);

    test("a set that is as it should be does not differ; a hand edit, a stranger and a missing one do", async () => {
      await createPod(remote, member("web-0", "10.1.0.1"));
      await start();
      await become("10.1.0.1/32");
      await operator?.stop();
      expect(await compute("sets", "diff")).toMatchObject({
        code: 0,
        stdout: "sets that differ: 0 of 1\n",
      });
      await sets.patch("aws-shop-front", { spec: { nets: ["0.0.0.0/0"] } });
      const edited = await compute("sets", "diff");
      expect(edited.code).toBe(1);
      expect(edited.stdout).toBe(
        "~ aws-shop-front: members\n    + 10.1.0.1/32\n    - 0.0.0.0/0\nsets that differ: 1 of 1\n",
      );
      const json = await compute("sets", "diff", "-o", "json");
      expect(schemaErrors("network-set-list", json.stdout)).toEqual([]);
      const [set] = (JSON.parse(json.stdout) as NetworkSetListView).items;
      expect(set?.differences).toEqual([
        {
          object: "aws-shop-front",
          change: "replace",
          reason: "members",
          missing: ["10.1.0.1/32"],
          surplus: ["0.0.0.0/0"],
        },
      ]);
      await sets.remove("aws-shop-front");
      expect((await compute("sets", "diff")).stdout).toContain("+ aws-shop-front: no object\n");
      await sets.create("aws-shop-front", ["192.0.2.0/24"], { owner: "somebody" });
      const foreign = await compute("sets", "diff");
      expect(foreign.code).toBe(1);
      expect(foreign.stdout).toContain("! aws-shop-front: an object of this name exists");
      expect(await sets.nets()).toEqual({ "aws-shop-front": ["192.0.2.0/24"] });
    });

    test("status and describe tell what the lists tell", async () => {
      await createPod(remote, member("web-0", "10.1.0.1"));
      const status = await compute("status", "-o", "json");
      expect(status.code).toBe(0);
      expect(schemaErrors("status", status.stdout)).toEqual([]);
      const told = JSON.parse(status.stdout) as Status;
      expect(told.operator).toBeNull();
      expect(told.remotes[0]).toMatchObject({ name: "aws", link: "Synced", pods: 1, sets: 1 });
      const { stdout } = await compute("sets", "describe", "aws-shop-front", "-o", "json");
      const [net] = (JSON.parse(stdout) as NetworkSetView).nets;
      expect(net?.owners[0]).toMatchObject({
        pod: "aws/shop/web-0",
        since: expect.stringMatching(TIME),
      });
    });

    test("a remote that is away makes status say so, and sets no answer", async () => {
      await remote.kill();
      const status = await compute("status");
      expect(status.code).toBe(1);
      expect(status.stdout).toMatch(/^aws +Connecting .*ECONNREFUSED/m);
      const diff = await compute("sets", "diff");
      expect([diff.code, diff.stdout]).toEqual([2, ""]);
      expect(diff.stderr).toMatch(/^error: cluster aws: .*ECONNREFUSED/);
    });
  });
});
