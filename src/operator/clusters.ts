import { Fault, errorText } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { OptionErrors } from "../core/options/table.ts";
import { loadCluster, type ClusterAccess, type ClusterSource } from "../kube/access.ts";
import { ApiClient } from "../kube/api-client.ts";
import { fetchCa } from "../kube/ca-url.ts";
import type { Material } from "../kube/kubeconfig.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OperatorConfig } from "./options.ts";

/** What a configuration names: the local cluster, and the remote one unless there is a folder of them. */
export interface Clusters {
  readonly local: ClusterAccess;
  readonly remote: { readonly name: ClusterName; readonly access: ClusterAccess } | undefined;
}

async function remoteSource(config: OperatorConfig): Promise<ClusterSource> {
  const { targetKubeConfig, remoteApiUrl = "", remoteCaUrl } = config;
  if (targetKubeConfig !== undefined) return { kind: "kubeconfig", path: targetKubeConfig };
  const token = tokenOf(config);
  return {
    kind: "explicit",
    url: remoteApiUrl,
    ...(remoteCaUrl === undefined ? {} : { ca: { content: await fetchCa(remoteCaUrl) } }),
    ...(token === undefined ? {} : { token }),
  };
}

function tokenOf({ remoteSaTokenPath, remoteSaToken }: OperatorConfig): Material | undefined {
  if (remoteSaTokenPath !== undefined) return { file: remoteSaTokenPath };
  return remoteSaToken === undefined ? undefined : { content: remoteSaToken };
}

function localSource(
  localKubeConfig: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ClusterSource {
  return localKubeConfig === undefined
    ? { kind: "in-cluster", environment }
    : { kind: "kubeconfig", path: localKubeConfig };
}

async function openRemote(config: OperatorConfig, clock: Clock): Promise<Clusters["remote"]> {
  const name = config.targetClusterName;
  if (name === undefined) return undefined;
  return { name, access: await loadCluster(await remoteSource(config), clock) };
}

/** The local cluster, for commands that end: requests to it, until `close`. Rejects with a Fault `credentials`. */
export async function openLocal(
  localKubeConfig: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<{ readonly client: ApiClient; readonly close: () => void }> {
  const access = await loadCluster(localSource(localKubeConfig, environment), clock).catch(
    (error: unknown) => {
      throw new Fault("credentials", `--local-kube-config: ${errorText(error)}`, { cause: error });
    },
  );
  return { client: new ApiClient(access, { clock }), close: () => access.close() };
}

/** Opens the clusters that `config` names; descriptions that cannot be used are reported with the option that named them, all at once. */
export async function openClusters(
  config: OperatorConfig,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Clusters | { readonly errors: OptionErrors }> {
  const [remote, local] = await Promise.allSettled([
    openRemote(config, clock),
    loadCluster(localSource(config.localKubeConfig, environment), clock),
  ]);
  if (remote.status === "fulfilled" && local.status === "fulfilled") {
    return { remote: remote.value, local: local.value };
  }
  const errors: string[] = [];
  if (remote.status === "rejected") {
    const flag = config.targetKubeConfig === undefined ? "remote-api-url" : "target-kube-config";
    errors.push(`--${flag}: ${errorText(remote.reason)}`);
  } else {
    remote.value?.access.close();
  }
  if (local.status === "rejected") errors.push(`--local-kube-config: ${errorText(local.reason)}`);
  else local.value.close();
  return { errors };
}
