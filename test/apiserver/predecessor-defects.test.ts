import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { installCalicoCrds } from "../support/crds/install.ts";
import { eventually, pause } from "../support/eventually.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { OperatorProcess, runWayleave } from "../support/operator-process.ts";
import {
  createNamespace,
  createPod,
  createPods,
  deleteAllPods,
  deletePod,
  inParallel,
  member,
  patchPodMetadata,
  setPodStatus,
} from "../support/pods.ts";
import { createServiceAccount, grant, requestToken } from "../support/service-accounts.ts";

const SET = "uw.systems/networkset-name";
const SEMAPHORE = "policy.semaphore.uw.io/name";

/** The scenarios that show the predecessor's defects, numbered as in the note that lists them. */
describeOnApiServers("defects of the predecessor", () => {
  let remote: ControlPlane;
  let local: ControlPlane;
  let sets: NetworkSets;
  let operator: OperatorProcess | undefined;

  beforeAll(async () => {
    [remote, local] = await Promise.all([
      startControlPlane({ name: "remote" }),
      startControlPlane({ name: "local", auditLog: true }),
    ]);
    await installCalicoCrds(local, "v3");
    sets = new NetworkSets(local, "v3");
    for (const namespace of ["shop", "a", "a-b", "y-z", "z"])
      await createNamespace(remote, namespace);
  });

  afterAll(async () => {
    await Promise.all([remote?.stop(), local?.stop()]);
  });

  afterEach(async () => {
    await operator?.stop();
    operator = undefined;
    await deleteAllPods(remote);
    await sets.removeAll();
  });

  async function start(...flags: string[]): Promise<OperatorProcess> {
    operator = await OperatorProcess.start([
      "--target-cluster-name=aws",
      `--target-kube-config=${remote.kubeconfig}`,
      `--local-kube-config=${local.kubeconfig}`,
      ...flags,
    ]);
    return operator;
  }

  const become = async (wanted: Readonly<Record<string, readonly string[]>>): Promise<void> =>
    eventually(async () => expect(await sets.nets()).toEqual(wanted));

  /** How often the operator asked the local server to write sets since `from` audit events. */
  async function writesSince(from: number): Promise<number> {
    const events = (await local.auditEvents()).slice(from);
    return events.filter(
      ({ stage, verb, requestURI, userAgent }) =>
        stage === "ResponseComplete" &&
        !["get", "list", "watch"].includes(verb) &&
        requestURI.includes("globalnetworksets") &&
        userAgent?.startsWith("wayleave/") === true,
    ).length;
  }

  test("1: an IPv6 address is one address, and both families of a pod are in its set", async () => {
    await start();
    const ips = ["10.1.0.1", "fd00:10:244::5"];
    await createPod(remote, member("shop", "p", "db", "", { ips }));
    await become({ "aws-shop-db": ["10.1.0.1/32", "fd00:10:244::5/128"] });
  });

  test("2: namespaces and sets whose names join to the same are kept apart", async () => {
    await start();
    await createPod(remote, member("a-b", "p", "c", "10.1.0.1"));
    await createPod(remote, member("a", "p", "b-c", "10.1.0.2"));
    await eventually(async () => expect(await sets.list()).toHaveLength(2));
    for (const { spec } of await sets.list()) expect(spec.nets).toHaveLength(1);
  });

  test("2: so are clusters and namespaces, in one process", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wayleave-defects-"));
    const other = await startControlPlane({ name: "other" });
    try {
      await createNamespace(other, "y-z");
      await symlinkAll(folder, { "x-y": remote.kubeconfig, x: other.kubeconfig });
      operator = await OperatorProcess.start([
        `--clusters-dir=${folder}`,
        `--local-kube-config=${local.kubeconfig}`,
      ]);
      await createPod(remote, member("z", "p", "db", "10.1.0.1"));
      await createPod(other, member("y-z", "p", "db", "10.2.0.1"));
      await eventually(async () => expect(await sets.list()).toHaveLength(2));
      const byCluster = (await sets.list()).map(({ metadata, spec }) => [
        metadata.labels?.["remote-cluster-name"],
        spec.nets,
      ]);
      expect(Object.fromEntries(byCluster)).toEqual({
        x: ["10.2.0.1/32"],
        "x-y": ["10.1.0.1/32"],
      });
    } finally {
      await operator?.stop();
      await other.stop();
      await rm(folder, { recursive: true });
    }
  });

  test("3: the deletion of a completed pod does not take its address from the pod that has it now", async () => {
    await start();
    await createPod(remote, member("shop", "job", "db", "10.0.9.9"));
    await become({ "aws-shop-db": ["10.0.9.9/32"] });
    await setPodStatus(remote, "shop", "job", { phase: "Succeeded" });
    await createPod(remote, member("shop", "live", "db", "10.0.9.9"));
    await deletePod(remote, "shop", "job");
    await createPod(remote, member("shop", "marker", "db", "10.0.9.10"));
    await become({ "aws-shop-db": ["10.0.9.10/32", "10.0.9.9/32"] });
  });

  test("4: a completed pod is in no set", async () => {
    await start();
    await createPod(remote, member("shop", "job", "db", "10.1.0.1"));
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
    await setPodStatus(remote, "shop", "job", { phase: "Succeeded" });
    await become({ "aws-shop-db": [] });
  });

  test.each(["cni.projectcalico.org/podIP", "vpc.amazonaws.com/pod-ips"])(
    "5: a pod that terminates stays until its address is released, as %s says",
    async (annotation) => {
      await start();
      await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
      await remote.request("PATCH", "/api/v1/namespaces/shop/pods/p", {
        metadata: { finalizers: ["wayleave.dev/test"] },
      });
      await deletePod(remote, "shop", "p");
      await createPod(remote, member("shop", "marker", "other", "10.1.0.2"));
      await become({ "aws-shop-db": ["10.1.0.1/32"], "aws-shop-other": ["10.1.0.2/32"] });
      await patchPodMetadata(remote, "shop", "p", { annotations: { [annotation]: "" } });
      await become({ "aws-shop-db": [], "aws-shop-other": ["10.1.0.2/32"] });
    },
  );

  test("6: a pod whose label value changes moves, and its deletion leaves nothing behind", async () => {
    await start("--label-profile=semaphore");
    const labels = { [SEMAPHORE]: "blue" };
    await createPod(remote, member("shop", "p", "", "10.1.0.1", { labels, annotations: {} }));
    await become({ "aws-shop-blue": ["10.1.0.1/32"] });
    await patchPodMetadata(remote, "shop", "p", { labels: { [SEMAPHORE]: "green" } });
    await become({ "aws-shop-blue": [], "aws-shop-green": ["10.1.0.1/32"] });
    await deletePod(remote, "shop", "p");
    await become({ "aws-shop-blue": [], "aws-shop-green": [] });
  });

  test("6b: an annotation may come late, and one that goes takes the pod out for good", async () => {
    await start();
    await createPod(remote, member("shop", "p", "", "10.1.0.1", { annotations: {} }));
    await patchPodMetadata(remote, "shop", "p", { annotations: { [SET]: "db" } });
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
    await patchPodMetadata(remote, "shop", "p", { annotations: { [SET]: null } });
    await become({ "aws-shop-db": [] });
    await deletePod(remote, "shop", "p");
    await pause(300);
    await become({ "aws-shop-db": [] });
  });

  test("7: a pod on its node's network is in no set", async () => {
    await start();
    await createPod(remote, member("shop", "host", "db", "192.168.0.1", { hostNetwork: true }));
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
  });

  test("8: a deletion that the watch never told of is found by a list, without a crash", async () => {
    const { pid } = await start();
    await createPods(
      remote,
      ["1", "2"].map((n) => member("shop", `p${n}`, "db", `10.1.0.${n}`)),
    );
    await become({ "aws-shop-db": ["10.1.0.1/32", "10.1.0.2/32"] });
    process.kill(pid, "SIGSTOP");
    await deletePod(remote, "shop", "p1");
    await remote.compact();
    await remote.kill();
    await remote.start();
    process.kill(pid, "SIGCONT");
    await become({ "aws-shop-db": ["10.1.0.2/32"] });
  });

  test("9: sets that are written while pods churn end up right", async () => {
    const names = Array.from({ length: 60 }, (_, i) =>
      member("shop", `p${i}`, `s${i % 12}`, `10.1.1.${i}`),
    );
    await createPods(remote, names);
    await start();
    await inParallel(names, async ({ name }) =>
      patchPodMetadata(remote, "shop", name, {
        annotations: { [SET]: `t${Number(name.slice(1)) % 7}` },
      }),
    );
    await inParallel(names.slice(0, 30), async ({ name }) => deletePod(remote, "shop", name));
    const wanted = new Map<string, string[]>();
    for (const { name, ips } of names.slice(30)) {
      const set = `aws-shop-t${Number(name.slice(1)) % 7}`;
      wanted.set(set, [...(wanted.get(set) ?? []), `${ips?.[0]}/32`].toSorted());
    }
    await eventually(async () => {
      const nets = Object.entries(await sets.nets()).filter(([, of]) => of.length > 0);
      expect(Object.fromEntries(nets)).toEqual(Object.fromEntries(wanted));
    });
  });

  test("10: a set name that no object can have is refused once, without a request", async () => {
    const before = (await local.auditEvents()).length;
    const running = await start();
    await createPod(remote, member("shop", "bad", "My_App", "10.1.0.1"));
    await eventually(() => expect(running.lines("pod refused")).toHaveLength(1));
    await pause(1_000);
    expect(running.lines("pod refused")).toHaveLength(1);
    expect(await writesSince(before)).toBe(0);
  });

  test("11: a local server that hangs does not hold up the watch", async () => {
    const running = await start();
    await createPod(remote, member("shop", "p0", "db", "10.1.0.1"));
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
    await local.pause();
    try {
      await createPods(
        remote,
        Array.from({ length: 20 }, (_, i) => member("shop", `q${i}`, `s${i}`, `10.1.2.${i}`)),
      );
      await eventually(async () =>
        expect(await running.metric('wayleave_remote_pods{remote_cluster="aws"}')).toBe(21),
      );
    } finally {
      await local.resume();
    }
    await eventually(async () => expect(await sets.list()).toHaveLength(21), { timeoutMs: 30_000 });
  });

  test("12: while the remote is down at start, probes answer and say why", async () => {
    await remote.kill();
    try {
      const running = await start();
      expect((await running.get("/healthz")).status).toBe(200);
      await eventually(async () => {
        const { body } = await running.get("/readyz?verbose");
        expect(body).toMatch(/\[!\]remote-aws Connecting, never seen, 0 pods; .*ECONNREFUSED/);
      });
      expect(
        await running.metric('wayleave_remote_link_state{remote_cluster="aws",state="Connecting"}'),
      ).toBe(1);
    } finally {
      await remote.start();
    }
  });

  test("14: sets that nobody is in any more go even when the first list after a start fails", async () => {
    const labels = {
      "managed-by": "semaphore-policy",
      "policy.semaphore.uw.io/cluster": "aws",
      "policy.semaphore.uw.io/namespace": "shop",
      [SEMAPHORE]: "orphan",
    };
    await sets.create("aws-shop-orphan", ["10.1.0.9/32"], labels);
    await remote.kill();
    const running = await start("--empty-set-grace=500ms");
    await eventually(async () =>
      expect((await running.get("/readyz?verbose")).body).toContain("ECONNREFUSED"),
    );
    expect(await sets.nets()).toEqual({ "aws-shop-orphan": ["10.1.0.9/32"] });
    await remote.start();
    await become({});
  });

  test("15: a set of somebody else is never touched", async () => {
    await sets.create("aws-shop-db", ["192.0.2.0/24"], { team: "x" });
    const before = await sets.get("aws-shop-db");
    const running = await start("--full-store-resync-period=300ms");
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await eventually(async () =>
      expect(
        await running.metric('wayleave_drift_objects{kind="GlobalNetworkSet",reason="foreign"}'),
      ).toBe(1),
    );
    await deletePod(remote, "shop", "p");
    await pause(700);
    expect(await sets.get("aws-shop-db")).toEqual(before);
  });

  test("16: a restart without a change writes nothing", async () => {
    const running = await start();
    await createPods(
      remote,
      ["1", "2", "3"].map((n) => member("shop", `p${n}`, "db", `10.1.0.${n}`)),
    );
    await eventually(async () => expect((await sets.get("aws-shop-db")).spec.nets).toHaveLength(3));
    await running.stop();
    const before = (await local.auditEvents()).length;
    const again = await start();
    await eventually(() => expect(again.lines("remote pods listed")).not.toEqual([]));
    await pause(1_000);
    expect(await writesSince(before)).toBe(0);
  });

  test("17: a token that is replaced is picked up, and a CA over plain http is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "wayleave-defects-"));
    try {
      await createServiceAccount(remote, "shop", "reader");
      await grant(remote, "shop", "reader", [
        { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
      ]);
      const token = join(folder, "token");
      await writeFile(token, "expired");
      await writeFile(join(folder, "ca.crt"), remote.caCert);
      operator = await OperatorProcess.start(
        [
          "-target-cluster-name=aws",
          `-remote-api-url=${remote.url}`,
          `-remote-sa-token-path=${token}`,
          `-local-kube-config=${local.kubeconfig}`,
        ],
        { NODE_EXTRA_CA_CERTS: join(folder, "ca.crt") },
      );
      await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
      const trouble = "remote cluster does not answer; its sets are held as they are";
      await eventually(() => expect(operator?.lines(trouble)).not.toEqual([]));
      await writeFile(token, await requestToken(remote, "shop", "reader"));
      await eventually(async () => expect(await sets.nets()).toHaveProperty("aws-shop-db"), {
        timeoutMs: 40_000,
      });
    } finally {
      await operator?.stop();
      await rm(folder, { recursive: true });
    }
    const { code, stderr } = await runWayleave(["operator", "--remote-ca-url=http://ca.example"]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '--remote-ca-url: expected a URL that begins with https://, got "http://ca.example"',
    );
  });

  test("19: sets of every generation are adopted", async () => {
    const generations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      g0: {
        "managed-by": "calico-global-network-sync-operator",
        "remote-cluster-prefix": "aws",
        namespace: "shop",
        name: "g0",
      },
      g1: {
        "managed-by": "calico-global-network-sync-operator",
        "remote-cluster-name": "aws",
        namespace: "shop",
        name: "g1",
      },
      g3: {
        "managed-by": "kube-policy-semaphore",
        "semaphore.uw.systems/cluster": "aws",
        "semaphore.uw.systems/namespace": "shop",
        "semaphore.uw.systems/name": "g3",
      },
      g5: {
        "managed-by": "semaphore-policy",
        "policy.semaphore.uw.io/cluster": "aws",
        "policy.semaphore.uw.io/namespace": "shop",
        "policy.semaphore.uw.io/name": "g5",
      },
    };
    for (const [name, labels] of Object.entries(generations)) {
      await sets.create(`aws-shop-${name}`, ["10.1.0.9/32"], labels);
    }
    await start("--empty-set-grace=500ms");
    await become({});
  });

  test("20: a set whose last pod is replaced keeps its object", async () => {
    await start();
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
    const { uid } = (await sets.get("aws-shop-db")).metadata;
    await deletePod(remote, "shop", "p");
    await become({ "aws-shop-db": [] });
    await createPod(remote, member("shop", "p", "db", "10.1.0.2"));
    await become({ "aws-shop-db": ["10.1.0.2/32"] });
    expect((await sets.get("aws-shop-db")).metadata.uid).toBe(uid);
    expect((await sets.get("aws-shop-db")).metadata.annotations).not.toHaveProperty([
      "wayleave.dev/empty-since",
    ]);
  });

  test("22: a set that is deleted before its pod is no endless retry", async () => {
    await start();
    await createPod(remote, member("shop", "p", "db", "10.1.0.1"));
    await become({ "aws-shop-db": ["10.1.0.1/32"] });
    await sets.remove("aws-shop-db");
    await deletePod(remote, "shop", "p");
    await pause(500);
    const before = (await local.auditEvents()).length;
    await pause(1_000);
    expect(await writesSince(before)).toBe(0);
  });

  test("23: a hundred sets are written in seconds, not at five requests a second", async () => {
    await createPods(
      remote,
      Array.from({ length: 100 }, (_, i) => member("shop", `p${i}`, `s${i}`, `10.1.3.${i}`)),
    );
    await start();
    await eventually(async () => expect(await sets.list()).toHaveLength(100), {
      timeoutMs: 10_000,
    });
  });
});

async function symlinkAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, target] of Object.entries(files)) await symlink(target, join(folder, name));
}
