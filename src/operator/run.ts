import { NetworkSetClient } from "../calico/network-set-client.ts";
import { ClusterPods } from "../core/membership/cluster-pods.ts";
import { RELEASED_ANNOTATIONS } from "../core/membership/claim.ts";
import { Membership } from "../core/membership/membership.ts";
import { legacy2021 } from "../core/membership/profile.ts";
import { setIdOf } from "../core/membership/set-id.ts";
import { errorText } from "../core/model/fault.ts";
import type { PodRecord } from "../core/model/pod.ts";
import { serve, type Server } from "../http/server.ts";
import { ApiClient } from "../kube/api-client.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { podFromJson } from "../kube/pod.ts";
import { winstonLog } from "../log/winston.ts";
import { createMetrics } from "../metrics/registry.ts";
import { OPERATOR_METRICS } from "../metrics/table.ts";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { withFields, type Log } from "../runtime/log.ts";
import { repeat } from "../runtime/repeat.ts";
import { Reflector, type LinkFacts } from "../runtime/reflector.ts";
import { ActualSets } from "./actual-sets.ts";
import type { Clusters } from "./clusters.ts";
import { LINK_STATES, linkState } from "./link.ts";
import { localSets, waitForCalico } from "./local-cluster.ts";
import type { OperatorMetrics } from "./metrics.ts";
import type { OperatorConfig } from "./options.ts";
import { probeRoutes, type Check } from "./probes.ts";
import { Reconciler } from "./reconciler.ts";

/** What an operator runs on. */
export interface OperatorContext {
  readonly version: string;
  readonly clusters: Clusters;
  /** Ends the operator. */
  readonly signal: AbortSignal;
  /** @default the machine's */
  readonly clock?: Clock;
  /** @default Math.random */
  readonly random?: () => number;
  /** @default JSON lines on standard error */
  readonly log?: Log;
}

/** A write under way may take this long to end before the process does. */
const STOP_MS = 8_000;

/**
 * Runs the operator of one remote cluster until the signal aborts, then ends in order: watches, writes, server.
 *
 * ```
 * remote API ──Reflector──▶ ClusterPods ──▶ Membership ──keys──▶ Reconciler ──planSet──▶ local API
 *                                                                    ▲
 * local API ───Reflector──▶ ActualSets ──────────keys────────────────┘
 * ```
 */
export async function runOperator(config: OperatorConfig, context: OperatorContext): Promise<void> {
  const operator = new Operator(config, context);
  await operator.run();
}

class Operator {
  readonly #config: OperatorConfig;
  readonly #context: OperatorContext;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #metrics: OperatorMetrics;
  readonly #membership = new Membership();
  readonly #pods: ClusterPods;
  readonly #actual: ActualSets;
  readonly #remote: Reflector<PodRecord>;
  #reconciler: Reconciler | undefined;
  #remoteComplete = false;
  #localComplete = false;
  #localCheck: Check = { name: "local-api", ok: false, message: "not asked yet" };
  #lastSync = 0;
  #watchRestarts: Readonly<Record<string, number>> = {};
  #linkSaid = "";

