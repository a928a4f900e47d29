import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { NetworkSetClient } from "../calico/network-set-client.ts";
import type { Entry } from "../core/membership/membership.ts";
import { Membership } from "../core/membership/membership.ts";
import { labelProfile, ownedId, type LabelProfile } from "../core/membership/profile.ts";
import { setIdOf, setKey, type SetKey } from "../core/membership/set-id.ts";
import { errorText } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { serve, type Server } from "../http/server.ts";
import type { ClusterAccess } from "../kube/access.ts";
import { ApiClient, type RequestOutcome } from "../kube/api-client.ts";
import { winstonLog } from "../log/winston.ts";
import { createMetrics } from "../metrics/registry.ts";
import { OPERATOR_METRICS } from "../metrics/table.ts";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { withFields, type Log } from "../runtime/log.ts";
import { repeat } from "../runtime/repeat.ts";
import { ActualSets } from "./actual-sets.ts";
import { apiRoutes } from "./api.ts";
import type { Clusters } from "./clusters.ts";
import { Fences } from "./fences.ts";
import { LocalCalico, type LocalCalicoStatus } from "./local-cluster.ts";
import { EventRecorder } from "../kube/events.ts";
import { Leadership } from "./leadership.ts";
import { followLocalRanges } from "./local-ranges.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { Notices } from "./notices.ts";
import type { OperatorConfig } from "./options.ts";
import { probeRoutes, type Check } from "./probes.ts";
import { Reconciler } from "./reconciler.ts";
import { RemoteCluster } from "./remote-cluster.ts";
import { Remotes } from "./remotes.ts";
import { SetPlans } from "./set-plans.ts";
import { Views } from "./views.ts";
import { WriteLog } from "./write-log.ts";

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
const STOP_MS = 6_000;
const WRITE_TIMEOUT_MS = 5_000;
/** Events that were not sent when we end may take this long. */
const EVENTS_MS = 500;

/**
 * Runs the operator until the signal aborts, then ends in order: watches, writes, server.
 *
 * ```
 * remote API ──Reflector──▶ ClusterPods ──▶ Membership ──keys──▶ Reconciler ──planShards──▶ local API
 *  (one each)                                                        ▲
 * local API ───Reflector──▶ ActualSets ──────────keys────────────────┘
 * ```
 */
export async function runOperator(config: OperatorConfig, context: OperatorContext): Promise<void> {
  await new Operator(config, context).run();
}

class Operator {
  readonly #config: OperatorConfig;
  readonly #context: OperatorContext;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #startedAt: number;
  readonly #log: Log;
  readonly #metrics: OperatorMetrics;
  readonly #notices: Notices;
  readonly #profile: LabelProfile;
  readonly #membership = new Membership();
  readonly #actual: ActualSets;
  readonly #remotes: Remotes;
  readonly #fences: Fences;
  readonly #plans: SetPlans;
  readonly #writes: WriteLog;
  readonly #reconciler: Reconciler;
  readonly #bug = new AbortController();
  readonly #orphans = new Set<ClusterName>();
  #contested: ReadonlySet<string> = new Set();
  readonly #local: ApiClient;
  readonly #calico: LocalCalico;
  readonly #leadership: Leadership;
  readonly #events: EventRecorder;
  #localComplete = false;
  #localSaid = "";

