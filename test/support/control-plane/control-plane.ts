import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient, type Method, type WatchEvent } from "./api-client.ts";
import { locateBinaries, type Binaries } from "./binaries.ts";
import { filesIn, writeFiles, type Files } from "./files.ts";
import { createPki, type Pki } from "./pki.ts";
import { apiserverFlags, auditFlags, etcdFlags } from "./flags.ts";
import { freePort } from "./ports.ts";
import { Supervised, type Running } from "./supervised.ts";

/** What a control plane is to be like. */
export interface ControlPlaneOptions {
  /** A DNS label; names the kubeconfig's cluster and context. */
  readonly name: string;
  /** Write an audit log of every request, without bodies. Default false. */
  readonly auditLog?: boolean;
  /** False: the API server keeps no events itself, and `compact` alone expires a watch. Default true. */
  readonly watchCache?: boolean;
  /** Further flags of kube-apiserver. */
  readonly apiserverFlags?: readonly string[];
}

/** The stored state of a control plane at one time. */
export interface Snapshot {
  readonly folder: string;
}

/** One line of the audit log (audit.k8s.io/v1 Event), as far as tests look at it. */
export interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly responseStatus?: { readonly code: number };
}

const readyTimeoutMs = 60_000;
const pollMs = 50;

/**
 * An etcd and a kube-apiserver on free ports of 127.0.0.1: TLS, RBAC, ServiceAccount tokens, no
 * controllers and no nodes. Its processes and data are gone after `stop`, and also when this process
 * dies in any way. Made by `startControlPlane`.
 */
export class ControlPlane {
  readonly name: string;
  /** `https://127.0.0.1:PORT`; the same over restarts. */
  readonly url: string;
  /** Folder of all data and logs; removed by `stop`. */
  readonly folder: string;
  /** Path of a kubeconfig of the admin, with all certificates inside. */
  readonly kubeconfig: string;
  /** PEM. */
  readonly caCert: string;
  /** PEM; a member of system:masters. */
  readonly adminCert: string;
  /** PEM. */
  readonly adminKey: string;
  /** RSA private key (PEM) that signs ServiceAccount tokens. */
  readonly serviceAccountKey: string;
  /** Path of the audit log, if there is one. */
  readonly auditLog: string | undefined;

  readonly #files: Files;
  readonly #binaries: Binaries;
  readonly #supervised: Supervised;
  readonly #etcdUrl: string;
  readonly #etcdFlags: readonly string[];
  readonly #apiserverFlags: readonly string[];
  #etcd: Running | undefined;
  #apiserver: Running | undefined;
  #admin: ApiClient;
  #snapshots = 0;