  constructor(config: OperatorConfig, context: OperatorContext) {
    this.#config = config;
    this.#context = context;
    this.#clock = context.clock ?? systemClock;
    this.#random = context.random ?? Math.random;
    this.#log = withFields(context.log ?? winstonLog(config.logLevel), {
      cluster: config.targetClusterName,
    });
    this.#metrics = createMetrics(OPERATOR_METRICS, () => this.#collect());
    const profile = legacy2021(config.networksetNameAnnotation);
    this.#pods = new ClusterPods(config.targetClusterName, this.#membership, profile, {
      onChanged: (sets) => this.#reconciler?.changed(sets),
      onRefused: (pod, { field, value, why }) => {
        this.#metrics.metric.refusals.add({ ...this.#labels, field });
        this.#log.warn("pod refused", { pod, field, value, reason: why });
      },
      onComplete: () => {
        this.#remoteComplete = true;
        this.#lastSync = this.#clock.now();
        this.#log.info("remote pods listed", { pods: this.#pods.size });
        this.#reconciler?.all(config.targetClusterName);
      },
    });
    this.#actual = new ActualSets({
      onChanged: (set) => this.#reconciler?.touched(set),
      onComplete: () => {
        this.#localComplete = true;
        this.#reconciler?.all(config.targetClusterName);
      },
    });
    const annotations = new Set([config.networksetNameAnnotation, ...RELEASED_ANNOTATIONS]);
    this.#remote = new Reflector({
      source: jsonListWatch(this.#client(context.clusters.remote), {
        path: "/api/v1/pods",
        labelSelector: config.labelSelector,
        decode: (pod) => podFromJson(pod, annotations),
      }),
      store: this.#pods,
      clock: this.#clock,
      random: this.#random,
      onLink: (facts) => this.#noteRemote(facts),
    });
  }

  get #labels(): { readonly remote_cluster: string } {
    return { remote_cluster: this.#config.targetClusterName };
  }

  async run(): Promise<void> {
    const { signal, version, clusters } = this.#context;
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    this.#metrics.metric.buildInfo.set({ version, revision: "", node_version: process.version }, 1);
    const server = await this.#serve();
    this.#log.info("operator started", { version });
    try {
      await Promise.all([this.#remote.run(stop), this.#runLocal(stop)]);
    } finally {
      ended.abort();
      await this.#stopWrites();
      await server?.close();
      clusters.remote.close();
      clusters.local.close();
      this.#log.info("operator stopped");
    }
  }

  async #serve(): Promise<Server | undefined> {
    const { metricsBindAddress } = this.#config;
    if (metricsBindAddress === undefined) return undefined;
    const routes = probeRoutes({
      ready: () => [this.#localCheck],
      shown: () => [this.#remoteCheck()],
      metrics: async () => this.#metrics.text(),
      metricsType: this.#metrics.contentType,
    });
    const server = await serve(metricsBindAddress, routes, (error) =>
      this.#log.error("probe failed", { error: errorText(error) }),
    );
    this.#log.info("probes and metrics served", { port: server.port });
    return server;
  }

  async #runLocal(signal: AbortSignal): Promise<void> {
    const client = this.#client(this.#context.clusters.local);
    const group = await waitForCalico({
      client,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      signal,
      onAttempt: (ok, message) => {
        this.#localCheck = { name: "local-api", ok, message };
      },
    }).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (group === undefined) return;
    this.#reconciler = new Reconciler({
      membership: this.#membership,
      actual: this.#actual,
      profile: legacy2021(this.#config.networksetNameAnnotation),
      client: new NetworkSetClient(client, group),
      isReady: () => this.#remoteComplete && this.#localComplete,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      metrics: this.#metrics,
      emptyGraceMs: this.#config.emptySetGrace,
    });
    const local = new Reflector({
      source: localSets(client, group),
      store: this.#actual,
      clock: this.#clock,
      random: this.#random,
      onLink: (facts) => this.#noteLocal(facts, group),
    });
    const { fullStoreResyncPeriod, podResyncPeriod } = this.#config;
    repeat(this.#clock, fullStoreResyncPeriod, signal, () => local.relist());
    repeat(this.#clock, podResyncPeriod, signal, () => this.#remote.relist());
    await local.run(signal);
  }

  async #stopWrites(): Promise<void> {
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(STOP_MS, resolve);
    });
    await Promise.race([this.#reconciler?.stop(), patience]);
    cancel();
  }

  #client(access: Clusters["local"]): ApiClient {
    return new ApiClient(access, {
      clock: this.#clock,
      userAgent: `wayleave/${this.#context.version}`,
      onRequest: ({ method, status, durationMs }) => {
        const { host } = access.server;
        const { requests, requestDuration } = this.#metrics.metric;
        requests.add({ code: status === undefined ? "<error>" : String(status), method, host });
        requestDuration.observe({ method, host }, durationMs / 1000);
      },
    });
  }

  #noteLocal(facts: LinkFacts, group: string): void {
    const name = "local-api";
    const { isHealthy, lastFault } = facts;
    if (isHealthy) this.#localCheck = { name, ok: true, message: `sets are written to ${group}` };
    else {
      const message = lastFault?.message ?? "unknown";
      if (this.#localCheck.ok) this.#log.warn("local cluster does not answer", { error: message });
      this.#localCheck = { name, ok: false, message };
    }
  }

  #noteRemote(facts: LinkFacts): void {
    for (const [reason, count] of Object.entries(facts.watchEnds)) {
      const by = count - (this.#watchRestarts[reason] ?? 0);
      if (by > 0) {
        this.#metrics.metric.watchRestarts.add({ ...this.#labels, resource: "pods", reason }, by);
      }
    }
    this.#watchRestarts = facts.watchEnds;
    const said = facts.isHealthy ? facts.state : `trouble: ${facts.lastFault?.message}`;
    if (said === this.#linkSaid) return;
    this.#linkSaid = said;
    if (!facts.isHealthy) {
      this.#log.warn("remote cluster does not answer; its sets are held as they are", {
        error: facts.lastFault?.message,
        code: facts.lastFault?.code,
      });
    } else if (facts.state === "watching") {
      this.#log.info("remote cluster is followed");
    }
  }

  #remoteCheck(): Check {
    const facts = this.#remote.link();
    const state = linkState(facts, this.#clock.now());
    const age =
      facts.proofOfLifeAt === undefined
        ? "never seen"
        : `last seen ${Math.round((this.#clock.now() - facts.proofOfLifeAt) / 1000)}s ago`;
    const trouble = facts.isHealthy ? "" : `; ${facts.lastFault?.message}`;
    return {
      name: `remote-${this.#config.targetClusterName}`,
      ok: state === "Synced",
      message: `${state}, ${age}, ${this.#pods.size} pods${trouble}`,
    };
  }

  #collect(): void {
    const { metric } = this.#metrics;
    const facts = this.#remote.link();
    const now = this.#clock.now();
    const state = linkState(facts, now);
    for (const each of LINK_STATES) {
      metric.linkState.set({ ...this.#labels, state: each }, each === state ? 1 : 0);
    }
    if (facts.proofOfLifeAt !== undefined) {
      metric.lastEvent.set(this.#labels, facts.proofOfLifeAt / 1000);
    }
    if (this.#lastSync > 0) metric.lastSync.set(this.#labels, this.#lastSync / 1000);
    let sets = 0;
    let members = 0;
    for (const set of this.#membership.sets()) {
      if (setIdOf(set).cluster !== this.#config.targetClusterName) continue;
      sets++;
      members += this.#membership.count(set);
    }
    metric.sets.set(this.#labels, sets);
    metric.setMembers.set(this.#labels, members);
    metric.pods.set(this.#labels, this.#pods.size);
    metric.queueDepth.set({ name: "sets" }, this.#reconciler?.depth ?? 0);
    metric.drift.set(
      { kind: "GlobalNetworkSet", reason: "foreign" },
      this.#reconciler?.conflicts.size ?? 0,
    );
  }
}
