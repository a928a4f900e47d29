import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import {
  globalNetworkSetsPath,
  installCalicoCrds,
  type CalicoVersion,
} from "../support/crds/install.ts";
import {
  createNamespace,
  createPod,
  createPods,
  deletePod,
  patchPodMetadata,
  setPodStatus,
  type Pod,
} from "../support/pods.ts";
import {
  createSecretToken,
  createServiceAccount,
  grant,
  requestToken,
  revoke,
} from "../support/service-accounts.ts";

const podsInShop = "/api/v1/namespaces/shop/pods";

describeOnApiServers("control planes", () => {
  let local: ControlPlane;
  let remote: ControlPlane;
  let startedMs: number;

  beforeAll(async () => {
    const before = Date.now();
    [local, remote] = await Promise.all([
      startControlPlane({ name: "local" }),
      startControlPlane({ name: "remote", auditLog: true }),
    ]);
    startedMs = Date.now() - before;
    await createNamespace(remote, "shop");
  });

  afterAll(async () => {
    await Promise.all([local?.stop(), remote?.stop()]);
  });

  test("two of them are ready within 15 s", () => {
    expect(startedMs).toBeLessThan(15_000);
  });

  test("they are two clusters", async () => {
    await createNamespace(local, "only-local");
    await expect(remote.request("GET", "/api/v1/namespaces/only-local")).rejects.toMatchObject({
      status: 404,
      reason: "NotFound",
    });
  });

  test("without a credential everything is refused", async () => {
    const nobody = remote.clientWithToken("not-a-token");
    await expect(nobody.request("GET", podsInShop)).rejects.toMatchObject({ status: 401 });
    nobody.close();
  });

  test.each([
    ["of TokenRequest", "bound", requestToken],
    ["of a Secret", "legacy", createSecretToken],
  ])("a ServiceAccount's token %s may do what its role says", async (_, name, makeToken) => {
    await createServiceAccount(remote, "shop", name);
    const client = remote.clientWithToken(await makeToken(remote, "shop", name));
    await expect(client.request("GET", podsInShop)).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(`system:serviceaccount:shop:${name}`),
    });

    await grant(remote, "shop", name, [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }]);
    await eventually(async () => client.request("GET", podsInShop));
    await expect(client.request("GET", "/api/v1/secrets")).rejects.toMatchObject({ status: 403 });

    await revoke(remote, "shop", name);
    await eventually(async () => {
      await expect(client.request("GET", podsInShop)).rejects.toMatchObject({ status: 403 });
    });
    client.close();
  });

  test("the audit log tells who asked for what", async () => {
    await remote.request("GET", "/api/v1/namespaces/shop/configmaps?limit=7");
    await eventually(async () => {
      const events = await remote.auditEvents();
      expect(
        events.filter((event) => event.requestURI.endsWith("configmaps?limit=7")),
      ).toMatchObject([
        { verb: "list", user: { username: "admin" }, responseStatus: { code: 200 } },
      ]);
    });
  });

  test("pods get a status, labels and annotations, and go", async () => {
    const pod = { namespace: "shop", name: "web" };
    const bare = await createPod(remote, { ...pod, labels: { app: "web" } });
    expect(bare.status).toMatchObject({ phase: "Pending" });
    expect(bare.status.podIP).toBeUndefined();

    const up = await setPodStatus(remote, "shop", "web", {
      phase: "Running",
      ips: ["10.1.0.1", "fd00::1"],
    });
    expect(up.status).toMatchObject({
      phase: "Running",
      podIP: "10.1.0.1",
      podIPs: [{ ip: "10.1.0.1" }, { ip: "fd00::1" }],
    });

    const patched = await patchPodMetadata(remote, "shop", "web", {
      labels: { app: null, tier: "front" },
      annotations: { note: "x" },
    });
    expect(patched.metadata).toMatchObject({
      labels: { tier: "front" },
      annotations: { note: "x" },
    });
    expect(patched.metadata.labels).not.toHaveProperty("app");

    const moved = await setPodStatus(remote, "shop", "web", { ips: ["10.1.0.2"] });
    expect(moved.status).toMatchObject({ phase: "Running", podIPs: [{ ip: "10.1.0.2" }] });
    const without = await setPodStatus(remote, "shop", "web", { ips: [] });
    expect(without.status.podIPs).toBeUndefined();

    await deletePod(remote, "shop", "web");
    await expect(remote.request("GET", `${podsInShop}/web`)).rejects.toMatchObject({ status: 404 });
  });

  test("an API server that was killed returns on its port with its data", async () => {
    await createPod(remote, { namespace: "shop", name: "kept", ips: ["10.1.0.9"] });
    const { url } = remote;
    await remote.kill();
    await expect(remote.request("GET", podsInShop)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await remote.start();
    expect(remote.url).toBe(url);
    const pod = await remote.request<Pod>("GET", `${podsInShop}/kept`);
    expect(pod.status.podIP).toBe("10.1.0.9");
  });

  test("a paused API server is silent, and answers once resumed", async () => {
    await remote.pause();
    const answer = remote.request("GET", "/version").then(() => "answer");
    const first = await Promise.race([answer, delay(500).then(() => "silence")]);
    await remote.resume();
    expect(first).toBe("silence");
    await expect(answer).resolves.toBe("answer");
  });

  test("a watch from before a compaction and a restart is answered 410", async () => {
    const old = await createPod(remote, { namespace: "shop", name: "old" });
    await createPod(remote, { namespace: "shop", name: "later" });
    const sinceOld = watchPath(old);
    const kept = await remote.watch<Pod>(sinceOld);
    expect(kept.map((event) => event.object.metadata.name)).toEqual(["later"]);
    await remote.kill();
    await remote.compact();
    await remote.start();
    await expect(remote.watch(sinceOld)).resolves.toMatchObject([expired]);
  });

  test("without a watch cache a compaction alone does that", async () => {
    const plane = await startControlPlane({ name: "uncached", watchCache: false });
    try {
      await createNamespace(plane, "shop");
      const old = await createPod(plane, { namespace: "shop", name: "old" });
      await createPod(plane, { namespace: "shop", name: "later" });
      // A compaction keeps the newest revision, so the one to be missed must not be that.
      await createPod(plane, { namespace: "shop", name: "newest" });
      const sinceOld = watchPath(old);
      await expect(plane.watch(sinceOld)).resolves.toMatchObject([
        { type: "ADDED" },
        { type: "ADDED" },
      ]);
      await plane.compact();
      await expect(plane.watch(sinceOld)).resolves.toMatchObject([expired]);
    } finally {
      await plane.stop();
    }
  });

  test("restoring a snapshot takes objects and resourceVersions back", async () => {
    const list = async (): Promise<{ metadata: { resourceVersion: string }; items: Pod[] }> =>
      remote.request("GET", podsInShop);
    await createPod(remote, { namespace: "shop", name: "before" });
    const snapshot = await remote.snapshot();
    await createPods(remote, [
      { namespace: "shop", name: "after-1" },
      { namespace: "shop", name: "after-2" },
    ]);
    const later = await list();
    await remote.restore(snapshot);
    const restored = await list();
    const names = restored.items.map((pod) => pod.metadata.name);
    expect(names).toContain("before");
    expect(names).not.toContain("after-1");
    expect(Number(restored.metadata.resourceVersion)).toBeLessThan(
      Number(later.metadata.resourceVersion),
    );
  });

  test.each(["v3", "v1"] as const)(
    "GlobalNetworkSets of %s are kept as written",
    async (version) => {
      await installCalicoCrds(local, version);
      const sets = globalNetworkSetsPath(version);
      const set = networkSet(version, "a", ["10.0.0.2/32", "10.0.0.1/32"]);
      await local.request("POST", sets, set);
      await expect(local.request("GET", `${sets}/a`)).resolves.toMatchObject(set);
      const numbers = networkSet(version, "numbers", [1]);
      await expect(local.request("POST", sets, numbers)).rejects.toMatchObject({ status: 422 });
    },
  );

  test("a net that is there twice is refused by v3, and taken by v1", async () => {
    const nets = ["10.0.0.1/32", "10.0.0.1/32"];
    await expect(
      local.request("POST", globalNetworkSetsPath("v3"), networkSet("v3", "twice", nets)),
    ).rejects.toMatchObject({ status: 422, message: expect.stringContaining("Duplicate value") });
    await expect(
      local.request("POST", globalNetworkSetsPath("v1"), networkSet("v1", "twice", nets)),
    ).resolves.toMatchObject({ spec: { nets } });
  });
});

