import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import { Fault, errorText } from "../core/model/fault.ts";
import type { Clock } from "../runtime/clock.ts";
import { ExecCredentials } from "./exec-plugin.ts";
import { certificateExpiry, earliest, tokenExpiry } from "./expiry.ts";
import { FreshFile } from "./fresh-file.ts";
import { parseKubeconfig, serverUrl, type ClusterConfig, type Material } from "./kubeconfig.ts";

/** Where a cluster and its credentials are described. */
export type ClusterSource =
  | { readonly kind: "kubeconfig"; readonly path: string; readonly context?: string }
  | {
      readonly kind: "explicit";
      readonly url: string;
      /** PEM of the CA; without it, the system's. */
      readonly ca?: Material;
      readonly token?: Material;
    }
  /** The pod's own ServiceAccount. `environment` has KUBERNETES_SERVICE_HOST and _PORT. */
  | {
      readonly kind: "in-cluster";
      readonly environment: Readonly<Record<string, string | undefined>>;
      /** @default "/var/run/secrets/kubernetes.io/serviceaccount" */
      readonly folder?: string;
    };

/** What one request needs. */
export interface Connection {
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/** One API server and our credentials for it. All requests share one pool of kept-alive connections. */
export interface ClusterAccess {
  /**
   * Where requests go. Fixed: when the kubeconfig names another server, every request fails with `reason` SERVER_CHANGED
   * until it names this one again, or the owner closes this and opens the cluster anew.
   */
  readonly server: URL;
  /** The connection for the next request, with files re-read when they are due. Rejects with a Fault `credentials`. */
  connection(): Promise<Connection>;
  /**
   * When the credentials of the last `connection` end, ms since the epoch: the earliest of a token's `exp`, a plugin's
   * expirationTimestamp and the client certificate's notAfter. Undefined when none is known, and before the first connection.
   */
  expiresAt(): number | undefined;
  /**
   * The server said 401, or one of the certificates was not trusted: files are read afresh by the next `connection`,
   * and after a 401 a plugin is run again too.
   */
  distrust(because: "unauthorized" | "certificate"): void;
  /** Ends all connections. */
  close(): void;
}

/** `reason` of the Fault of a kubeconfig that names another server than when it was opened. */
export const SERVER_CHANGED = "ServerChanged";

/** Tokens and certificates are read again this often (client-go does the same). */
const REREAD_MS = 60_000;

/**
 * Opens the way to a cluster. Reads the kubeconfig at once, so that its mistakes show here (a Fault `credentials`);
 * certificates, tokens and plugins come with the first request.
 */
export async function loadCluster(source: ClusterSource, clock: Clock): Promise<ClusterAccess> {
  if (source.kind === "explicit") {
    return new FileAccess(explicitConfig(source.url, source.ca, source.token), clock);
  }
  if (source.kind === "in-cluster") return new FileAccess(inClusterConfig(source), clock);
  const { path, context } = source;
  const file = new FreshFile("kubeconfig", path, clock, REREAD_MS);
  const text = await file.read();
  return new FileAccess(parseKubeconfig(text, path, context), clock, { file, context, text });
}

function inClusterConfig(source: Extract<ClusterSource, { kind: "in-cluster" }>): ClusterConfig {
  const { environment, folder = "/var/run/secrets/kubernetes.io/serviceaccount" } = source;
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "") {
    throw new Fault(
      "credentials",
      "read in-cluster configuration: KUBERNETES_SERVICE_HOST or KUBERNETES_SERVICE_PORT is not set",
    );
  }
  const url = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return explicitConfig(url, { file: `${folder}/ca.crt` }, { file: `${folder}/token` });
}

function explicitConfig(
  url: string,
  ca: Material | undefined,
  token: Material | undefined,
): ClusterConfig {
  let server: URL;
  try {
    server = serverUrl(url);
  } catch (error) {
    throw new Fault("credentials", errorText(error), { cause: error });
  }
  return {
    server,
    ca,
    insecureSkipTlsVerify: false,
    tlsServerName: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    token,
    basic: undefined,
    exec: undefined,
    headers: {},
  };
}

interface KubeconfigFile {
  readonly file: FreshFile;
  readonly context: string | undefined;
  /** What the configuration was parsed from at first. */
  readonly text: string;
}

class FileAccess implements ClusterAccess {
  readonly server: URL;
  readonly #clock: Clock;
  readonly #kubeconfig: KubeconfigFile | undefined;
  readonly #files = new Map<string, FreshFile>();
  #config: ClusterConfig;
  /** The text that `#config` was parsed from, to see a change. */
  #configText: string | undefined;
  #exec: ExecCredentials | undefined;
  #agent: HttpAgent | HttpsAgent | undefined;
  /** What `#agent` was made of, to see a change. */
  #agentMaterial: readonly unknown[] = [];
  #expiresAt: number | undefined;
  /** The client certificate last read for its end, so that it is parsed once. */
  #certificate: string | undefined;
  #certificateEndsAt: number | undefined;

  constructor(config: ClusterConfig, clock: Clock, kubeconfig?: KubeconfigFile) {
    this.server = config.server;
    this.#config = config;
    this.#clock = clock;
    this.#kubeconfig = kubeconfig;
    this.#configText = kubeconfig?.text;
    this.#exec = this.#execOf(config);
  }

