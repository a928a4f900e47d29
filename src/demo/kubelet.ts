import { objectKey, type PodRecord } from "../core/model/pod.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { ShopApi } from "./shop-api.ts";

/** From a pod's creation until it runs. */
const START_MS = 400;
/** From a pod's deletion until it has ended. */
const STOP_MS = 700;

/** What a kubelet works with. */
export interface KubeletParts {
  readonly api: ShopApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pods: () => Iterable<PodRecord>;
  readonly onError: (error: unknown) => void;
}

/** The kubelets of all nodes and their address management in one: gives new pods an address, and lets deleted pods end. */
export class Kubelet {
  readonly #parts: KubeletParts;
  readonly #starting = new Set<string>();
  readonly #ending = new Set<string>();
  readonly #reserved = new Map<string, string>();
  readonly #lastHost = new Map<string, number>();

  constructor(parts: KubeletParts) {
    this.#parts = parts;
  }

  /** The pod of this key (`namespace/name`) will get `ip`. */
  reserve(key: string, ip: string): void {
    this.#reserved.set(key, ip);
  }

  /** To be told of every pod as it is now. */
  see(pod: PodRecord): void {
    if (pod.terminating) {
      this.#once(this.#ending, pod, async () => this.#end(pod));
    } else if (pod.phase === "Pending" && pod.ips.length === 0 && !pod.hostNetwork) {
      this.#once(this.#starting, pod, async () => this.#start(pod));
    }
  }

  #once(busy: Set<string>, pod: PodRecord, work: () => Promise<void>): void {
    if (busy.has(pod.uid)) return;
    busy.add(pod.uid);
    work()
      .catch((error: unknown) => {
        if (!this.#parts.signal.aborted) this.#parts.onError(error);
      })
      .finally(() => busy.delete(pod.uid));
  }

  async #start({ namespace, name, nodeName }: PodRecord): Promise<void> {
    const { api, clock, signal } = this.#parts;
    await sleep(clock, START_MS, signal);
    const key = objectKey(namespace, name);
    const ip = this.#reserved.get(key) ?? this.#allocate(nodeName);
    this.#reserved.delete(key);
    await api.startPod(namespace, name, ip);
  }

  async #end({ namespace, name, uid }: PodRecord): Promise<void> {
    const { api, clock, signal } = this.#parts;
    await sleep(clock, STOP_MS, signal);
    await api.finishDeletion(namespace, name, uid);
  }

  /** The next address of the node's range that nobody has; ranges are walked round, so that an address rests before it returns. */
  #allocate(node: string): string {
    const range = /^node-(\d)$/.exec(node)?.[1] ?? "9";
    const taken = new Set([...this.#parts.pods()].flatMap(({ ips }) => ips));
    let host = this.#lastHost.get(range) ?? 0;
    for (let tried = 0; tried < 254; tried++) {
      host = (host % 254) + 1;
      const ip = `10.1.${range}.${host}`;
      if (taken.has(ip)) continue;
      this.#lastHost.set(range, host);
      return ip;
    }
    throw new Error(`give an address on ${node}: all 254 are taken`);
  }
}
