import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PodRecord } from "../../src/core/model/pod.ts";
import type { ReflectorLimits } from "../../src/core/reflector/state.ts";
import type { Store } from "../../src/core/reflector/store.ts";
import { loadCluster, type ClusterAccess, type ClusterSource } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { jsonListWatch } from "../../src/kube/json-list-watch.ts";
import { podFromJson } from "../../src/kube/pod.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { Reflector } from "../../src/runtime/reflector.ts";
import type { ControlPlane } from "./control-plane/control-plane.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** The pods of a cluster by `namespace/name`; what a completed list did not hold is gone. */
export class PodStore implements Store<PodRecord> {
  readonly pods = new Map<string, PodRecord>();
  #listed: Set<string> | undefined;
  completed = 0;

  beginList(): void {
    this.#listed = new Set();
  }

  endList(): void {
    for (const key of this.pods.keys()) if (this.#listed?.has(key) !== true) this.pods.delete(key);
    this.completed++;
  }

  abandonList(): void {
    this.#listed = undefined;
  }

  put(pod: PodRecord): void {
    const key = `${pod.namespace}/${pod.name}`;
    this.pods.set(key, pod);
    this.#listed?.add(key);
  }

  remove(pod: PodRecord): void {
    this.pods.delete(`${pod.namespace}/${pod.name}`);
  }
}

/** A Reflector at work on the pods of a cluster. Stop it when done. */
export interface Following {
  readonly store: PodStore;
  readonly reflector: Reflector<PodRecord>;
  readonly access: ClusterAccess;
  stop(): Promise<void>;
}

/** Lists and watches the pods of the cluster at `source`. */
export async function followPods(
  source: ClusterSource,
  limits: Partial<ReflectorLimits> = {},
  labelSelector?: string,
): Promise<Following> {
  const access = await loadCluster(source, systemClock);
  const store = new PodStore();
  const reflector = new Reflector({
    source: jsonListWatch(new ApiClient(access, { clock: systemClock }), {
      path: "/api/v1/pods",
      decode: (object) => podFromJson(object, new Set(["set"])),
      ...(labelSelector === undefined ? {} : { labelSelector }),
    }),
    store,
    clock: systemClock,
    limits,
  });
  const abort = new AbortController();
  const done = reflector.run(abort.signal);
  return {
    store,
    reflector,
    access,
    stop: async () => {
      abort.abort();
      await done;
      access.close();
    },
  };
}

/** A line to a control plane that the test can cut, with the admin's way over it. */
export interface ProxiedPlane extends TcpProxy {
  readonly source: ClusterSource;
}

/** Puts a proxy before `plane`. Close it when done. */
export async function proxyTo(plane: ControlPlane): Promise<ProxiedPlane> {
  const port = new URL(plane.url).port;
  const proxy = new TcpProxy(Number(port));
  const text = await readFile(plane.kubeconfig, "utf8");
  const path = join(plane.folder, "kubeconfig-proxy");
  await writeFile(path, text.replace(`:${port}`, `:${await proxy.listen()}`));
  return Object.assign(proxy, { source: { kind: "kubeconfig", path } as const });
}
