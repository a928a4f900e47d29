import { randomUUID } from "node:crypto";
import type { Clock } from "../../runtime/clock.ts";
import { clone, metadataOf, objectAt, stringAt, type JsonObject } from "../json.ts";
import { customKinds } from "../kinds/custom.ts";
import { Registry } from "../kinds/registry.ts";
import type { Kind } from "../kinds/kind.ts";
import { timeText } from "../schema/decode.ts";
import { builtinSchema } from "../schema/builtin.ts";
import type { Schema } from "../schema/parse.ts";
import type { HistoryLimits } from "../store/collection.ts";
import { Store } from "../store/store.ts";
import type { Stored } from "../store/stored.ts";

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly history: HistoryLimits;
  readonly bookmarkIntervalMs: number;
}

/** One simulated cluster: what it stores, which kinds it serves, and what time it has. */
export class Cluster {
  readonly name: string;
  readonly registry: Registry = new Registry();
  readonly schema: Schema = builtinSchema();
  readonly clock: Clock;
  readonly bookmarkIntervalMs: number;
  /** Replaced when the cluster is restarted with other data. */
  store: Store;
  /** How far the cluster's wall clock is ahead of the true one. */
  skewMs = 0;
  private readonly history: HistoryLimits;

  constructor(options: ClusterOptions) {
    this.name = options.name;
    this.clock = options.clock;
    this.history = options.history;
    this.bookmarkIntervalMs = options.bookmarkIntervalMs;
    this.store = new Store(options.history);
    this.furnish();
  }

  /** The cluster's wall clock, milliseconds since the epoch. */
  now(): number {
    return this.clock.now() + this.skewMs;
  }

  /** The cluster's wall clock as timestamps of objects show it. */
  timestamp(): string {
    return timeText(this.now());
  }

  /** Forgets everything and begins again with what every cluster has, at `firstRevision`. */
  reset(firstRevision: number): void {
    for (const kind of this.registry.kinds())
      if (kind.structural !== undefined) this.registry.undefine(`${kind.resource}.${kind.group}`);
    this.store = new Store(this.history, firstRevision);
    this.furnish();
  }

  /** The stored object of `kind`, or undefined. */
  stored(kind: Kind, namespace: string, name: string): Stored | undefined {
    return this.store.collection(kind.storage).get(namespace, name);
  }

  /** The object in the version of `kind`, with its own copy of everything. */
  view(kind: Kind, stored: Stored): JsonObject {
    const object = stored.object();
    return kind.fromStorage === undefined ? object : kind.fromStorage(object);
  }

  /** Creates or replaces what is stored, and serves what a stored CustomResourceDefinition defines. */
  put(kind: Kind, object: JsonObject): Stored {
    const own = clone(object);
    delete own["kind"];
    delete own["apiVersion"];
    const stored = this.store.put(
      kind.storage,
      kind.toStorage === undefined ? own : kind.toStorage(own),
    );
    if (kind.kind === "CustomResourceDefinition")
      this.registry.define(stored.name, customKinds(stored.object()));
    return stored;
  }

  /** Deletes what is stored, shown as `last` if given; with a CustomResourceDefinition go all objects that it defined. */
  remove(kind: Kind, stored: Stored, last?: JsonObject): Stored {
    const gone = this.store.remove(kind.storage, stored, last);
    if (kind.kind === "CustomResourceDefinition") {
      this.registry.undefine(stored.name);
      const spec = objectAt(stored.object(), "spec");
      const key = `${stringAt(spec, "group")}/${stringAt(objectAt(spec, "names"), "plural")}`;
      for (const object of this.store.collection(key).now("")) this.store.remove(key, object);
      this.store.drop(key);
    }
    return gone;
  }

  /** A new object of `kind` as the cluster itself makes it. */
  seed(resource: string, object: JsonObject): void {
    const kind = this.registry.kinds().find((item) => item.storage === resource) as Kind;
    const metadata = metadataOf(object);
    metadata["uid"] = randomUUID();
    metadata["creationTimestamp"] = this.timestamp();
    this.put(kind, object);
  }

  private furnish(): void {
    for (const name of ["default", "kube-node-lease", "kube-public", "kube-system"])
      this.seed("/namespaces", {
        metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      });
  }
}
