import { dirname, isAbsolute, resolve } from "node:path";
import {
  newClusters,
  newContexts,
  newUsers,
  type Cluster,
  type User,
} from "@kubernetes/client-node/dist/config_types.js";
import { parse } from "yaml";
import { Fault, errorText } from "../core/model/fault.ts";
import { asObject, asText, type JsonObject } from "./json.ts";

/** A file's path, or its content. */
export type Material = { readonly file: string } | { readonly content: string };

/** A credential plugin (client.authentication.k8s.io): a program that prints an ExecCredential. */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint: string;
  /** What KUBERNETES_EXEC_INFO says of the cluster, when the plugin wants to know. */
  readonly clusterInfo: JsonObject | undefined;
}

/** How to reach one API server, and as whom. Files are named, not read. */
export interface ClusterConfig {
  readonly server: URL;
  readonly ca: Material | undefined;
  readonly insecureSkipTlsVerify: boolean;
  /** The name that the certificate must show, when it is not the server's host. */
  readonly tlsServerName: string | undefined;
  readonly clientCertificate: Material | undefined;
  readonly clientKey: Material | undefined;
  readonly token: Material | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  readonly exec: ExecPlugin | undefined;
  /** Impersonation headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Reads the text of the kubeconfig at `path`: the cluster and user of `context`, by default of its current-context.
 * Relative paths in it are relative to its folder. Entries that the context does not name are not looked at.
 * client-node reads the entries; what it does not know (tokenFile, as-groups, exec details) is read here.
 * Throws a Fault `credentials` that names the file and the field.
 */
export function parseKubeconfig(content: string, path: string, context?: string): ClusterConfig {
  try {
    return readContext(asConfig(content), dirname(resolve(path)), context);
  } catch (error) {
    throw new Fault("credentials", `read kubeconfig "${path}": ${errorText(error)}`, {
      cause: error,
    });
  }
}

function asConfig(content: string): JsonObject {
  const config = asObject(parse(content));
  if (config === undefined) throw new Error("it is not a mapping");
  return config;
}

function readContext(
  config: JsonObject,
  folder: string,
  wanted: string | undefined,
): ClusterConfig {
  const contextName = wanted ?? asText(config["current-context"]);
  if (contextName === "") throw new Error("it has no current-context");
  const [context] = newContexts([entry(config, "contexts", contextName)]);
  if (context === undefined) throw new Error(`context "${contextName}" cannot be read`);
  const rawCluster = entry(config, "clusters", context.cluster);
  const [cluster] = newClusters([rawCluster]);
  if (cluster === undefined) throw new Error(`cluster "${context.cluster}" cannot be read`);
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== "") {
    throw new Error(`cluster "${cluster.name}": proxy-url is not supported`);
  }
  const rawUser = context.user === undefined ? undefined : entry(config, "users", context.user);
  const user = rawUser === undefined ? undefined : readUser(rawUser);
  const username = given(user?.username);
  const userFields = asObject(rawUser?.["user"]) ?? {};
  return {
    server: serverUrl(cluster.server),
    ca: material(cluster.caData, cluster.caFile, folder, "certificate-authority-data"),
    insecureSkipTlsVerify: cluster.skipTLSVerify,
    tlsServerName: given(cluster.tlsServerName),
    clientCertificate: material(user?.certData, user?.certFile, folder, "client-certificate-data"),
    clientKey: material(user?.keyData, user?.keyFile, folder, "client-key-data"),
    token: token(userFields, folder),
    basic: username === undefined ? undefined : { username, password: user?.password ?? "" },
    exec: execPlugin(userFields, cluster, asObject(rawCluster["cluster"]) ?? {}, folder),
    headers: impersonation(userFields),
  };
}

function entry(config: JsonObject, section: string, name: string): JsonObject {
  const entries = config[section];
  const found = Array.isArray(entries)
    ? entries.map(asObject).find((candidate) => candidate?.["name"] === name)
    : undefined;
  if (found === undefined) throw new Error(`${section} has no "${name}"`);
  return found;
}

