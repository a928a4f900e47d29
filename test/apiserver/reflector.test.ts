import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ReflectorLimits } from "../../src/core/reflector/state.ts";
import type { ClusterSource } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { discoverResources } from "../../src/kube/discovery.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { eventually } from "../support/eventually.ts";
import { followPods, proxyTo, type Following, type ProxiedPlane } from "../support/follow-pods.ts";
import {
  createNamespace,
  createPod,
  createPods,
  deletePod,
  inParallel,
  patchPodMetadata,
  setPodStatus,
} from "../support/pods.ts";
import { createServiceAccount, grant, requestToken, revoke } from "../support/service-accounts.ts";

describeOnApiServers("reflector", () => {
  let plane: ControlPlane;
  const running: Following[] = [];
  let proxy: ProxiedPlane | undefined;

  beforeAll(async () => {
    // Without a watch cache, so that a compaction is felt by every watch that resumes.
    plane = await startControlPlane({ name: "remote", auditLog: true, watchCache: false });
    await createNamespace(plane, "shop");
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((each) => each.stop()));
    await proxy?.close();
    proxy = undefined;
  });

  afterAll(async () => {
    await plane?.stop();
  });

  async function follow(
    source: ClusterSource = { kind: "kubeconfig", path: plane.kubeconfig },
    limits: Partial<ReflectorLimits> = {},
    labelSelector?: string,
  ): Promise<Following> {
    const following = await followPods(source, limits, labelSelector);
    running.push(following);
    return following;
  }

  async function throughProxy(): Promise<ClusterSource> {
    proxy = await proxyTo(plane);
    return proxy.source;
  }

  test("pods are listed page by page and followed through their lives", async () => {
    await createPods(
      plane,
      Array.from({ length: 25 }, (_, i) => ({
        namespace: "shop",
        name: `page-${i}`,
        ips: [`10.1.1.${i + 1}`, `fd00::${i + 1}`],
      })),
    );
    const { store, reflector } = await follow(undefined, { pageLimit: 10 });
    await eventually(() =>
      expect(reflector.link()).toMatchObject({ state: "watching", synced: true }),
    );
    expect(store.pods.size).toBe(25);
    expect(store.pods.get("shop/page-7")).toMatchObject({
      ips: ["10.1.1.8", "fd00::8"],
      phase: "Running",
      nodeName: "node-1",
      hostNetwork: false,
      terminating: false,
    });
    expect(store.pods.get("shop/page-7")?.uid).toMatch(/^[-0-9a-f]{36}$/);

    await createPod(plane, { namespace: "shop", name: "web", labels: { app: "web" } });
    await eventually(() => expect(store.pods.get("shop/web")?.phase).toBe("Pending"));
    await setPodStatus(plane, "shop", "web", { phase: "Running", ips: ["10.1.2.1"] });
    await patchPodMetadata(plane, "shop", "web", { annotations: { set: "a", other: "b" } });
    await eventually(() =>
      expect(store.pods.get("shop/web")).toMatchObject({
        ips: ["10.1.2.1"],
        labels: { app: "web" },
        annotations: { set: "a" },
      }),
    );
    expect(store.pods.get("shop/web")?.annotations).not.toHaveProperty("other");
    await deletePod(plane, "shop", "web");
    await eventually(() => expect(store.pods.has("shop/web")).toBe(false));
    expect(store.completed).toBe(1);

    const asked = (await plane.auditEvents()).filter((event) => event.userAgent === "wayleave");
    const lists = asked.filter((event) => event.verb === "list").map((event) => event.requestURI);
    expect(lists).toHaveLength(3);
    expect(lists[0]).toBe("/api/v1/pods?limit=10");
    expect(lists.join()).not.toContain("resourceVersion=0");
  });

  test("a pod that leaves the selector is removed", async () => {
    await createPod(plane, { namespace: "shop", name: "picked", labels: { pick: "yes" } });
    const { store } = await follow(undefined, {}, "pick=yes");
    await eventually(() => expect([...store.pods.keys()]).toEqual(["shop/picked"]));
    await patchPodMetadata(plane, "shop", "picked", { labels: { pick: "no" } });
    await eventually(() => expect(store.pods.size).toBe(0));
  });

  test("an API server that is killed and returns is followed again within 10 s, twice", async () => {
    const { store, reflector } = await follow();
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    for (const round of [1, 2]) {
      await plane.kill();
      await eventually(() => expect(reflector.link().isHealthy).toBe(false));
      const before = store.pods.size;
      await plane.start();
      const back = Date.now();
      await createPod(plane, { namespace: "shop", name: `after-${round}`, ips: ["10.1.3.1"] });
      await eventually(() => expect(store.pods.has(`shop/after-${round}`)).toBe(true), {
        timeoutMs: 10_000,
      });
      expect(Date.now() - back).toBeLessThan(10_000);
      expect(store.pods.size).toBe(before + 1);
    }
    // Resumed where it stood: the first list was the only one.
    expect(store.completed).toBe(1);
  });

  test("a compaction while the line is cut is answered by one relist, with nothing lost", async () => {
    await createPod(plane, { namespace: "shop", name: "doomed", ips: ["10.1.4.1"] });
    const { store, reflector } = await follow(await throughProxy());
    await eventually(() => expect(store.pods.has("shop/doomed")).toBe(true));
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    proxy?.cut();
    await deletePod(plane, "shop", "doomed");
    await createPods(
      plane,
      Array.from({ length: 20 }, (_, i) => ({ namespace: "shop", name: `noise-${i}` })),
    );
    await plane.compact();
    expect(store.pods.has("shop/doomed")).toBe(true);
    proxy?.restore();
    await eventually(() => expect(store.pods.has("shop/doomed")).toBe(false));
    expect(store.pods.has("shop/noise-19")).toBe(true);
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    expect(reflector.link().watchEnds).toMatchObject({ gone: 1 });
    expect(reflector.link().lists).toBe(2);
    expect(store.completed).toBe(2);
  });

  test("a line that goes silent is given up, and what was missed is made good", async () => {
    const { store, reflector } = await follow(await throughProxy(), { watchSilenceMs: 1_000 });
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    proxy?.silence();
    await createPod(plane, { namespace: "shop", name: "unheard" });
    await eventually(() => expect(reflector.link().watchEnds["silence"]).toBe(1));
    expect(store.pods.has("shop/unheard")).toBe(false);
    proxy?.restore();
    await eventually(() => expect(store.pods.has("shop/unheard")).toBe(true));
    expect(store.completed).toBe(1);
  });

  test("a token without permission: a clear reason, nothing removed, and recovery when it is given", async () => {
    await createServiceAccount(plane, "shop", "reader", [
      { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    ]);
    const tokenFile = join(plane.folder, "reader-token");
    const caFile = join(plane.folder, "reader-ca");
    await writeFile(tokenFile, `${await requestToken(plane, "shop", "reader")}\n`);
    await writeFile(caFile, plane.caCert);
    const source = {
      kind: "explicit",
      url: plane.url,
      ca: { file: caFile },
      token: { file: tokenFile },
    } as const;
    const { store, reflector } = await follow(source);
    await eventually(() => expect(reflector.link().synced).toBe(true));
    const known = store.pods.size;
    expect(known).toBeGreaterThan(20);

    await revoke(plane, "shop", "reader");
    await plane.kill();
    await plane.start();
    await eventually(() =>
      expect(reflector.link().lastFault).toMatchObject({ code: "forbidden", status: 403 }),
    );
    expect(reflector.link().lastFault?.message).toContain(
      'User "system:serviceaccount:shop:reader" cannot watch resource "pods"',
    );
    expect(store.pods.size).toBe(known);
    expect(reflector.link()).toMatchObject({ synced: true, isHealthy: false });

    await grant(plane, "shop", "reader", [
      { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    ]);
    await eventually(() => expect(reflector.link().state).toBe("watching"), { timeoutMs: 30_000 });
    await createPod(plane, { namespace: "shop", name: "healed" });
    await eventually(() => expect(store.pods.has("shop/healed")).toBe(true));
  });

  test("a permission that is taken from an open watch is told by a probe; its token's end is known", async () => {
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] }];
    await createServiceAccount(plane, "shop", "quiet", rules);
    const token = await requestToken(plane, "shop", "quiet");
    const { store, reflector, access } = await follow(
      {
        kind: "explicit",
        url: plane.url,
        ca: { content: plane.caCert },
        token: { content: token },
      },
      { probeAfterMs: 200 },
    );
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    const known = store.pods.size;
    const leftMs = (access.expiresAt() ?? 0) - Date.now();
    expect(leftMs).toBeGreaterThan(60_000);
    expect(leftMs).toBeLessThan(366 * 24 * 3_600_000);

    await revoke(plane, "shop", "quiet");
    await eventually(() =>
      expect(reflector.link()).toMatchObject({
        state: "watching",
        isHealthy: false,
        lastFault: { code: "forbidden" },
      }),
    );
    expect(reflector.link().lastFault?.message).toContain('cannot list resource "pods"');
    expect(store.pods.size).toBe(known);
    await grant(plane, "shop", "quiet", rules);
    await eventually(() => expect(reflector.link().isHealthy).toBe(true), { timeoutMs: 30_000 });
    expect(reflector.link()).toMatchObject({ lists: 1, watchEnds: {} });
  });

  test("without permission from the start it is never synced, and a wrong CA is named", async () => {
    await createServiceAccount(plane, "shop", "nobody");
    const tokenFile = join(plane.folder, "nobody-token");
    await writeFile(tokenFile, await requestToken(plane, "shop", "nobody"));
    const refused = await follow({
      kind: "explicit",
      url: plane.url,
      ca: { content: plane.caCert },
      token: { file: tokenFile },
    });
    const distrusting = await follow({
      kind: "explicit",
      url: plane.url,
      token: { file: tokenFile },
    });
    await eventually(() => expect(refused.reflector.link().lastFault?.code).toBe("forbidden"));
    await eventually(() =>
      expect(distrusting.reflector.link().lastFault?.code).toBe("certificate"),
    );
    expect(refused.reflector.link().synced).toBe(false);
    expect(distrusting.reflector.link().synced).toBe(false);
    expect(refused.store.completed + distrusting.store.completed).toBe(0);
  });

  test("a token that is replaced in its file is taken up after a 401", async () => {
    await createServiceAccount(plane, "shop", "rotating", [
      { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    ]);
    const tokenFile = join(plane.folder, "rotating-token");
    await writeFile(tokenFile, "expired.or.bad");
    const { reflector } = await follow({
      kind: "explicit",
      url: plane.url,
      ca: { content: plane.caCert },
      token: { file: tokenFile },
    });
    await eventually(() => expect(reflector.link().lastFault?.code).toBe("unauthorized"));
    await writeFile(tokenFile, await requestToken(plane, "shop", "rotating"));
    await eventually(() => expect(reflector.link().state).toBe("watching"), { timeoutMs: 30_000 });
  });

  test("what is served is told from what is not", async () => {
    const { access } = await follow();
    const client = new ApiClient(access, { clock: systemClock });
    expect((await discoverResources(client, "", "v1"))?.get("pods")?.verbs).toContain("watch");
    expect(await discoverResources(client, "projectcalico.org", "v3")).toBeUndefined();
  });

  test("thousands of changes arrive whole", async () => {
    const { store, reflector } = await follow();
    await eventually(() => expect(reflector.link().state).toBe("watching"));
    await inParallel(
      Array.from({ length: 500 }, (_, i) => i),
      async (i) => {
        await createPod(plane, {
          namespace: "shop",
          name: `many-${i}`,
          ips: [`10.9.${i >> 8}.${i & 255}`],
        });
      },
    );
    await inParallel(
      Array.from({ length: 250 }, (_, i) => i * 2),
      async (i) => {
        await deletePod(plane, "shop", `many-${i}`);
      },
    );
    await eventually(() => {
      const names = [...store.pods.keys()].filter((key) => key.startsWith("shop/many-"));
      expect(names).toHaveLength(250);
    });
    expect(store.pods.get("shop/many-499")?.ips).toEqual(["10.9.1.243"]);
  });
});