describeOnApiServers("what a control plane leaves behind", () => {
  test("nothing after stop", async () => {
    const plane = await startControlPlane({ name: "stopped" });
    const { pids, folder } = plane;
    expect(pids).toHaveLength(2);
    await plane.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test.each(["SIGKILL", "SIGINT"] as const)("nothing after its owner got %s", async (signal) => {
    const owner = spawn(process.execPath, [...typescript, cli, "up", "orphan"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const plane = await upOf(owner.stdout);
    owner.kill(signal);
    await expect(remainsOf(plane)).resolves.toEqual([]);
  });

  test("nothing after the test runner that forked its owner was killed", async () => {
    const fork = `require("node:child_process").fork(${JSON.stringify(cli)}, ["up", "orphan"], {
      execArgv: ${JSON.stringify(typescript)}, stdio: ["inherit", "inherit", "inherit", "ipc"] })`;
    const runner = spawn(process.execPath, ["-e", fork], { stdio: ["pipe", "pipe", "inherit"] });
    const plane = await upOf(runner.stdout);
    runner.kill("SIGKILL");
    await expect(remainsOf(plane)).resolves.toEqual([]);
    // The owner still lives, and ends with its standard input.
    runner.stdin.end();
  });

  test("a start that fails says why, and leaves nothing", async () => {
    await expect(
      startControlPlane({ name: "wrong", apiserverFlags: ["--no-such-flag"] }),
    ).rejects.toThrow(/start kube-apiserver of wrong: code 1[^]*unknown flag: --no-such-flag/);
  });
});

const typescript = ["--import", pathOf("../support/typescript.mjs")];
const cli = pathOf("../support/control-plane/cli.ts");

interface Up {
  readonly folder: string;
  readonly pids: readonly number[];
}

/** The control plane that `cli.ts up` says it started. */
async function upOf(stdout: NodeJS.ReadableStream): Promise<Up> {
  const plane = JSON.parse(await firstLine(stdout)) as Up;
  expect(plane.pids.filter(isAlive)).toHaveLength(2);
  expect(existsSync(plane.folder)).toBe(true);
  return plane;
}

/** Waits until processes and folder are gone, at most 10 s; answers what is left. */
async function remainsOf({ folder, pids }: Up): Promise<(number | string)[]> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const left = [...pids.filter(isAlive), ...(existsSync(folder) ? [folder] : [])];
    if (left.length === 0 || Date.now() > deadlineMs) return left;
    await delay(50);
  }
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Repeats `check` until it passes; fails with its last error after 10 s. */
async function eventually(check: () => Promise<unknown>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
    }
    await delay(50);
  }
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error("read the first line: the stream ended before");
}

const expired = { type: "ERROR", object: { code: 410, reason: "Expired" } };

/** A watch of one second for what came after this pod was made. */
function watchPath(pod: Pod): string {
  const { resourceVersion } = pod.metadata;
  return `${podsInShop}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`;
}

function networkSet(version: CalicoVersion, name: string, nets: readonly unknown[]): object {
  return {
    apiVersion: version === "v3" ? "projectcalico.org/v3" : "crd.projectcalico.org/v1",
    kind: "GlobalNetworkSet",
    metadata: { name, labels: { name } },
    spec: { nets },
  };
}
