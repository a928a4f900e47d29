import type { Fence } from "../core/address/fence.ts";
import { RELEASED_ANNOTATIONS } from "../core/membership/claim.ts";
import { ClusterPods, type ClusterPodsEvents } from "../core/membership/cluster-pods.ts";
import { Holdings } from "../core/membership/holdings.ts";
import type { Entry, Membership } from "../core/membership/membership.ts";
import type { LabelProfile } from "../core/membership/profile.ts";
import { linkAt, LINK_STATES, type Link, type LinkLimits } from "../core/model/link.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { PodRecord } from "../core/model/pod.ts";
import type { BrakeLimits } from "../core/plan/brake.ts";
import type { ClusterAccess } from "../kube/access.ts";
import { ApiClient, type RequestOutcome } from "../kube/api-client.ts";
import { podListWatch } from "../kube/pod-list-watch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { Reflector, type LinkFacts } from "../runtime/reflector.ts";
import { repeat } from "../runtime/repeat.ts";
import type { OperatorMetrics } from "./metrics.ts";
import type { Check } from "./probes.ts";
import type { RemoteFacts } from "./views.ts";

const EXPIRY_CHECK_MS = 1_000;

/** How many checks in a row must find a link expired: after a pause of the process the first is not to be believed. */
const EXPIRY_CHECKS = 3;

/** How long a watch may be silent before it is helped by a probe. */
function probeAfterMs(staleAfterMs: number): number {
  return staleAfterMs < 20_000 ? staleAfterMs / 3 : 15_000;
}

/** What following a remote cluster takes. */
export interface RemoteClusterParts {
  readonly name: ClusterName;
  readonly access: ClusterAccess;
  readonly membership: Membership;
  readonly profile: LabelProfile;
  readonly brake: BrakeLimits;
  readonly fence: () => Fence;
  readonly events: Pick<ClusterPodsEvents, "onChanged" | "onRefused" | "onHeld" | "onComplete">;
  /** Annotations that the profile needs. */
  readonly annotations: readonly string[];
  readonly resyncMs: number;
  readonly link: LinkLimits;
  readonly userAgent: string;
  readonly onRequest: (outcome: RequestOutcome) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: OperatorMetrics;
}

/** One remote cluster: its pods are followed until it is stopped, and are then still known until `forget`. */
export class RemoteCluster {
  readonly #parts: RemoteClusterParts;
  readonly #pods: ClusterPods;
  readonly #holdings: Holdings;
  readonly #reflector: Reflector<PodRecord>;
  #isComplete = false;
  #isAdopted = false;
  #lastSync: number | undefined;
  #watchEnds: Readonly<Record<string, number>> = {};
  #said = "";
  /** Its pods were dropped because the link expired. */
  #isExpired = false;
  #expiredChecks = 0;