  /** Use `startControlPlane`. */
  constructor(parts: {
    options: ControlPlaneOptions;
    binaries: Binaries;
    supervised: Supervised;
    folder: string;
    pki: Pki;
    ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  }) {
    const { options, folder, pki, ports } = parts;
    this.name = options.name;
    this.url = `https://127.0.0.1:${ports.api}`;
    this.folder = folder;
    this.#files = filesIn(folder);
    this.kubeconfig = this.#files.kubeconfig;
    this.caCert = pki.caCert;
    this.adminCert = pki.admin.cert;
    this.adminKey = pki.admin.key;
    this.serviceAccountKey = pki.serviceAccountKey;
    this.auditLog = options.auditLog === true ? this.#files.auditLog : undefined;
    this.#binaries = parts.binaries;
    this.#supervised = parts.supervised;
    this.#etcdUrl = `http://127.0.0.1:${ports.etcd}`;
    this.#etcdFlags = etcdFlags(this.#files, this.#etcdUrl, `http://127.0.0.1:${ports.etcdPeer}`);
    this.#apiserverFlags = [
      ...apiserverFlags(this.#files, this.#etcdUrl, ports.api),
      ...(options.auditLog === true ? auditFlags(this.#files) : []),
      `--watch-cache=${options.watchCache ?? true}`,
      ...(options.apiserverFlags ?? []),
    ];
    this.#admin = this.#adminClient();
  }

  /** Pids of what runs now. */
  get pids(): number[] {
    return [this.#etcd, this.#apiserver]
      .filter((running) => running?.ended === undefined)
      .flatMap((running) => running?.pid ?? []);
  }

  /** A request as admin; see `ApiClient.request`. */
  async request<T = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> {
    return this.#admin.request<T>(method, path, body, contentType);
  }

  /** A watch as admin; see `ApiClient.watch`. */
  async watch<T>(path: string): Promise<WatchEvent<T>[]> {
    return this.#admin.watch<T>(path);
  }

  /** A client that is known by this token alone. Close it when done. */
  clientWithToken(token: string): ApiClient {
    return new ApiClient(this.url, { tls: { ca: this.caCert }, token });
  }

  /** Starts what does not run, on the same ports and data; resolves when the API server is ready. */
  async start(): Promise<void> {
    if (this.#etcd === undefined || this.#etcd.ended !== undefined) {
      this.#etcd = this.#run("etcd", this.#binaries.etcd, this.#etcdFlags);
      await this.#until(this.#etcd, "etcd", async () => {
        const { health } = await this.#etcdRequest<{ health: string }>("GET", "/health");
        return health === "true";
      });
    }
    if (this.#apiserver === undefined || this.#apiserver.ended !== undefined) {
      this.#admin.close();
      this.#admin = this.#adminClient();
      this.#apiserver = this.#run(
        "kube-apiserver",
        this.#binaries.kubeApiserver,
        this.#apiserverFlags,
      );
      await this.#until(this.#apiserver, "kube-apiserver", async () => {
        await this.request("GET", "/readyz");
        await this.request("GET", "/api/v1/namespaces/default");
        return true;
      });
    }
  }

  /** Ends everything and removes the data. May be called again. */
  async stop(): Promise<void> {
    this.#admin.close();
    await this.#supervised.end();
  }

  /** Kills the API server at once (SIGKILL); etcd stays. `start` brings it back. */
  async kill(): Promise<void> {
    await end(this.#apiserver, "SIGKILL");
  }

  /** Freezes the API server: connections stay open and silent. */
  async pause(): Promise<void> {
    await this.#apiserver?.signal("SIGSTOP");
  }

  /** Ends a pause. */
  async resume(): Promise<void> {
    await this.#apiserver?.signal("SIGCONT");
  }

  /**
   * Drops all history from etcd, up to now. A watch or a next page from an earlier resourceVersion is
   * then answered 410; unless the API server still has it in its watch cache, which it forgets by `kill`
   * and `start`, or has not at all with the option `watchCache: false`.
   */
  async compact(): Promise<void> {
    const { header } = await this.#etcdRequest<{ header: { revision: string } }>(
      "POST",
      "/v3/kv/range",
      { key: Buffer.from("compaction").toString("base64") },
    );
    await this.#etcdRequest("POST", "/v3/kv/compaction", {
      revision: header.revision,
      physical: true,
    });
  }

  /** Copies the stored state. Stops both programs for it and starts them again. */
  async snapshot(): Promise<Snapshot> {
    await this.#stopPrograms();
    const folder = join(this.folder, `snapshot-${++this.#snapshots}`);
    await cp(this.#files.etcdData, folder, { recursive: true });
    await this.start();
    return { folder };
  }

  /** Puts an earlier state back: objects and resourceVersions are those of then. Restarts both. */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.#stopPrograms();
    await this.#putBack(snapshot);
    await this.start();
  }

  /** Puts an earlier state back while the API server runs on, as when etcd alone is restored. */
  async restoreEtcd(snapshot: Snapshot): Promise<void> {
    await end(this.#etcd, "SIGTERM");
    await this.#putBack(snapshot);
    await this.start();
  }

  /** The audit log so far, oldest first. Needs the option `auditLog`. */
  async auditEvents(): Promise<AuditEvent[]> {
    if (this.auditLog === undefined) throw new Error(`${this.name}: started without an audit log`);
    const text = await readFile(this.auditLog, "utf8");
    // The last line may be half written.
    const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as AuditEvent);
  }

  #adminClient(): ApiClient {
    const tls = { ca: this.caCert, cert: this.adminCert, key: this.adminKey };
    return new ApiClient(this.url, { tls });
  }

  #run(name: string, path: string, args: readonly string[]): Running {
    return this.#supervised.run({ name, path, args, log: this.#log(name) });
  }

  #log(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  async #putBack(snapshot: Snapshot): Promise<void> {
    await rm(this.#files.etcdData, { recursive: true });
    await cp(snapshot.folder, this.#files.etcdData, { recursive: true });
  }

  async #stopPrograms(): Promise<void> {
    await end(this.#apiserver, "SIGKILL");
    await end(this.#etcd, "SIGTERM");
  }

  /** Polls `isReady` until it says so; fails with the end of the log when the program ends first. */
  async #until(running: Running, name: string, isReady: () => Promise<boolean>): Promise<void> {
    const deadlineMs = Date.now() + readyTimeoutMs;
    let last: unknown;
    while (running.ended === undefined && Date.now() < deadlineMs) {
      try {
        if (await isReady()) return;
      } catch (error) {
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    const log = await readFile(this.#log(name), "utf8").catch(() => "");
    const state = running.ended ?? `not ready after ${readyTimeoutMs} ms`;
    throw new Error(`start ${name} of ${this.name}: ${state}\n${log.slice(-3000)}`, {
      cause: last,
    });
  }

  async #etcdRequest<T>(method: "GET" | "POST", path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.#etcdUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`etcd ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

/**
 * Starts a control plane; resolves when its API server is ready.
 * @throws when there are no binaries (with what to do), or with the end of a log.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(options.name)) {
    throw new Error(`start control plane: name "${options.name}" is not a DNS label`);
  }
  const located = locateBinaries();
  if (located.kind === "missing") throw new Error(`start control plane: ${located.reason}`);
  const folder = await mkdtemp(join(tmpdir(), `wayleave-${options.name}-`));
  const supervised = new Supervised(folder);
  try {
    const [pki, api, etcd, etcdPeer] = await Promise.all([
      createPki(options.name),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const plane = new ControlPlane({
      options,
      binaries: located.binaries,
      supervised,
      folder,
      pki,
      ports: { api, etcd, etcdPeer },
    });
    await writeFiles(filesIn(folder), pki, plane.name, plane.url);
    await plane.start();
    return plane;
  } catch (error) {
    await supervised.end();
    throw error;
  }
}

async function end(running: Running | undefined, signal: NodeJS.Signals): Promise<void> {
  if (running === undefined) return;
  await running.signal(signal);
  await running.end;
}
