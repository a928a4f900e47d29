import { readFile } from "node:fs/promises";
import type { ApiClient } from "../kube/api-client.ts";
import { LeaderElection, leaseIdentity } from "../kube/leader.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { OperatorConfig } from "./options.ts";

const POD_NAMESPACE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/** What holding the right to write takes. */
export interface LeadershipParts {
  readonly config: OperatorConfig;
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly onElected: () => void;
}

/** The right to write: without `--leader-elect` ours alone, else that of whoever holds the Lease. */
export class Leadership {
  readonly #parts: LeadershipParts;
  #election: LeaderElection | undefined;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  get role(): "leader" | "standby" {
    const isStandby = this.#parts.config.leaderElect && this.#election?.isLeader() !== true;
    return isStandby ? "standby" : "leader";
  }

  /** The fence: asked before each write. */
  mayWrite(): boolean {
    return !this.#parts.config.leaderElect || this.#election?.mayWrite() === true;
  }

  /** The name of the Lease under `config`. */
  static leaseName(config: OperatorConfig): string {
    const { leaderElectionId, targetClusterName } = config;
    const suffix = targetClusterName === undefined ? "" : `-${targetClusterName}`;
    return leaderElectionId ?? `wayleave-operator${suffix}`;
  }

  /** Begins to campaign, if there is an election. */
  async start(): Promise<void> {
    const { config, api, clock, random, log, onElected } = this.#parts;
    if (!config.leaderElect) return;
    const namespace = config.leaderElectionNamespace ?? (await podNamespace()) ?? "kube-system";
    const name = Leadership.leaseName(config);
    const identity = leaseIdentity();
    this.#election = new LeaderElection({
      api,
      namespace,
      name,
      identity,
      clock,
      random,
      onElected: () => {
        log.info("elected leader", { name, namespace, identity });
        onElected();
      },
      onLost: (reason, holder) => log.warn("leadership lost", { name, reason, holder }),
      onFault: (fault) => log.warn("lease cannot be kept", { name, error: fault.message }),
    });
    this.#election.start();
  }

  /** No write may begin from now on. */
  async stop(): Promise<void> {
    await this.#election?.stop();
  }

  /** Gives the Lease back, once the last write has ended. */
  async release(): Promise<void> {
    try {
      await this.#election?.release();
    } catch (error) {
      this.#parts.log.warn("lease not given back; it expires by itself", { error: String(error) });
    }
  }
}

async function podNamespace(): Promise<string | undefined> {
  try {
    return (await readFile(POD_NAMESPACE, "utf8")).trim();
  } catch {
    return undefined;
  }
}