  async connection(): Promise<Connection> {
    await this.#refreshConfig();
    const config = this.#config;
    const exec = await this.#exec?.read();
    const headers: Record<string, string | readonly string[]> = { ...config.headers };
    const token = exec?.token ?? (await this.#token(config.token));
    if (token !== undefined) {
      headers["authorization"] = `Bearer ${token}`;
    } else if (config.basic !== undefined) {
      const pair = `${config.basic.username}:${config.basic.password}`;
      headers["authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
    }
    const tokenEnd = token === undefined ? undefined : tokenExpiry(token);
    if (this.server.protocol === "http:") {
      this.#expiresAt = earliest(tokenEnd, exec?.expiresAt);
      this.#agent ??= new HttpAgent({ keepAlive: true });
      return { agent: this.#agent, headers };
    }
    const ca = await this.#read("CA file", config.ca);
    if (ca !== undefined && !ca.includes("-----BEGIN CERTIFICATE-----")) {
      const named =
        config.ca !== undefined && "file" in config.ca ? ` file "${config.ca.file}"` : "";
      this.distrust("certificate");
      throw new Fault("credentials", `CA${named} holds no PEM certificate`);
    }
    const cert =
      exec?.certificate ?? (await this.#read("client certificate file", config.clientCertificate));
    const key = exec?.key ?? (await this.#read("client key file", config.clientKey));
    const agent = this.#httpsAgent(config, ca, cert, key);
    this.#expiresAt = earliest(tokenEnd, exec?.expiresAt, this.#certificateEnd(cert));
    return { agent, headers };
  }

  expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  distrust(because: "unauthorized" | "certificate"): void {
    if (because === "unauthorized") this.#exec?.distrust();
    this.#kubeconfig?.file.distrust();
    for (const file of this.#files.values()) file.distrust();
  }

  close(): void {
    this.#agent?.destroy();
  }

  #certificateEnd(pem: string | undefined): number | undefined {
    if (pem !== this.#certificate) {
      this.#certificate = pem;
      this.#certificateEndsAt = pem === undefined ? undefined : certificateExpiry(pem);
    }
    return this.#certificateEndsAt;
  }

  async #refreshConfig(): Promise<void> {
    if (this.#kubeconfig === undefined) return;
    const { file, context } = this.#kubeconfig;
    const content = await file.read();
    if (content === this.#configText) return;
    let config: ClusterConfig;
    try {
      config = parseKubeconfig(content, file.path, context);
    } catch (error) {
      // Perhaps it is just being written.
      file.distrust();
      throw error;
    }
    if (config.server.href !== this.server.href) {
      throw new Fault(
        "credentials",
        `kubeconfig "${file.path}" names server ${config.server.host} now, ${this.server.host} before: restart to follow it`,
        { reason: SERVER_CHANGED },
      );
    }
    this.#configText = content;
    this.#config = config;
    this.#exec = this.#execOf(config);
  }

  #execOf(config: ClusterConfig): ExecCredentials | undefined {
    return config.exec === undefined ? undefined : new ExecCredentials(config.exec, this.#clock);
  }

  /** An empty or broken token is a fault: without one the server would answer to nobody, and mislead with a 403. */
  async #token(material: Material | undefined): Promise<string | undefined> {
    const token = (await this.#read("token file", material))?.trim();
    if (material === undefined || token === undefined) return undefined;
    if (/^[\u0021-\u007e]+$/.test(token)) return token;
    const named = "file" in material ? ` file "${material.file}"` : "";
    if ("file" in material) this.#files.get(material.file)?.distrust();
    throw new Fault("credentials", `token${named} for ${this.server.host} holds no token`);
  }

  async #read(what: string, material: Material | undefined): Promise<string | undefined> {
    if (material === undefined || "content" in material) return material?.content;
    let file = this.#files.get(material.file);
    if (file === undefined) {
      file = new FreshFile(what, material.file, this.#clock, REREAD_MS);
      this.#files.set(material.file, file);
    }
    return file.read();
  }

  #httpsAgent(
    config: ClusterConfig,
    ca: string | undefined,
    cert: string | undefined,
    key: string | undefined,
  ): HttpAgent | HttpsAgent {
    const { tlsServerName, insecureSkipTlsVerify } = config;
    const material = [ca, cert, key, tlsServerName, insecureSkipTlsVerify];
    const isSame = material.every((part, index) => part === this.#agentMaterial[index]);
    if (this.#agent !== undefined && isSame) return this.#agent;
    const secureContext = this.#secureContext(ca, cert, key);
    retire(this.#agent);
    this.#agentMaterial = material;
    this.#agent = new HttpsAgent({
      keepAlive: true,
      rejectUnauthorized: !insecureSkipTlsVerify,
      secureContext,
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
    });
    return this.#agent;
  }

  /** Made once and here, where material that OpenSSL refuses is a fault and not an exception of some request. */
  #secureContext(
    ca: string | undefined,
    cert: string | undefined,
    key: string | undefined,
  ): SecureContext {
    try {
      return createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      });
    } catch (error) {
      this.distrust("certificate");
      const why = `use CA, client certificate and key for ${this.server.host}: ${errorText(error)}`;
      throw new Fault("credentials", why, { cause: error });
    }
  }
}

/** Idle connections end now; those in use finish what they do. */
function retire(agent: HttpAgent | HttpsAgent | undefined): void {
  if (agent === undefined) return;
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
