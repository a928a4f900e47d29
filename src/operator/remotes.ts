import { errorText } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import { loadCluster, type ClusterAccess } from "../kube/access.ts";
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { followClusterFolder } from "./cluster-folder.ts";
import type { RemoteCluster } from "./remote-cluster.ts";

/** What keeping a set of remote clusters takes. */
export interface RemotesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly removalHoldMs: number;
  readonly open: (name: ClusterName, access: ClusterAccess) => RemoteCluster;
  /** The entries of a cluster that was taken out of the configuration are gone from membership. */
  readonly onRemoved: (name: ClusterName) => void;
  /** A bug in following a cluster: it ends the operator. */
  readonly onBug: (error: unknown) => void;
}

interface Followed {
  readonly cluster: RemoteCluster;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** The remote clusters that are configured now, each followed on its own: none delays another. */
export class Remotes {
  readonly #parts: RemotesParts;
  readonly #followed = new Map<ClusterName, Followed>();
  /** Clusters whose file is gone, until the hold ends. */
  readonly #leaving = new Map<ClusterName, CancelTimer>();
  readonly #removed = new Set<ClusterName>();

  constructor(parts: RemotesParts) {
    this.#parts = parts;
  }

  all(): readonly RemoteCluster[] {
    return [...this.#followed.values()].map(({ cluster }) => cluster);
  }

  get(name: ClusterName): RemoteCluster | undefined {
    return this.#followed.get(name)?.cluster;
  }

  /** Whether `name` was taken out of the configuration while we ran, so that its sets are to go. */
  isRemoved(name: ClusterName): boolean {
    return this.#removed.has(name);
  }

  /** Follows `name` from now on, in place of what was followed under that name. */
  async add(name: ClusterName, access: ClusterAccess): Promise<void> {
    this.#leaving.get(name)?.();
    this.#leaving.delete(name);
    await this.#end(name);
    this.#removed.delete(name);
    const cluster = this.#parts.open(name, access);
    const stop = new AbortController();
    const ended = cluster.run(stop.signal).catch((error: unknown) => this.#parts.onBug(error));
    this.#followed.set(name, { cluster, stop, ended });
  }

  /** Follows the clusters of a folder until `signal` aborts. */
  async followFolder(folder: string, signal: AbortSignal): Promise<void> {
    const { clock, log, removalHoldMs } = this.#parts;
    await followClusterFolder(
      folder,
      {
        onFile: async (name, path) => {
          try {
            await this.add(name, await loadCluster({ kind: "kubeconfig", path }, clock));
            log.info("remote cluster configured", { cluster: name });
          } catch (error) {
            log.error("remote cluster cannot be used; its sets are held as they are", {
              cluster: name,
              error: errorText(error),
            });
          }
        },
        onGone: async (name) => {
          log.warn("remote cluster taken out of the configuration", {
            cluster: name,
            holdMs: removalHoldMs,
          });
          const cancel = clock.after(removalHoldMs, () => void this.#remove(name));
          this.#leaving.set(name, cancel);
        },
      },
      { clock, log, signal },
    );
  }

  /** Stops following; what is known of the clusters stays. */
  async stop(): Promise<void> {
    for (const cancel of this.#leaving.values()) cancel();
    for (const { stop } of this.#followed.values()) stop.abort();
    await Promise.all([...this.#followed.values()].map(async ({ ended }) => ended));
  }

  async #end(name: ClusterName): Promise<void> {
    const followed = this.#followed.get(name);
    if (followed === undefined) return;
    followed.stop.abort();
    await followed.ended;
    // From here until the successor is complete the cluster is not ready, so nothing is written for it.
    this.#followed.delete(name);
    followed.cluster.forget();
  }

  async #remove(name: ClusterName): Promise<void> {
    this.#leaving.delete(name);
    await this.#end(name);
    this.#removed.add(name);
    this.#parts.log.info("remote cluster removed", { cluster: name });
    this.#parts.onRemoved(name);
  }
}
