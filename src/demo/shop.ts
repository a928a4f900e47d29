import type { PodRecord } from "../core/model/pod.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import { NAMESPACE, type ShopApi } from "./shop-api.ts";

/** The nodes of the remote cluster. */
export const NODES = ["node-1", "node-2"] as const;

/** How long a Failed pod is there to be looked at. */
const LINGER_MS = 1_500;
const WORKLOAD = "app";
const VERSION = "version";

interface Workload {
  readonly name: string;
  readonly set: string;
  replicas: number;
  version: number;
  made: number;
}

/** What a shop works with. */
export interface ShopParts {
  readonly api: ShopApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The pods of the remote cluster as they are known now. */
  readonly pods: () => Iterable<PodRecord>;
  readonly onError: (error: unknown) => void;
}

/** Keeps each workload at its replicas and version, as a Deployment would: also after what others do to its pods. */
export class Shop {
  readonly #parts: ShopParts;
  readonly #workloads = new Map<string, Workload>();
  readonly #cordoned = new Set<string>();
  /** Names asked to be made, or to go, and not yet seen so. */
  readonly #making = new Set<string>();
  readonly #going = new Set<string>();

  constructor(parts: ShopParts) {
    this.#parts = parts;
  }

  deploy(name: string, set: string, replicas: number): void {
    const known = this.#workloads.get(name);
    if (known === undefined) {
      this.#workloads.set(name, { name, set, replicas, version: 1, made: 0 });
    } else known.replicas = replicas;
    this.reconcile();
  }

  scale(name: string, replicas: number): void {
    this.#workload(name).replicas = replicas;
    this.reconcile();
  }

  roll(name: string): void {
    const workload = this.#workload(name);
    workload.version++;
    workload.made = 0;
    this.reconcile();
  }

  /** Takes every pod off the node, and brings none to it until `uncordon`. */
  drain(node: string): void {
    this.#cordoned.add(node);
    for (const workload of this.#workloads.values()) {
      for (const pod of this.#live(workload)) if (pod.nodeName === node) this.#remove(pod);
    }
  }

  uncordon(node: string): void {
    this.#cordoned.delete(node);
  }

  /** A running pod of the workload. Throws when it has none. */
  onePodOf(name: string): PodRecord {
    const pod = this.#live(this.#workload(name)).find(({ phase }) => phase === "Running");
    if (pod === undefined) throw new Error(`take a pod of ${name}: none is running`);
    return pod;
  }

  /** The node with the fewest pods of those that take any. */
  freeNode(): string {
    const nodes = NODES.filter((node) => !this.#cordoned.has(node));
    const count = (node: string): number =>
      [...this.#parts.pods()].filter((pod) => pod.nodeName === node && isLive(pod)).length;
    const [first = NODES[0], ...others] = nodes;
    return others.reduce((best, node) => (count(node) < count(best) ? node : best), first);
  }

  /** What is not yet as it was asked to be; undefined when all is. */
  unsettled(): string | undefined {
    for (const workload of this.#workloads.values()) {
      const running = this.#live(workload).filter(
        (pod) => pod.phase === "Running" && pod.ips.length > 0 && isOfVersion(pod, workload),
      );
      if (running.length !== workload.replicas)
        return `${workload.name} has ${running.length} of ${workload.replicas} pods`;
      const other = this.#podsOf(workload.name).find((pod) => !running.includes(pod));
      if (other !== undefined) return `pod ${other.name} is still there`;
    }
    return undefined;
  }

  /** Takes the next steps towards what was asked. To be called whenever pods changed. */
  reconcile(): void {
    if (this.#parts.signal.aborted) return;
    for (const workload of this.#workloads.values()) this.#reconcile(workload);
  }

  #reconcile(workload: Workload): void {
    const present = this.#podsOf(workload.name);
    for (const pod of present) {
      this.#making.delete(pod.name);
      if (pod.phase === "Failed" && !pod.terminating) this.#bury(pod);
    }
    for (const name of this.#going)
      if (![...this.#parts.pods()].some((pod) => pod.name === name)) this.#going.delete(name);
    const live = this.#live(workload);
    const current = live.filter((pod) => isOfVersion(pod, workload));
    const making = [...this.#making].filter((name) => name.startsWith(`${workload.name}-v`)).length;
    const old = live.length - current.length;
    const { replicas } = workload;
    // While old pods remain, one more than wanted may live (maxSurge 1, maxUnavailable 0).
    const room = replicas + (old > 0 ? 1 : 0) - live.length - making;
    const missing = replicas - current.length - making;
    for (let left = Math.min(room, missing); left > 0; left--) this.#make(workload);
    const surplus = live.length - replicas;
    if (surplus <= 0) return;
    if (old === 0) {
      for (const pod of current.toReversed().slice(0, surplus)) this.#remove(pod);
    } else if (live.every((pod) => pod.phase === "Running")) {
      const victim = live.find((pod) => !current.includes(pod));
      if (victim !== undefined) this.#remove(victim);
    }
  }

  #make(workload: Workload): void {
    const { name: app, set, version } = workload;
    const taken = new Set([...this.#parts.pods()].map((pod) => pod.name));
    let name: string;
    do name = `${app}-v${version}-${++workload.made}`;
    while (taken.has(name));
    this.#making.add(name);
    const labels = { [WORKLOAD]: app, [VERSION]: `v${version}` };
    const node = this.#nextNode();
    this.#do(async () => this.#parts.api.createPod({ name, set, node, labels }));
  }

  /** Pods asked for in one go spread too, though none of them is seen yet. */
  #nextNode(): string {
    const nodes = NODES.filter((node) => !this.#cordoned.has(node));
    const turn = this.#making.size % Math.max(1, nodes.length);
    return this.#making.size > 1 ? (nodes[turn] ?? NODES[0]) : this.freeNode();
  }

  #remove(pod: PodRecord): void {
    this.#going.add(pod.name);
    this.#do(async () => this.#parts.api.deletePod(pod.namespace, pod.name));
  }

  #bury(pod: PodRecord): void {
    if (this.#going.has(pod.name)) return;
    this.#going.add(pod.name);
    const { clock, signal, api } = this.#parts;
    this.#do(async () => {
      await sleep(clock, LINGER_MS, signal);
      await api.finishDeletion(pod.namespace, pod.name, pod.uid);
    });
  }

  #do(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.#parts.signal.aborted) this.#parts.onError(error);
    });
  }

  #workload(name: string): Workload {
    const workload = this.#workloads.get(name);
    if (workload === undefined) throw new Error(`find workload ${name}: it was never deployed`);
    return workload;
  }

  #podsOf(workload: string): readonly PodRecord[] {
    return [...this.#parts.pods()].filter(
      (pod) => pod.namespace === NAMESPACE && pod.labels[WORKLOAD] === workload,
    );
  }

  /** Pods that count: neither ended nor on their way out, oldest name first. */
  #live(workload: Workload): readonly PodRecord[] {
    return this.#podsOf(workload.name).filter((pod) => isLive(pod) && !this.#going.has(pod.name));
  }
}

function isLive(pod: PodRecord): boolean {
  return !pod.terminating && (pod.phase === "Pending" || pod.phase === "Running");
}

function isOfVersion(pod: PodRecord, workload: Workload): boolean {
  return pod.labels[VERSION] === `v${workload.version}`;
}
