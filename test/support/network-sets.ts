import { globalNetworkSetsPath, type CalicoVersion } from "./crds/install.ts";
import type { Requester } from "./pods.ts";

/** A GlobalNetworkSet as tests look at it. */
export interface GlobalNetworkSet {
  readonly apiVersion: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nets: readonly string[] };
}

/** Reads and edits GlobalNetworkSets of one cluster, as a person with kubectl would. */
export class NetworkSets {
  readonly #plane: Requester;
  readonly #path: string;
  readonly #apiVersion: string;

  constructor(plane: Requester, version: CalicoVersion) {
    this.#plane = plane;
    this.#path = globalNetworkSetsPath(version);
    this.#apiVersion = this.#path.split("/").slice(2, 4).join("/");
  }

  async get(name: string): Promise<GlobalNetworkSet> {
    return this.#plane.request("GET", `${this.#path}/${name}`);
  }

  async list(): Promise<readonly GlobalNetworkSet[]> {
    const { items } = await this.#plane.request<{ items: readonly GlobalNetworkSet[] }>(
      "GET",
      this.#path,
    );
    return items;
  }

  /** The nets of every set by name. */
  async nets(): Promise<Readonly<Record<string, readonly string[]>>> {
    const sets = await this.list();
    return Object.fromEntries(sets.map(({ metadata, spec }) => [metadata.name, spec.nets]));
  }

  async create(name: string, nets: readonly string[], labels = {}): Promise<GlobalNetworkSet> {
    return this.#plane.request("POST", this.#path, {
      apiVersion: this.#apiVersion,
      kind: "GlobalNetworkSet",
      metadata: { name, labels },
      spec: { nets },
    });
  }

  async patch(name: string, patch: unknown): Promise<GlobalNetworkSet> {
    return this.#plane.request("PATCH", `${this.#path}/${name}`, patch);
  }

  async remove(name: string): Promise<void> {
    await this.#plane.request("DELETE", `${this.#path}/${name}`);
  }

  async removeAll(): Promise<void> {
    for (const { metadata } of await this.list()) await this.remove(metadata.name);
  }
}
