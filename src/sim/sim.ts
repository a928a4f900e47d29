import { stringify as toYaml } from "yaml";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { Cluster } from "./api/cluster.ts";
import { Fleet } from "./fleet/fleet.ts";
import { serve } from "./http/server.ts";

/** How a simulated cluster is to be. */
export interface SimOptions {
  /** The name of the cluster, its context and its user in the kubeconfig. */
  readonly name: string;
  /** The port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
  readonly clock?: Clock;
  /** How often watches get bookmarks, in milliseconds (API servers: about a minute). */
  readonly bookmarkIntervalMs?: number;
  /** How many changes of one kind of object are remembered for watches. */
  readonly maxHistory?: number;
}

/** A running simulated cluster. */
export interface Sim {
  readonly name: string;
  readonly url: string;
  readonly cluster: Cluster;
  /** Fills the cluster with generated pods; the same seed makes the same cluster. */
  populate(pods: number, seed: number): Fleet;
  /** A kubeconfig for it, as YAML. */
  kubeconfig(): string;
  stop(): Promise<void>;
}

/** Starts a simulated Kubernetes API server on loopback. Rejects when the port is taken. */
export async function startSim(options: SimOptions): Promise<Sim> {
  const cluster = new Cluster({
    name: options.name,
    clock: options.clock ?? systemClock,
    history: { maxChanges: options.maxHistory ?? 100_000, maxBytes: 64 * 1024 * 1024 },
    bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
  });
  const server = await serve(cluster, { port: options.port ?? 0 });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    name: options.name,
    url,
    cluster,
    populate: (pods, seed) => new Fleet(cluster, pods, seed),
    kubeconfig: () => kubeconfig(options.name, url),
    stop: () => server.close(),
  };
}

function kubeconfig(name: string, url: string): string {
  return toYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: url } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
