import { stringify as toYaml } from "yaml";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { Cluster } from "./api/cluster.ts";
import type { User } from "./api/request.ts";
import { Faults } from "./faults/rules.ts";
import { Fleet } from "./fleet/fleet.ts";
import { makeCertificate, type Certificate } from "./http/certificate.ts";
import { serve } from "./http/server.ts";
import { clone, metadataOf, stringAt, type JsonObject } from "./json.ts";
import { createObject, updateObject } from "./api/write.ts";
import { deleteObject } from "./api/delete.ts";
import { readObject } from "./api/decode.ts";
import type { Kind } from "./kinds/kind.ts";

/** How a simulated cluster is to be. */
export interface SimOptions {
  /** The name of the cluster, its context and its user in the kubeconfig. */
  readonly name: string;
  /** The port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
  /** Serve TLS: with a certificate of its own CA, or with this one. Default: plain HTTP. */
  readonly tls?: boolean | Certificate;
  /** Ask for one of these bearer tokens. Default: everybody is admin. The first is written to the kubeconfig. */
  readonly tokens?: Readonly<Record<string, User>>;
  /** What tells the time, and when timeouts, bookmarks, delays and drips are due. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How often watches get bookmarks, in milliseconds. Default a minute, as API servers do. */
  readonly bookmarkIntervalMs?: number;
  /** How many changes of one resource are remembered for watches. Default 100,000. */
  readonly maxHistory?: number;
}

/** A running simulated cluster. */
export interface Sim {
  readonly name: string;
  readonly url: string;
  /** The certificate that is shown, when there is TLS. */
  readonly certificate: Certificate | undefined;
  /** What is stored; for tests that look behind the API. */
  readonly cluster: Cluster;
  /** What goes wrong on purpose. */
  readonly faults: Faults;
  /** A kubeconfig for it, as YAML. */
  kubeconfig(): string;
  /** Creates or replaces an object, its status included, as the API would store it. Throws ApiError. */
  put(object: JsonObject): JsonObject;
  /** The object, or undefined. */
  get(apiVersion: string, kind: string, namespace: string, name: string): JsonObject | undefined;
  /** Deletes an object at once. Does nothing when there is none. */
  delete(apiVersion: string, kind: string, namespace: string, name: string): void;
  /** Fills the cluster with generated pods; the same seed makes the same cluster. */
  populate(pods: number, seed: number): Fleet;
  /** Forgets the past, so that a watch or next page from an earlier version is answered 410. */
  compact(): void;
  /** Sets how far the cluster's clock is ahead of the true one, in milliseconds. */
  skewClock(ms: number): void;
  /** Breaks every connection; the server stays. */
  disconnect(): void;
  /** Shows another certificate from now on: this, or a new one of another CA. Only with TLS. */
  changeCertificate(certificate?: Certificate): Promise<Certificate>;
  /**
   * Breaks every connection and begins again with nothing but what every cluster has, at
   * `resourceVersion` (default 100). What `fill` puts is there before anybody can ask.
   */
  restart(options?: {
    readonly resourceVersion?: number;
    readonly fill?: (sim: Sim) => void;
  }): void;
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts a simulated Kubernetes API server on 127.0.0.1. Rejects when the port is taken. */
export async function startSim(options: SimOptions): Promise<Sim> {
  const clock = options.clock ?? systemClock;
  const cluster = new Cluster({
    name: options.name,
    clock,
    history: { maxChanges: options.maxHistory ?? 100_000, maxBytes: 64 * 1024 * 1024 },
    bookmarkIntervalMs: options.bookmarkIntervalMs ?? 60_000,
  });
  const faults = new Faults();
  let certificate =
    options.tls === true
      ? await makeCertificate({ nowMs: clock.now() })
      : options.tls === false
        ? undefined
        : options.tls;
  const server = await serve(
    { cluster, faults, tokens: options.tokens },
    { port: options.port ?? 0, certificate },
  );
  const scheme = certificate === undefined ? "http" : "https";
  const url = `${scheme}://127.0.0.1:${server.port}`;
  const kindOf = (apiVersion: string, name: string): Kind => {
    const kind = cluster.registry.byKind(apiVersion, name);
    if (kind === undefined)
      throw new Error(`simulated cluster ${options.name}: no kind ${apiVersion} ${name}`);
    return kind;
  };
  const sim: Sim = {
    name: options.name,
    url,
    get certificate() {
      return certificate;
    },
    cluster,
    faults,
    kubeconfig: () => kubeconfig(options, url, certificate),
    put: (object) =>
      putObject(cluster, kindOf(stringAt(object, "apiVersion"), stringAt(object, "kind")), object),
    get: (apiVersion, name, namespace, object) => {
      const kind = kindOf(apiVersion, name);
      const stored = cluster.stored(kind, namespace, object);
      return stored === undefined ? undefined : cluster.view(kind, stored);
    },
    delete: (apiVersion, name, namespace, object) => {
      const kind = kindOf(apiVersion, name);
      const stored = cluster.stored(kind, namespace, object);
      if (stored !== undefined) deleteObject(cluster, kind, stored, AT_ONCE);
    },
    populate: (pods, seed) => new Fleet(cluster, pods, seed),
    compact: () => cluster.store.compact(),
    skewClock: (ms) => {
      cluster.skewMs = ms;
    },
    disconnect: () => server.disconnect(),
    changeCertificate: async (next) => {
      certificate = next ?? (await makeCertificate({ nowMs: clock.now() }));
      server.setCertificate(certificate);
      return certificate;
    },
    restart: ({ resourceVersion, fill } = {}) => {
      server.disconnect();
      cluster.reset(resourceVersion ?? 100);
      fill?.(sim);
    },
    stop: async () => server.close(),
  };
  return sim;
}

const AT_ONCE = {
  gracePeriodSeconds: 0,
  uid: undefined,
  resourceVersion: undefined,
  propagation: "",
  dryRun: false,
};

const MANAGER = { fieldManager: "sim", dryRun: false };

function putObject(cluster: Cluster, kind: Kind, input: JsonObject): JsonObject {
  const read = (): JsonObject => readObject(cluster.schema, kind, clone(input), "Strict").object;
  const metadata = metadataOf(read());
  const namespace = kind.namespaced ? stringAt(metadata, "namespace") || "default" : "";
  const name = stringAt(metadata, "name");
  const present = name === "" ? undefined : cluster.stored(kind, namespace, name);
  const written =
    present === undefined
      ? createObject(cluster, kind, namespace, read(), { ...MANAGER, subresource: "" })
      : updateObject(cluster, kind, present, read(), { ...MANAGER, subresource: "" }).object;
  if (input["status"] === undefined || !kind.subresources.includes("status")) return written;
  const stored = cluster.stored(kind, namespace, stringAt(metadataOf(written), "name"));
  if (stored === undefined) return written;
  const withStatus = { ...written, status: read()["status"] ?? {} };
  return updateObject(cluster, kind, stored, withStatus, { ...MANAGER, subresource: "status" })
    .object;
}

function kubeconfig(
  options: SimOptions,
  server: string,
  certificate: Certificate | undefined,
): string {
  const { name, tokens } = options;
  const [token] = Object.keys(tokens ?? {});
  const ca =
    certificate === undefined
      ? {}
      : { "certificate-authority-data": Buffer.from(certificate.ca).toString("base64") };
  return toYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, ...ca } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
