import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { PodRecord } from "../../src/core/model/pod.ts";
import type { WatchEvent } from "../../src/core/reflector/store.ts";
import { loadCluster, type ClusterAccess } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { jsonListWatch } from "../../src/kube/json-list-watch.ts";
import { podListWatch } from "../../src/kube/pod-list-watch.ts";
import { podFromJson } from "../../src/kube/pod.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { ListWatch } from "../../src/runtime/list-watch.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { eventually } from "../support/eventually.ts";
import {
  createNamespace,
  createPod,
  createPods,
  deletePod,
  patchPodMetadata,
  setPodStatus,
} from "../support/pods.ts";

const KEEP = new Set(["set", "net"]);

describeOnApiServers("pods in protobuf", () => {
  let plane: ControlPlane;
  let access: ClusterAccess;
  let inProtobuf: ListWatch<PodRecord>;
  let inJson: ListWatch<PodRecord>;

  beforeAll(async () => {
    plane = await startControlPlane({ name: "remote" });
    await createNamespace(plane, "shop");
    access = await loadCluster({ kind: "kubeconfig", path: plane.kubeconfig }, systemClock);
    const client = new ApiClient(access, { clock: systemClock });
    inProtobuf = podListWatch(client, { keepAnnotations: KEEP });
    inJson = jsonListWatch(client, {
      path: "/api/v1/pods",
      decode: (pod) => podFromJson(pod, KEEP),
    });
  });

  afterAll(async () => {
    access?.close();
    await plane?.stop();
  });

  async function list(source: ListWatch<PodRecord>): Promise<object> {
    const pods: PodRecord[] = [];
    const page = await source.list({
      resourceVersion: "",
      continueToken: "",
      limit: 5_000,
      signal: new AbortController().signal,
      onBytes: () => {},
      onItem: (pod) => pods.push(pod),
    });
    return { page, pods };
  }

  /** All kinds of pods that a record tells apart. */
  async function populate(): Promise<void> {
    await createPods(
      plane,
      Array.from({ length: 40 }, (_, n) => ({
        namespace: "shop",
        name: `web-${n}`,
        labels: { app: `web-${n % 3}`, tier: "front", ...(n % 5 === 0 ? { odd: "" } : {}) },
        annotations: { set: `s${n}`, other: "ünïcode ☃ \u{1f642}", net: '{"ips":["é"]}' },
        nodeName: `node-${n % 4}`,
        hostNetwork: n % 7 === 0,
        ips: n % 3 === 0 ? [] : [`10.0.0.${n}`, `fd00::${n}`],
        phase: (["Running", "Pending", "Succeeded", "Failed"] as const)[n % 4] ?? "Running",
      })),
    );
    await plane.request("POST", "/api/v1/namespaces/shop/pods", {
      metadata: { name: "ports", finalizers: ["wayleave.test/hold"], labels: {} },
      spec: {
        initContainers: [
          { name: "side", image: "i", restartPolicy: "Always", ports: [{ containerPort: 1 }] },
          { name: "once", image: "i", ports: [{ containerPort: 2, name: "once" }] },
        ],
        containers: [
          {
            name: "main",
            image: "i",
            env: [{ name: "A", value: "x".repeat(70_000) }],
            ports: [
              { containerPort: 80, name: "http" },
              { containerPort: 53, name: "dns", protocol: "UDP" },
              { containerPort: 65_535, protocol: "SCTP" },
            ],
          },
        ],
      },
    });
    // With a finalizer it stays, and is terminating.
    await deletePod(plane, "shop", "ports");
  }

  test("a list gives the same records as one in JSON", async () => {
    await populate();
    const json = await list(inJson);
    expect(await list(inProtobuf)).toEqual(json);
    expect((json as { pods: PodRecord[] }).pods).toHaveLength(41);
    expect((json as { pods: PodRecord[] }).pods).toContainEqual(
      expect.objectContaining({ name: "ports", terminating: true }),
    );
  });

  test("a watch gives the same events as one in JSON", async () => {
    const abort = new AbortController();
    const { page } = (await list(inJson)) as { page: { resourceVersion: string } };
    const follow = (source: ListWatch<PodRecord>): readonly WatchEvent<PodRecord>[] => {
      const events: WatchEvent<PodRecord>[] = [];
      source
        .watch({
          resourceVersion: page.resourceVersion,
          timeoutSeconds: 300,
          signal: abort.signal,
          onBytes: () => {},
          onOpen: () => {},
          onEvent: (event) => events.push(event),
        })
        .catch(() => {});
      return events;
    };
    const both = [follow(inProtobuf), follow(inJson)];
    await createPod(plane, { namespace: "shop", name: "new", ips: ["10.1.0.1"] });
    await patchPodMetadata(plane, "shop", "new", {
      labels: { app: "x" },
      annotations: { set: "y" },
    });
    await setPodStatus(plane, "shop", "new", { ips: [], phase: "Failed" });
    await deletePod(plane, "shop", "new");
    await eventually(() => {
      for (const events of both) expect(events.at(-1)?.kind).toBe("remove");
    });
    abort.abort();
    expect(both[0]).toEqual(both[1]);
    expect(both[0]?.length).toBeGreaterThan(3);
  });

  test("a list not older than the future says that the version is too large", async () => {
    const future = inProtobuf.list({
      resourceVersion: "999999999",
      continueToken: "",
      limit: 500,
      signal: new AbortController().signal,
      onBytes: () => {},
      onItem: () => {},
    });
    await expect(future).rejects.toMatchObject({ reason: "ResourceVersionTooLarge" });
  });
});
