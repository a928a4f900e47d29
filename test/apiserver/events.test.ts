import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { loadCluster, type ClusterAccess } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { EventRecorder, type EventFacts } from "../../src/kube/events.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { eventually } from "../support/eventually.ts";
import { createNamespace } from "../support/pods.ts";
import { createServiceAccount, grant, requestToken } from "../support/service-accounts.ts";

interface Listed {
  readonly items: readonly (Readonly<Record<string, unknown>> & {
    readonly metadata: { readonly name: string };
  })[];
}

describeOnApiServers("events", () => {
  let plane: ControlPlane;
  let access: ClusterAccess;

  beforeAll(async () => {
    plane = await startControlPlane({ name: "local" });
    await createNamespace(plane, "shop");
    await createServiceAccount(plane, "shop", "recorder");
    const token = { content: await requestToken(plane, "shop", "recorder") };
    const ca = { content: plane.caCert };
    access = await loadCluster({ kind: "explicit", url: plane.url, ca, token }, systemClock);
  });

  afterAll(async () => {
    access?.close();
    await plane?.stop();
  });

  function about(name: string, over: Partial<EventFacts> = {}): EventFacts {
    return {
      regarding: {
        apiVersion: "projectcalico.org/v3",
        kind: "GlobalNetworkSet",
        name,
        uid: "6a7b1c2e-0000-4000-8000-000000000001",
      },
      type: "Warning",
      reason: "MassRemovalHeld",
      note: "12 of 20 nets would go",
      ...over,
    };
  }

  test("without permission events are dropped and counted; with create and patch they are written and found as kubectl looks for them", async () => {
    const api = new ApiClient(access, { clock: systemClock });
    const drops: string[] = [];
    const poor = new EventRecorder({
      api,
      clock: systemClock,
      reportingInstance: "operator-0",
      onDropped: (_reason, why) => drops.push(why),
    });
    poor.record(about("remote-a"));
    await eventually(() => expect(poor.counts().dropped.refused).toBe(1));
    expect(drops[0]).toContain("events.events.k8s.io is forbidden");
    await poor.stop();

    await grant(plane, "shop", "recorder", [
      { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
    ]);
    await eventually(async () => {
      const review = await api.request({
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body: {
          spec: {
            resourceAttributes: { group: "events.k8s.io", resource: "events", verb: "patch" },
          },
        },
      });
      expect(review.body).toMatchObject({ status: { allowed: true } });
    });
    const recorder = new EventRecorder({
      api,
      clock: systemClock,
      reportingInstance: "operator-0",
      limits: { seriesMs: 100 },
    });
    recorder.record(about("remote-a"));
    recorder.record(
      about("remote-b", { type: "Normal", reason: "SetCreated", note: "ä".repeat(999) }),
    );
    const pod = { apiVersion: "v1", kind: "Pod", name: "web", namespace: "shop" };
    recorder.record(about("", { regarding: pod, reason: "NameCollision" }));
    await eventually(() => expect(recorder.counts()).toMatchObject({ created: 3 }));
    recorder.record(about("remote-a"));
    recorder.record(about("remote-a"));

    const found = async (): Promise<Listed> =>
      plane.request<Listed>(
        "GET",
        "/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dremote-a",
      );
    await eventually(async () =>
      expect(await found()).toMatchObject({
        items: [
          {
            type: "Warning",
            reason: "MassRemovalHeld",
            action: "MassRemovalHeld",
            note: "12 of 20 nets would go",
            regarding: about("remote-a").regarding,
            reportingController: "wayleave.dev/operator",
            reportingInstance: "operator-0",
            series: { count: 3 },
          },
        ],
      }),
    );
    // What kubectl describe asks.
    const described = await plane.request<Listed>(
      "GET",
      `/api/v1/events?fieldSelector=${encodeURIComponent(
        "involvedObject.name=remote-a,involvedObject.kind=GlobalNetworkSet,involvedObject.uid=6a7b1c2e-0000-4000-8000-000000000001",
      )}`,
    );
    expect(described.items).toHaveLength(1);
    const inShop = await plane.request<Listed>(
      "GET",
      "/apis/events.k8s.io/v1/namespaces/shop/events?fieldSelector=regarding.kind%3DPod",
    );
    expect(inShop.items.map(({ metadata }) => metadata.name)).toEqual([
      expect.stringMatching(/^web\./),
    ]);

    // The server forgets; the next count makes it anew.
    const [event] = (await found()).items;
    const path = `/apis/events.k8s.io/v1/namespaces/default/events/${event?.metadata.name}`;
    await plane.request("DELETE", path);
    recorder.record(about("remote-a"));
    await eventually(async () =>
      expect(await found()).toMatchObject({ items: [{ series: { count: 4 } }] }),
    );
    await recorder.stop();
    expect(recorder.counts().dropped).toEqual({ rate: 0, queue: 0, refused: 0, unsent: 0 });
  });
});