  constructor(config: OperatorConfig, context: OperatorContext) {
    this.#config = config;
    this.#context = context;
    this.#clock = context.clock ?? systemClock;
    this.#random = context.random ?? Math.random;
    this.#startedAt = this.#clock.now();
    const { targetClusterName: cluster } = config;
    const log = context.log ?? winstonLog(config.logLevel);
    this.#log = cluster === undefined ? log : withFields(log, { cluster });
    this.#metrics = createMetrics(OPERATOR_METRICS, () => this.#collect());
    this.#profile = labelProfile(
      config.labelProfile,
      config.networksetNameAnnotation,
      config.labelSelector,
    );
    this.#actual = new ActualSets(
      {
        onChanged: (set) => this.#reconciler.touched(set),
        onComplete: () => {
          this.#localComplete = true;
          this.#whenSeenWhole();
        },
      },
      ownerOf,
    );
    const { local } = context.clusters;
    const requests = {
      clock: this.#clock,
      userAgent: this.#userAgent,
      onRequest: (outcome: RequestOutcome) => this.#noteRequest(local, outcome),
    };
    this.#local = new ApiClient(local, requests);
    const fenced = new ApiClient(local, {
      ...requests,
      // A write that began as leader must end before another can lead.
      timeoutMs: WRITE_TIMEOUT_MS,
      mayWrite: () => this.#leadership.mayWrite(),
    });
    this.#leadership = new Leadership({
      config,
      api: this.#local,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      onElected: () => this.#reconciler.all(),
    });
    this.#events = new EventRecorder({
      api: this.#local,
      clock: this.#clock,
      reportingInstance: hostname(),
    });
    this.#notices = new Notices(this.#log, this.#metrics, this.#events);
    this.#calico = new LocalCalico({
      client: fenced,
      choice: config.calicoApiGroup,
      store: this.#actual,
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      onResync: () => this.#whenSeenWhole(),
      onStatus: (status) => this.#noteLocal(status),
    });
    this.#plans = new SetPlans({
      membership: this.#membership,
      actual: this.#actual,
      profile: this.#profile,
      hash8: (text) => createHash("sha256").update(text).digest("hex").slice(0, 8),
      emptyGraceMs: config.emptySetGrace,
      maxNetsPerSet: config.maxNetsPerSet,
    });
    this.#writes = new WriteLog(this.#clock);
    this.#reconciler = new Reconciler({
      membership: this.#membership,
      actual: this.#actual,
      plans: this.#plans,
      client: () => this.#writer(),
      isReady: (name) => this.#isReady(name),
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      notices: this.#notices,
      metrics: this.#metrics,
      emptyGraceMs: config.emptySetGrace,
      onWritten: (set, durationMs) => this.#writes.note(set, durationMs),
    });
    this.#fences = new Fences(config);
    this.#remotes = new Remotes({
      clock: this.#clock,
      log: this.#log,
      removalHoldMs: config.removalHold,
      open: (name, access) => this.#openRemote(name, access),
      onRemoved: (name) => {
        void this.#forgetSeries(name);
        this.#writes.forget(name);
        this.#reconciler.all();
      },
      onBug: (error) => this.#bug.abort(error),
    });
  }

  get #views(): Views {
    const startTime = new Date(this.#startedAt).toISOString();
    return new Views({
      version: this.#context.version,
      operator: () => ({ role: this.#leadership.role, startTime }),
      local: () => ({
        ok: this.#calico.status.answers,
        apiGroup: this.#calico.status.group ?? null,
        message: this.#calico.status.message,
      }),
      clock: this.#clock,
      membership: this.#membership,
      actual: this.#actual,
      plans: this.#plans,
      writes: this.#writes,
      remotes: () =>
        this.#remotes.all().map((remote) => {
          const facts = remote.facts();
          return { ...facts, isReady: facts.isReady && this.#localComplete };
        }),
      isRemoved: (cluster) => this.#remotes.isRemoved(cluster),
    });
  }

  async run(): Promise<void> {
    const { version, clusters } = this.#context;
    const stop = AbortSignal.any([this.#context.signal, this.#bug.signal]);
    const info = { version, revision: "", node_version: process.version };
    this.#metrics.metric.buildInfo.set(info, 1);
    const server = await this.#serve();
    this.#log.info("operator started", { version });
    try {
      await this.#leadership.start();
      const { remote } = clusters;
      if (remote !== undefined) await this.#remotes.add(remote.name, remote.access);
      const { clustersDir } = this.#config;
      await Promise.all([
        this.#runLocal(stop),
        clustersDir === undefined ? undefined : this.#remotes.followFolder(clustersDir, stop),
      ]);
    } finally {
      await this.#remotes.stop();
      await this.#leadership.stop();
      await this.#stopWrites();
      await this.#leadership.release();
      await this.#events.stop(EVENTS_MS);
      await server?.close();
      clusters.local.close();
      this.#log.info("operator stopped");
    }
    if (this.#bug.signal.aborted) throw this.#bug.signal.reason;
  }

  #openRemote(name: ClusterName, access: ClusterAccess): RemoteCluster {
    if (!this.#fences.isDeclared(name)) {
      this.#log.warn(
        "no --remote-pod-cidr is declared: the cluster is believed about any address",
        {
          cluster: name,
        },
      );
    }
    return new RemoteCluster({
      name,
      access,
      membership: this.#membership,
      profile: this.#profile,
      brake: {
        maxRemovalPercent: this.#config.maxRemovalPercent,
        holdMs: this.#config.removalHold,
      },
      fence: () => this.#fences.of(name),
      events: {
        onChanged: (sets) => this.#changed(sets),
        onRefused: (pod, refusal) => this.#notices.refused(name, pod, refusal),
        onHeld: (removed, total) => this.#notices.massRemovalHeld(name, removed, total),
        onComplete: () => this.#whenSeenWhole(),
      },
      annotations: [this.#config.networksetNameAnnotation],
      resyncMs: this.#config.podResyncPeriod,
      link: {
        staleAfterMs: this.#config.staleAfter,
        expireAfterMs: this.#config.expireAfter,
      },
      userAgent: this.#userAgent,
      onRequest: (outcome) => this.#noteRequest(access, outcome),
      clock: this.#clock,
      random: this.#random,
      log: this.#log,
      metrics: this.#metrics,
    });
  }

  #changed(sets: ReadonlySet<SetKey>): void {
    const contested = this.#membership.contested();
    if (contested.size > 0 || this.#contested.size > 0) {
      for (const [net, where] of contested) {
        if (!this.#contested.has(net)) this.#notices.contested(net, where);
      }
      this.#contested = new Set(contested.keys());
    }
    this.#reconciler.changed(sets);
  }

  #isReady(name: ClusterName): boolean {
    if (!this.#localComplete) return false;
    return this.#remotes.get(name)?.isReady ?? this.#remotes.isRemoved(name);
  }

  /** Called after each complete list: what a remote's first one would remove is looked at before anything is written. */
  #whenSeenWhole(): void {
    if (!this.#localComplete) return;
    for (const remote of this.#remotes.all()) {
      if (remote.isComplete) remote.adopt(this.#entriesOf(remote.name));
    }
    for (const set of this.#actual.owners()) {
      const { cluster } = setIdOf(set);
      const isKnown = this.#remotes.get(cluster) !== undefined || this.#remotes.isRemoved(cluster);
      if (isKnown || this.#orphans.has(cluster) || this.#config.clustersDir === undefined) continue;
      this.#orphans.add(cluster);
      this.#log.warn("sets of a cluster that is not configured are left as they are", {
        cluster,
        hint: "wayleave cleanup removes them",
      });
    }
    this.#reconciler.all();
  }

  #entriesOf(cluster: ClusterName): Entry[] {
    return [...this.#actual.owners()]
      .filter((set) => setIdOf(set).cluster === cluster)
      .flatMap((set) =>
        this.#actual.of(set).flatMap(({ nets }) => nets.map((net) => ({ set, net }))),
      );
  }

  async #serve(): Promise<Server | undefined> {
    const { metricsBindAddress } = this.#config;
    if (metricsBindAddress === undefined) return undefined;
    const probes = probeRoutes({
      ready: () => [this.#localCheck()],
      shown: () => this.#remotes.all().map((remote) => remote.check()),
      metrics: async () => this.#metrics.text(),
      metricsType: this.#metrics.contentType,
    });
    const routes = { ...probes, ...apiRoutes(this.#views) };
    const server = await serve(metricsBindAddress, routes, (error) =>
      this.#log.error("probe failed", { error: errorText(error) }),
    );
    this.#log.info("probes and metrics served", { port: server.port });
    return server;
  }

  async #runLocal(signal: AbortSignal): Promise<void> {
    const { fullStoreResyncPeriod } = this.#config;
    repeat(this.#clock, fullStoreResyncPeriod, signal, () => this.#calico.relist());
    const ranges = followLocalRanges(
      this.#local,
      (found) => {
        this.#fences.setFound(found);
        for (const remote of this.#remotes.all()) remote.relist();
      },
      { clock: this.#clock, log: this.#log, signal },
    );
    await Promise.all([this.#calico.run(signal), ranges]);
  }

  /** Where sets are written now; undefined while they may not be. */
  #writer(): NetworkSetClient | undefined {
    return this.#leadership.mayWrite() && this.#calico.status.mayWrite
      ? this.#calico.sets
      : undefined;
  }

  async #stopWrites(): Promise<void> {
    let cancel = (): void => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(STOP_MS, resolve);
    });
    await Promise.race([this.#reconciler.stop(), patience]);
    cancel();
  }

  get #userAgent(): string {
    return `wayleave/${this.#context.version}`;
  }

  #noteRequest({ server }: ClusterAccess, { method, status, durationMs }: RequestOutcome): void {
    const { host } = server;
    const { requests, requestDuration } = this.#metrics.metric;
    requests.add({ code: status === undefined ? "<error>" : String(status), method, host });
    requestDuration.observe({ method, host }, durationMs / 1000);
  }

  #noteLocal({ answers, message }: LocalCalicoStatus): void {
    if (message === this.#localSaid) return;
    this.#localSaid = message;
    if (!answers) this.#log.warn("local cluster does not answer", { error: message });
    else this.#log.info("local cluster answers", { status: message });
  }

  #localCheck(): Check {
    const { answers, message, notes } = this.#calico.status;
    return { name: "local-api", ok: answers, message: [message, ...notes].join("; ") };
  }

  #collect(): void {
    const { metric } = this.#metrics;
    const counts = new Map<ClusterName, { sets: number; members: number }>();
    for (const remote of this.#remotes.all()) {
      remote.collect();
      counts.set(remote.name, { sets: 0, members: 0 });
    }
    for (const set of this.#membership.sets()) {
      const count = counts.get(setIdOf(set).cluster);
      if (count === undefined) continue;
      count.sets++;
      count.members += this.#membership.count(set);
    }
    for (const [cluster, { sets, members }] of counts) {
      metric.sets.set({ remote_cluster: cluster }, sets);
      metric.setMembers.set({ remote_cluster: cluster }, members);
    }
    for (const cluster of this.#orphans) {
      const orphaned = [...this.#actual.owners()].filter((set) => setIdOf(set).cluster === cluster);
      metric.orphanedSets.set({ remote_cluster: cluster }, orphaned.length);
    }
    metric.queueDepth.set({ name: "sets" }, this.#reconciler.depth);
    metric.drift.set({ kind: "GlobalNetworkSet", reason: "foreign" }, this.#reconciler.conflicts);
    metric.ambiguousNames.set({}, this.#reconciler.ambiguousNames);
    metric.contested.set({}, this.#membership.contested().size);
  }

  async #forgetSeries(cluster: ClusterName): Promise<void> {
    for (const metric of Object.values(this.#metrics.metric)) {
      await metric.forget({ remote_cluster: cluster });
    }
  }
}

/** The set that `object` holds, by its own record or else by its labels; undefined when it is not ours. */
export function ownerOf(object: ActualSet): SetKey | undefined {
  if (object.owner !== undefined) return object.owner;
  const id = ownedId(object.labels);
  return id === undefined ? undefined : setKey(id);
}
