import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { ReflectorLimits } from "../../src/core/reflector/state.ts";
import type { ClusterSource } from "../../src/kube/access.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { eventually, pause } from "../support/eventually.ts";
import { followPods, proxyTo, type Following, type ProxiedPlane } from "../support/follow-pods.ts";
import { createNamespace, createPod, deletePod } from "../support/pods.ts";

describeOnApiServers("reflector on a server that says nothing", () => {
  describe.each([true, false])("with a watch cache: %s", (watchCache) => {
    let plane: ControlPlane;
    let proxy: ProxiedPlane | undefined;
    const running: Following[] = [];

    beforeAll(async () => {
      plane = await startControlPlane({ name: "remote", auditLog: true, watchCache });
      await createNamespace(plane, "shop");
      await createPod(plane, { namespace: "shop", name: "first", ips: ["10.1.0.1"] });
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
      limits: Partial<ReflectorLimits> = {},
      source: ClusterSource = { kind: "kubeconfig", path: plane.kubeconfig },
    ): Promise<Following> {
      const following = await followPods(source, limits);
      running.push(following);
      await eventually(() => expect(following.reflector.link().state).toBe("watching"));
      return following;
    }

    async function podsOfServer(): Promise<string[]> {
      const { items } = await plane.request<{
        items: { metadata: { namespace: string; name: string } }[];
      }>("GET", "/api/v1/pods");
      return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    }

    test("a quiet cluster is proven alive again and again over one watch", async () => {
      const { reflector } = await follow({ probeAfterMs: 300 });
      for (let i = 0; i < 15; i++) {
        await pause(200);
        expect(performance.now() - (reflector.link().proofOfLifeMonotonic ?? 0)).toBeLessThan(
          1_000,
        );
      }
      expect(reflector.link()).toMatchObject({ state: "watching", lists: 1, watchEnds: {} });
      const uris = (await plane.auditEvents())
        .filter((event) => event.userAgent === "wayleave")
        .map((event) => event.requestURI);
      expect(uris.filter((uri) => uri === "/api/v1/pods?limit=1").length).toBeGreaterThan(4);
    });

    test("a half-open line: told by the probe, nothing removed, healed without a new list", async () => {
      proxy = await proxyTo(plane);
      const { reflector, store } = await follow(
        { probeAfterMs: 300, probeDeadlineMs: 300, watchSilenceMs: 3_000 },
        proxy.source,
      );
      proxy.silence();
      await eventually(() =>
        expect(reflector.link()).toMatchObject({
          state: "watching",
          isHealthy: false,
          lastFault: { code: "timeout" },
        }),
      );
      await createPod(plane, { namespace: "shop", name: "unheard" });
      await eventually(() => expect(reflector.link().watchEnds["silence"]).toBe(1));
      expect(store.pods.has("shop/first")).toBe(true);
      proxy.restore();
      await eventually(() => expect(store.pods.has("shop/unheard")).toBe(true));
      await eventually(() => expect(reflector.link().isHealthy).toBe(true));
      expect(store.completed).toBe(1);
      await deletePod(plane, "shop", "unheard");
    });

    test("etcd put back to an older state is noticed within 20 s of the server's return, twice", async () => {
      const snapshot = await plane.snapshot();
      const { reflector, store } = await follow();
      for (const round of [1, 2]) {
        await createPod(plane, { namespace: "shop", name: `lost-${round}`, ips: ["10.1.0.9"] });
        for (let i = 0; i < 20; i++) {
          await createPod(plane, { namespace: "shop", name: `noise-${round}-${i}` });
        }
        await deletePod(plane, "shop", "first");
        await eventually(() => expect(store.pods.has("shop/first")).toBe(false));
        expect(store.pods.has(`shop/lost-${round}`)).toBe(true);
        await plane.restore(snapshot);
        const back = Date.now();
        await eventually(() => expect(store.pods.has("shop/first")).toBe(true), {
          timeoutMs: 20_000,
        });
        expect(Date.now() - back).toBeLessThan(20_000);
        expect([...store.pods.keys()].toSorted()).toEqual((await podsOfServer()).toSorted());
        expect(reflector.link().watchEnds["went-back"]).toBe(round);
        await createPod(plane, { namespace: "shop", name: `after-${round}` });
        await eventually(() => expect(store.pods.has(`shop/after-${round}`)).toBe(true));
      }
    });

    // With a cache the API server itself lives in the past until it is restarted: it answers every list from there.
    if (!watchCache) {
      test("etcd put back under an API server that runs on is noticed by the probe of a quiet watch", async () => {
        const snapshot = await plane.snapshot();
        const { reflector, store } = await follow({ probeAfterMs: 5_000 });
        await createPod(plane, { namespace: "shop", name: "lost" });
        await deletePod(plane, "shop", "first");
        await eventually(() => expect(store.pods.has("shop/first")).toBe(false));
        await plane.restoreEtcd(snapshot);
        await eventually(() => expect(store.pods.has("shop/first")).toBe(true));
        expect(store.pods.has("shop/lost")).toBe(false);
        expect(reflector.link()).toMatchObject({ lists: 2, watchEnds: { "went-back": 1 } });
      });
    }
  });
});