function readUser(raw: JsonObject): User | undefined {
  const fields = asObject(raw["user"]) ?? {};
  const provider = asText(asObject(fields["auth-provider"])?.["name"]);
  if (provider !== "") {
    throw new Error(
      `user "${String(raw["name"])}": auth-provider "${provider}" is not supported, use exec`,
    );
  }
  // Without the token fields: client-node would read the file, once and for all.
  const { token: _, "token-file": __, ...rest } = fields;
  return newUsers([{ name: raw["name"], user: rest }])[0];
}

/** The server's URL without a trailing slash in its path. Throws when it is not http or https. */
export function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new Error(`server "${text}" is not an http or https URL`);
  }
  return url;
}

function material(
  data: string | null | undefined,
  file: string | null | undefined,
  folder: string,
  field: string,
): Material | undefined {
  const encoded = given(data);
  const path = given(file);
  if (encoded !== undefined) {
    const content = Buffer.from(encoded, "base64").toString("utf8");
    if (!content.includes("-----BEGIN ")) throw new Error(`${field} is not base64 of PEM`);
    return { content };
  }
  return path === undefined ? undefined : { file: absolute(path, folder) };
}

function token(user: JsonObject, folder: string): Material | undefined {
  const file = asText(user["tokenFile"]);
  if (file !== "") return { file: absolute(file, folder) };
  const content = asText(user["token"]);
  return content === "" ? undefined : { content };
}

function execPlugin(
  user: JsonObject,
  cluster: Cluster,
  rawCluster: JsonObject,
  folder: string,
): ExecPlugin | undefined {
  const exec = asObject(user["exec"]);
  if (exec === undefined) return undefined;
  const command = asText(exec["command"]);
  if (command === "") throw new Error("exec.command is missing");
  if (exec["interactiveMode"] === "Always") {
    throw new Error(`exec plugin "${command}" needs a terminal (interactiveMode Always)`);
  }
  const args = Array.isArray(exec["args"]) ? exec["args"].map(String) : [];
  const env = Array.isArray(exec["env"]) ? exec["env"].map(asObject) : [];
  return {
    apiVersion: asText(exec["apiVersion"]) || "client.authentication.k8s.io/v1",
    // A bare name is looked up in PATH; a relative path is relative to the kubeconfig, as in kubectl.
    command: command.includes("/") ? absolute(command, folder) : command,
    args,
    env: Object.fromEntries(env.map((pair) => [asText(pair?.["name"]), asText(pair?.["value"])])),
    installHint: asText(exec["installHint"]),
    clusterInfo: exec["provideClusterInfo"] === true ? clusterInfo(cluster, rawCluster) : undefined,
  };
}

function clusterInfo(cluster: Cluster, raw: JsonObject): JsonObject {
  const extensions = Array.isArray(raw["extensions"]) ? raw["extensions"].map(asObject) : [];
  const config = extensions.find((each) => each?.["name"] === "client.authentication.k8s.io/exec");
  return {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.skipTLSVerify,
    "certificate-authority-data": cluster.caData,
    config: config?.["extension"],
  };
}

function impersonation(user: JsonObject): Readonly<Record<string, string | readonly string[]>> {
  const headers: Record<string, string | readonly string[]> = {};
  const name = asText(user["as"]);
  if (name !== "") headers["impersonate-user"] = name;
  const uid = asText(user["as-uid"]);
  if (uid !== "") headers["impersonate-uid"] = uid;
  const groups = user["as-groups"];
  if (Array.isArray(groups)) headers["impersonate-group"] = groups.map(String);
  const extra = asObject(user["as-user-extra"]) ?? {};
  for (const [key, values] of Object.entries(extra)) {
    if (!Array.isArray(values)) throw new Error(`as-user-extra.${key} is not a list`);
    headers[`impersonate-extra-${encodeURIComponent(key)}`] = values.map(String);
  }
  return headers;
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : resolve(folder, path);
}

/** The value, when it is there and not empty. */
function given(value: string | null | undefined): string | undefined {
  return value === null || value === "" ? undefined : value;
}