  constructor(parts: RemoteClusterParts) {
    this.#parts = parts;
    const { events, clock } = parts;
    this.#holdings = new Holdings(() => clock.now());
    this.#pods = new ClusterPods({
      holdings: this.#holdings,
      cluster: parts.name,
      membership: parts.membership,
      profile: parts.profile,
      brake: parts.brake,
      fence: parts.fence,
      now: () => clock.monotonic(),
      events: {
        onChanged: (sets) => events.onChanged(sets),
        onRefused: (pod, refusal) => events.onRefused(pod, refusal),
        onHeld: (removed, total) => {
          events.onHeld(removed, total);
          clock.after(parts.brake.holdMs, () => this.#reflector.relist());
        },
        onComplete: () => {
          this.#isComplete = true;
          this.#lastSync = clock.now();
          parts.log.info("remote pods listed", { cluster: parts.name, pods: this.#pods.size });
          events.onComplete();
        },
      },
    });
    const annotations = new Set([...parts.annotations, ...RELEASED_ANNOTATIONS]);
    const client = new ApiClient(parts.access, {
      clock,
      userAgent: parts.userAgent,
      onRequest: parts.onRequest,
    });
    const { selector } = parts.profile;
    this.#reflector = new Reflector({
      source: podListWatch(client, {
        ...(selector === "" ? {} : { labelSelector: selector }),
        keepAnnotations: annotations,
      }),
      store: this.#pods,
      limits: { probeAfterMs: probeAfterMs(parts.link.staleAfterMs) },
      clock,
      random: parts.random,
      onLink: (facts) => this.#note(facts),
    });
  }

  get name(): ClusterName {
    return this.#parts.name;
  }

  /** How many pods the server has, as far as is known. */
  get pods(): number {
    return this.#pods.size;
  }

  /** Whether a complete list was taken in, and what it would remove was looked at. */
  get isReady(): boolean {
    return this.#isComplete && this.#isAdopted;
  }

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Follows the cluster until `signal` aborts. Rejects only on a bug of ours. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, resyncMs, link } = this.#parts;
    repeat(clock, resyncMs, signal, () => this.#reflector.relist());
    if (link.expireAfterMs !== undefined) {
      repeat(clock, EXPIRY_CHECK_MS, signal, () => this.#checkExpiry());
    }
    try {
      await this.#reflector.run(signal);
    } finally {
      this.#parts.access.close();
    }
  }

  /** Lists the pods anew, as when what they may claim has changed. */
  relist(): void {
    this.#reflector.relist();
  }

  /** Takes over the entries that the cluster's sets had before; once, when both sides were seen whole. */
  adopt(entries: readonly Entry[]): void {
    if (this.#isAdopted) return;
    this.#isAdopted = true;
    this.#pods.adopt(entries);
  }

  /** Drops every pod: the cluster was taken out of the configuration. */
  forget(): void {
    this.#pods.clear();
  }

  /** For people who ask. */
  facts(): RemoteFacts {
    const { access, name } = this.#parts;
    const link = this.#reflector.link();
    return {
      name,
      link: this.#link().state,
      lastEventAt: link.proofOfLifeAt,
      pods: this.#pods.size,
      credentialExpiresAt: access.expiresAt(),
      message: link.isHealthy ? "" : (link.lastFault?.message ?? ""),
      isReady: this.isReady,
      holdings: this.#holdings,
    };
  }

  /** For `/readyz?verbose`. */
  check(): Check {
    const { name } = this.#parts;
    const facts = this.#reflector.link();
    const { state, ageMs } = this.#link();
    const age = ageMs === undefined ? "never seen" : `last seen ${Math.round(ageMs / 1000)}s ago`;
    const trouble = facts.isHealthy ? "" : `; ${facts.lastFault?.message}`;
    return {
      name: `remote-${name}`,
      ok: state === "Synced",
      message: `${state}, ${age}, ${this.#pods.size} pods${trouble}`,
    };
  }

  /** Brings the gauges of this cluster up to date. */
  collect(): void {
    const { metrics } = this.#parts;
    const labels = { remote_cluster: this.#parts.name };
    const facts = this.#reflector.link();
    const { state } = this.#link();
    for (const each of LINK_STATES) {
      metrics.metric.linkState.set({ ...labels, state: each }, each === state ? 1 : 0);
    }
    if (facts.proofOfLifeAt !== undefined) {
      metrics.metric.lastEvent.set(labels, facts.proofOfLifeAt / 1000);
    }
    if (this.#lastSync !== undefined) metrics.metric.lastSync.set(labels, this.#lastSync / 1000);
    metrics.metric.pods.set(labels, this.#pods.size);
  }

  /** What is too old is let go, and brought back by a whole list once the cluster gives proof of life again. */
  #checkExpiry(): void {
    this.#expiredChecks = this.#link().state === "Expired" ? this.#expiredChecks + 1 : 0;
    const isExpired = this.#expiredChecks >= EXPIRY_CHECKS;
    if (isExpired === this.#isExpired) return;
    this.#isExpired = isExpired;
    const { log, name } = this.#parts;
    if (isExpired) {
      log.warn("remote cluster expired; its sets are emptied", { cluster: name });
      this.#pods.clear();
    } else {
      this.#reflector.relist();
    }
  }

  #link(): Link {
    const { synced, proofOfLifeMonotonic } = this.#reflector.link();
    const proof = { synced, provenAt: proofOfLifeMonotonic, removed: false };
    return linkAt(proof, this.#parts.link, this.#parts.clock.monotonic());
  }

  #note(facts: LinkFacts): void {
    const { log, metrics, name } = this.#parts;
    for (const [reason, count] of Object.entries(facts.watchEnds)) {
      const by = count - (this.#watchEnds[reason] ?? 0);
      if (by === 0) continue;
      metrics.metric.watchRestarts.add({ remote_cluster: name, resource: "pods", reason }, by);
    }
    this.#watchEnds = facts.watchEnds;
    const said = facts.isHealthy ? facts.state : `trouble: ${facts.lastFault?.message}`;
    if (said === this.#said) return;
    this.#said = said;
    if (!facts.isHealthy) {
      log.warn("remote cluster does not answer; its sets are held as they are", {
        cluster: name,
        error: facts.lastFault?.message,
        code: facts.lastFault?.code,
      });
    } else if (facts.state === "watching") {
      log.info("remote cluster is followed", { cluster: name });
    }
  }
}
