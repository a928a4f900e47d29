import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerOptions } from "node:https";
import { ApiError } from "./control-plane/api-client.ts";
import type { ControlPlane } from "./control-plane/control-plane.ts";
import { eventually } from "./eventually.ts";
import { NastyServer } from "./nasty-server.ts";

interface StoredSet {
  readonly metadata: { readonly name: string; readonly uid: string; resourceVersion: string };
  readonly spec: { readonly nets: readonly string[] };
}

const GROUP = "projectcalico.org";
const APIS = `/apis/${GROUP}/v3`;
const SETS = `${APIS}/globalnetworksets`;
const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const SERVICES = "/api/v1/namespaces/default/services";

/**
 * Calico's aggregated API server as calico.md 1.7 describes it, behind a control plane's aggregator: changes are told as
 * ADDED, there are no bookmarks, a delete ignores resourceVersion, and a PUT may be answered with success and nothing.
 */
export class AggregatedCalico {
  readonly #server: NastyServer;
  readonly #plane: ControlPlane;
  readonly #sets = new Map<string, StoredSet>();
  readonly #watches = new Set<ServerResponse>();
  #version = 100;
  /** So many of the next PUTs are not carried out, and answered as if they were. */
  emptyAnswers = 0;

  private constructor(plane: ControlPlane, tls: ServerOptions) {
    this.#plane = plane;
    this.#server = new NastyServer(tls);
    this.#server.answer = (request, response) => void this.#answer(request, response);
  }

  /** Starts it and registers it; resolves when the control plane routes to it. */
  static async start(plane: ControlPlane, tls: ServerOptions): Promise<AggregatedCalico> {
    const calico = new AggregatedCalico(plane, tls);
    await calico.#server.listen();
    try {
      await calico.#register();
    } catch (error) {
      await calico.stop();
      throw error;
    }
    return calico;
  }

  /** The nets of each set. */
  nets(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#sets].map(([name, { spec }]) => [name, spec.nets]));
  }

  /** Makes or changes a set, as another client would. */
  put(name: string, nets: readonly string[]): void {
    const uid = this.#sets.get(name)?.metadata.uid ?? `v3-${name}`;
    this.#store({ metadata: { name, uid, resourceVersion: "" }, spec: { nets } });
  }

  /** Takes the registration away, as the migration does; the server itself goes on. May be called again. */
  async unregister(): Promise<void> {
    for (const path of [`${API_SERVICES}/v3.${GROUP}`, `${SERVICES}/calico-api`]) {
      try {
        await this.#plane.request("DELETE", path);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }
    }
  }

  async stop(): Promise<void> {
    await this.unregister();
    await this.#server.close();
  }

  async #register(): Promise<void> {
    const { port } = this.#server;
    await this.#plane.request("POST", SERVICES, {
      metadata: { name: "calico-api" },
      spec: { type: "ExternalName", externalName: "localhost", ports: [{ port, protocol: "TCP" }] },
    });
    await this.#plane.request("POST", API_SERVICES, {
      metadata: { name: `v3.${GROUP}` },
      spec: {
        group: GROUP,
        version: "v3",
        groupPriorityMinimum: 1500,
        versionPriority: 200,
        insecureSkipTLSVerify: true,
        service: { namespace: "default", name: "calico-api", port },
      },
    });
    await eventually(async () => {
      const before = this.#server.requests.length;
      await this.#plane.request("GET", SETS);
      if (this.#server.requests.length === before)
        throw new Error("the aggregator does not route yet");
    });
  }

  #store(set: StoredSet): StoredSet {
    set.metadata.resourceVersion = String(++this.#version);
    this.#sets.set(set.metadata.name, set);
    this.#tell("ADDED", set);
    return set;
  }

  #tell(type: "ADDED" | "DELETED", object: StoredSet): void {
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type, object })}\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "https://localhost");
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = pieces.length === 0 ? undefined : parsed(Buffer.concat(pieces));
    const name = url.pathname.startsWith(`${SETS}/`) ? url.pathname.slice(SETS.length + 1) : "";
    const send = (status: number, answer: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    };
    const refuse = (code: number, reason: string): void =>
      send(code, { kind: "Status", apiVersion: "v1", status: "Failure", code, reason });

    if (url.pathname === APIS) return send(200, discovery());
    if (url.pathname === SETS && url.searchParams.get("watch") === "true") {
      response.writeHead(200, { "content-type": "application/json" });
      response.flushHeaders();
      const from = Number(url.searchParams.get("resourceVersion"));
      for (const set of this.#sets.values()) {
        if (Number(set.metadata.resourceVersion) <= from) continue;
        response.write(`${JSON.stringify({ type: "ADDED", object: set })}\n`);
      }
      this.#watches.add(response);
      response.once("close", () => this.#watches.delete(response));
      return;
    }
    if (url.pathname === SETS && request.method === "GET") {
      const metadata = { resourceVersion: String(this.#version) };
      return send(200, { kind: "GlobalNetworkSetList", metadata, items: [...this.#sets.values()] });
    }
    if (url.pathname === SETS && body !== undefined) {
      const made = body.metadata.name;
      if (this.#sets.has(made)) return refuse(409, "AlreadyExists");
      const metadata = { ...body.metadata, uid: `v3-${made}` };
      return send(201, this.#store({ ...body, metadata }));
    }
    const known = this.#sets.get(name);
    if (known === undefined) return refuse(404, "NotFound");
    if (request.method === "GET") return send(200, known);
    if (request.method === "DELETE") {
      this.#sets.delete(name);
      this.#tell("DELETED", known);
      return send(200, { kind: "Status", apiVersion: "v1", status: "Success" });
    }
    if (body?.metadata.resourceVersion !== known.metadata.resourceVersion) {
      return refuse(409, "Conflict");
    }
    if (this.emptyAnswers > 0) {
      this.emptyAnswers--;
      return send(200, {});
    }
    return send(200, this.#store({ ...body, metadata: { ...body.metadata } }));
  }
}

function parsed(bytes: Buffer): StoredSet {
  return JSON.parse(bytes.toString()) as StoredSet;
}

function discovery(): object {
  const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: `${GROUP}/v3`,
    resources: [{ name: "globalnetworksets", namespaced: false, kind: "GlobalNetworkSet", verbs }],
  };
}
