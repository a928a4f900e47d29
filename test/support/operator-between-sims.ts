import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText } from "../../src/core/model/fault.ts";
import { parseClusterName } from "../../src/core/model/names.ts";
import { joinedName } from "../../src/core/membership/set-id.ts";
import { CALICO, CALICO_CRD, SETS_PATH } from "../../src/demo/calico-crd.ts";
import { openClusters } from "../../src/operator/clusters.ts";
import { readOperatorConfig } from "../../src/operator/options.ts";
import { runOperator } from "../../src/operator/run.ts";
import type { Log, LogFields } from "../../src/runtime/log.ts";
import type { JsonObject } from "../../src/sim/json.ts";
import { startSim, type Sim } from "../../src/sim/sim.ts";
import { pause } from "./eventually.ts";
import { FakeClock } from "./fake-clock.ts";

/** A line that the operator logged. */
export interface LogLine {
  readonly message: string;
  readonly fields: LogFields;
}

/** How far the operator's clock is moved at once, and how long sockets then get, in ms. */
const STEP_MS = 200;
const SOCKETS_MS = 4;
/** How long something that must happen may take, in true time. */
const PATIENCE_MS = 30_000;

/** An operator in this process, on a clock of its own, between two simulated clusters. */
export class OperatorBetweenSims {
  readonly remote: Sim;
  readonly local: Sim;
  readonly clock: FakeClock = new FakeClock(Date.now());
  readonly lines: LogLine[] = [];
  /** What the operator ended with, when it ended before it was told to. */
  ended: Error | undefined;
  readonly #folder: string;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(remote: Sim, local: Sim, folder: string) {
    this.remote = remote;
    this.local = local;
    this.#folder = folder;
  }

  /** Starts all three; the remote has pods `ips` from the beginning. */
  static async start(ips: readonly string[]): Promise<OperatorBetweenSims> {
    const folder = await mkdtemp(join(tmpdir(), "operator-sims-"));
    const remote = await startSim({ name: "remote", tls: true });
    const local = await startSim({ name: "local" });
    const world = new OperatorBetweenSims(remote, local, folder);
    try {
      local.put(CALICO_CRD as JsonObject);
      furnish(remote, ips);
      await world.#open();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** Writes the remote's kubeconfig where the operator reads it. */
  async writeRemoteKubeconfig(): Promise<void> {
    await writeFile(join(this.#folder, "remote"), this.remote.kubeconfig());
  }

  /** The addresses of the one set, as the local cluster has it; undefined when there is no such object. */
  nets(): readonly string[] | undefined {
    const object = this.local.get(CALICO, "GlobalNetworkSet", "", SET_NAME);
    const spec = object?.["spec"] as { nets?: readonly string[] } | undefined;
    return object === undefined ? undefined : [...(spec?.nets ?? [])].toSorted();
  }

  /** The names of all sets of the local cluster, as it answers them. */
  async sets(): Promise<readonly string[]> {
    const response = await fetch(new URL(SETS_PATH, this.local.url));
    const list = (await response.json()) as { items: { metadata: { name: string } }[] };
    return list.items.map((item) => item.metadata.name);
  }

  /** Lines that are `message`. */
  said(message: string): readonly LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  /** Lets time pass in small steps until `probe` no longer throws. */
  async until<T>(probe: () => T | Promise<T>): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await probe();
      } catch (error) {
        if (this.ended !== undefined) throw this.ended;
        if (Date.now() > deadline) throw error;
      }
      await this.#step();
    }
  }

  /** Lets `ms` of the operator's time pass, `stepMs` at once; `check` must hold at every step. */
  async pass(ms: number, check: () => void = () => {}, stepMs: number = STEP_MS): Promise<void> {
    const end = this.clock.monotonic() + ms;
    while (this.clock.monotonic() < end) {
      await this.#step(stepMs);
      check();
    }
  }

  /** Ends all three. Rejects with what the operator ended with, if that was too early. */
  async stop(): Promise<void> {
    const early = this.ended;
    this.#abort.abort();
    const end = new AbortController();
    void this.#running.finally(() => end.abort());
    const deadline = Date.now() + PATIENCE_MS;
    do await this.#step();
    while (!end.signal.aborted && Date.now() < deadline);
    await Promise.all([this.remote.stop(), this.local.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
    if (early !== undefined) throw early;
    if (!end.signal.aborted) throw new Error("the operator did not end");
  }

  async #open(): Promise<void> {
    const local = join(this.#folder, "local");
    await this.writeRemoteKubeconfig();
    await writeFile(local, this.local.kubeconfig());
    const flags = {
      "target-cluster-name": ["remote"],
      "target-kube-config": [join(this.#folder, "remote")],
      "local-kube-config": [local],
      "remote-pod-cidr": ["10.0.0.0/8"],
      "metrics-bind-address": ["0"],
    };
    const read = readOperatorConfig(flags, {});
    if ("errors" in read) throw new Error(read.errors.join("\n"));
    const clusters = await openClusters(read.config, {}, this.clock);
    if ("errors" in clusters) throw new Error(clusters.errors.join("\n"));
    const { signal } = this.#abort;
    this.#running = runOperator(read.config, {
      version: "0.0.0",
      clusters,
      signal,
      clock: this.clock,
      random: () => 0.5,
      log: this.#log(),
    }).catch((error: unknown) => {
      this.ended = new Error(`the operator ended: ${errorText(error)}`, { cause: error });
    });
  }

  #log(): Log {
    const note = (message: string, fields: LogFields = {}): void =>
      void this.lines.push({ message, fields });
    return { error: note, warn: note, info: note, debug: () => {} };
  }

  async #step(ms: number = STEP_MS): Promise<void> {
    await this.clock.advance(ms);
    await pause(SOCKETS_MS);
  }
}

const NAMESPACE = "shop";
const CLUSTER = parseClusterName("remote");
if (CLUSTER === undefined) throw new Error("remote is no name of a cluster");

/** The one set of these tests. */
export const SET_NAME: string = joinedName({
  cluster: CLUSTER,
  namespace: NAMESPACE,
  name: "web",
});

/** Puts the namespace and pods `ips` into a simulated cluster. */
export function furnish(sim: Sim, ips: readonly string[]): void {
  sim.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  for (const ip of ips) putPod(sim, ip);
}

/** Puts a running pod of the set, named after its address. */
export function putPod(sim: Sim, ip: string): void {
  sim.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName(ip),
      namespace: NAMESPACE,
      labels: { "uw.systems/networksets": "true" },
      annotations: { "uw.systems/networkset-name": "web" },
    },
    spec: { nodeName: "node-1", containers: [{ name: "web", image: "web" }] },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
  });
}

/** Removes that pod at once. */
export function deletePod(sim: Sim, ip: string): void {
  sim.delete("v1", "Pod", NAMESPACE, podName(ip));
}

function podName(ip: string): string {
  return `web-${ip.replaceAll(".", "-")}`;
}
