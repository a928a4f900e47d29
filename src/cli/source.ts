import type { Command } from "commander";
import { Fault, errorText } from "../core/model/fault.ts";
import { API_VERSION, type NetworkSetListView, type Status } from "../operator/api-objects.ts";
import { readOnce, type OnceRead } from "../operator/once.ts";
import { OPERATOR_OPTIONS, readOperatorConfig, type OperatorTable } from "../operator/options.ts";
import { systemClock } from "../runtime/clock.ts";
import { addTableOptions, type Flags } from "./table-options.ts";
import { packageVersion } from "./version.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8080";
const TIMEOUT_MS = 10_000;

/** The operator's options that say which clusters there are and what their sets should be. */
const CLUSTER_OPTIONS = [
  "targetClusterName",
  "targetKubeConfig",
  "localKubeConfig",
  "remoteApiUrl",
  "remoteCaUrl",
  "remoteSaTokenPath",
  "clustersDir",
  "labelProfile",
  "labelSelector",
  "networksetNameAnnotation",
  "emptySetGrace",
  "maxNetsPerSet",
  "remotePodCidr",
  "localCidr",
  "calicoApiGroup",
] as const satisfies readonly (keyof OperatorTable)[];

/** Where status and sets come from: a running operator, or the clusters themselves. */
export interface Source {
  status(): Promise<Status>;
  /** All sets, or the one that `name` names. Rejects with a Fault when a cluster cannot be read. */
  sets(name?: string): Promise<NetworkSetListView>;
}

/** Adds `--server` and the options of the clusters; returns how to open the source that they name. */
export function addSourceOptions(command: Command): () => Source {
  command.option(
    "--server <url>",
    `ask the operator there, e.g. through kubectl port-forward (default ${DEFAULT_SERVER} unless clusters are given)`,
  );
  const table = Object.fromEntries(CLUSTER_OPTIONS.map((name) => [name, OPERATOR_OPTIONS[name]]));
  const flags = addTableOptions(command, table);
  return () => {
    const { server } = command.opts<{ readonly server?: string }>();
    const given = Object.keys(flags());
    if (server === undefined && given.length > 0) return clusterSource(flags());
    if (given.length > 0) {
      throw new Fault("bad-request", `--server: cannot be combined with --${given[0]}`);
    }
    return serverSource(server ?? DEFAULT_SERVER);
  };
}

function clusterSource(flags: Flags): Source {
  const read = readOperatorConfig(flags, process.env);
  if ("errors" in read) throw new Fault("bad-request", read.errors.join("\n"));
  const once = async (): Promise<OnceRead> =>
    readOnce(read.config, {
      version: packageVersion(),
      environment: process.env,
      clock: systemClock,
      warn: (message) => process.stderr.write(`warning: ${message}\n`),
    });
  return {
    status: async () => (await once()).views.status(),
    sets: async (name) => {
      const { views, failures } = await once();
      if (failures.length > 0) throw new Fault("unavailable", failures.join("\n"));
      return views.sets(name);
    },
  };
}

function serverSource(server: string): Source {
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new Fault("bad-request", `--server "${server}": expected a URL like ${DEFAULT_SERVER}`);
  }
  const get = async <T>(path: string, kind: string): Promise<T> => {
    const url = new URL(path, server);
    const body = await fetchText(url);
    const value = parsed(body);
    if (value?.["apiVersion"] !== API_VERSION || value["kind"] !== kind) {
      throw new Fault("malformed", `read ${url.href}: the answer is no ${kind} of ${API_VERSION}`);
    }
    return value as T;
  };
  return {
    status: async () => get<Status>("/api/v1/status", "Status"),
    sets: async (name) => {
      const query = name === undefined ? "" : `?name=${encodeURIComponent(name)}`;
      return get<NetworkSetListView>(`/api/v1/sets${query}`, "NetworkSetList");
    },
  };
}

async function fetchText(url: URL): Promise<string> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
    body = await response.text();
  } catch (error) {
    const { cause = error } = error as { readonly cause?: unknown };
    throw new Fault(
      "connection",
      `read ${url.href}: ${errorText(cause)}; name a running operator with --server, or clusters with --target-kube-config and --local-kube-config`,
      { cause: error },
    );
  }
  if (response.ok) return body;
  throw new Fault("server-error", `read ${url.href}: ${response.status} ${body.trim()}`, {
    status: response.status,
  });
}

function parsed(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
