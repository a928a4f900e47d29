import { readFile } from "node:fs/promises";
import { collectionPath, decodeSet } from "../../src/calico/global-network-set.ts";
import { NetworkSetClient } from "../../src/calico/network-set-client.ts";
import { setKey } from "../../src/core/membership/set-id.ts";
import type { ClusterName } from "../../src/core/model/names.ts";
import type { ActualSet } from "../../src/core/plan/plan-set.ts";
import { loadCluster } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { jsonListWatch } from "../../src/kube/json-list-watch.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import {
  startControlPlane,
  type ControlPlane,
} from "../../test/support/control-plane/control-plane.ts";
import { installCalicoCrds } from "../../test/support/crds/install.ts";
import { OperatorProcess } from "../../test/support/operator-process.ts";
import { createNamespace, createPods, type PodSpec } from "../../test/support/pods.ts";

export const NAMESPACE = "bench";
const LABELS = { "uw.systems/networksets": "true" };
const GROUP = "projectcalico.org/v3";

/** A pod of the bench: number `n`, in set `set`. */
export function benchPod(n: number, set: string): PodSpec {
  return {
    namespace: NAMESPACE,
    name: `pod-${n}`,
    labels: LABELS,
    annotations: { "uw.systems/networkset-name": set },
    ips: [address(n)],
  };
}

/** The n-th address of 10.0.0.0/8, from 10.1.0.0 on. */
export function address(n: number): string {
  return `10.${1 + Math.floor(n / 65536)}.${Math.floor(n / 256) % 256}.${n % 256}`;
}

/** Two real control planes with pods, and who watches the sets from outside of the operator. */
export class Rig {
  readonly remote: ControlPlane;
  readonly local: ControlPlane;
  readonly #sets = new Map<string, ActualSet>();
  readonly #waiting = new Set<() => void>();
  readonly #stop = new AbortController();
  /** Set writes seen by the watch. */
  writes = 0;

  private constructor(remote: ControlPlane, local: ControlPlane) {
    this.remote = remote;
    this.local = local;
  }

  static async start(): Promise<Rig> {
    const [remote, local] = await Promise.all([
      startControlPlane({ name: "remote" }),
      startControlPlane({ name: "local" }),
    ]);
    await createNamespace(remote, NAMESPACE);
    await installCalicoCrds(local, "v3");
    const rig = new Rig(remote, local);
    await rig.#watch();
    return rig;
  }

  async #watch(): Promise<void> {
    const access = await loadCluster(
      { kind: "kubeconfig", path: this.local.kubeconfig },
      systemClock,
    );
    const client = new ApiClient(access, { clock: systemClock });
    const source = jsonListWatch(client, {
      path: collectionPath(GROUP),
      decode: (set) => decodeSet(GROUP, set),
    });
    await new Promise<void>((resolve, reject) => {
      source
        .watch({
          resourceVersion: "",
          timeoutSeconds: 3600,
          signal: this.#stop.signal,
          onBytes: () => {},
          onOpen: resolve,
          onEvent: (event) => {
            if (event.kind === "bookmark") return;
            this.writes++;
            if (event.kind === "put") this.#sets.set(event.item.name, event.item);
            else this.#sets.delete(event.item.name);
            for (const look of this.#waiting) look();
          },
        })
        .catch((error: unknown) => {
          if (!this.#stop.signal.aborted)
            reject(new Error("the watch of the sets failed", { cause: error }));
        });
    });
  }

  /** Sets seen so far. */
  get count(): number {
    return this.#sets.size;
  }

  members(set: string): readonly string[] {
    return this.netsOf(`remote-${NAMESPACE}-${set}`);
  }

  netsOf(name: string): readonly string[] {
    return this.#sets.get(name)?.nets ?? [];
  }

  /** Resolves with the time (performance.now) at which `isTrue` became true of the sets as watched. */
  async until(isTrue: () => boolean): Promise<number> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isTrue()) return;
        this.#waiting.delete(look);
        resolve(performance.now());
      };
      this.#waiting.add(look);
      look();
    });
  }

  async pods(count: number, perSet: number): Promise<void> {
    const specs = Array.from({ length: count }, (_, n) =>
      benchPod(n, `s${Math.floor(n / perSet)}`),
    );
    await createPods(this.remote, specs);
  }

  async operator(): Promise<OperatorProcess> {
    return OperatorProcess.start([
      "--target-cluster-name=remote",
      `--target-kube-config=${this.remote.kubeconfig}`,
      `--local-kube-config=${this.local.kubeconfig}`,
      "--empty-set-grace=1h",
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.remote.stop(), this.local.stop()]);
  }
}

const KILOBYTE_MB = 1 / 1024;

/** Peak resident memory in MB and CPU seconds of process `pid` so far (proc(5)). */
export async function usage(pid: number): Promise<{ peakMb: number; cpuSeconds: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
  return {
    peakMb: Math.round(peakKb * KILOBYTE_MB),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

/** Writes a set of its own again and again: what one write costs on these servers without an operator. */
export class FloorWriter {
  readonly #rig: Rig;
  readonly #client: NetworkSetClient;
  #set: ActualSet | undefined;

  constructor(rig: Rig, client: NetworkSetClient) {
    this.#rig = rig;
    this.#client = client;
  }

  static async on(rig: Rig): Promise<FloorWriter> {
    const source = { kind: "kubeconfig", path: rig.local.kubeconfig } as const;
    const access = await loadCluster(source, systemClock);
    const client = new NetworkSetClient(new ApiClient(access, { clock: systemClock }), GROUP);
    return new FloorWriter(rig, client);
  }

  /** One PUT of ten nets; resolves with the milliseconds until the watch saw it. */
  async write(n: number): Promise<number> {
    const owner = setKey({ cluster: "floor" as ClusterName, namespace: NAMESPACE, name: "floor" });
    this.#set ??= await this.#client.create({
      name: "floor",
      owner,
      shard: 1,
      labels: {},
      nets: [],
    });
    const nets = Array.from({ length: 10 }, (_, i) => `${address(500_000 + 10 * n + i)}/32`);
    const seen = this.#rig.until(() => this.#rig.netsOf("floor")[0] === nets[0]);
    const begun = performance.now();
    this.#set = await this.#client.replace({ ...this.#set, nets });
    return (await seen) - begun;
  }
}
