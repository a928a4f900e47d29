import { errorText } from "../core/model/fault.ts";
import type { OptionErrors } from "../core/options/table.ts";
import { loadCluster, type ClusterAccess, type ClusterSource } from "../kube/access.ts";
import { fetchCa } from "../kube/ca-url.ts";
import type { Clock } from "../runtime/clock.ts";
import type { OperatorConfig } from "./options.ts";

/** The two clusters of an operator. */
export interface Clusters {
  readonly remote: ClusterAccess;
  readonly local: ClusterAccess;
}

async function remoteSource(config: OperatorConfig): Promise<ClusterSource> {
  const {
    targetKubeConfig,
    remoteApiUrl = "",
    remoteCaUrl,
    remoteSaTokenPath,
    remoteSaToken,
  } = config;
  if (targetKubeConfig !== undefined) return { kind: "kubeconfig", path: targetKubeConfig };
  return {
    kind: "explicit",
    url: remoteApiUrl,
    ...(remoteCaUrl === undefined ? {} : { ca: { content: await fetchCa(remoteCaUrl) } }),
    ...(remoteSaTokenPath === undefined ? {} : { token: { file: remoteSaTokenPath } }),
    ...(remoteSaTokenPath === undefined && remoteSaToken !== undefined
      ? { token: { content: remoteSaToken } }
      : {}),
  };
}

function localSource(
  config: OperatorConfig,
  environment: Readonly<Record<string, string | undefined>>,
): ClusterSource {
  const { localKubeConfig } = config;
  return localKubeConfig === undefined
    ? { kind: "in-cluster", environment }
    : { kind: "kubeconfig", path: localKubeConfig };
}

/** Opens both clusters; a description that cannot be used is reported with the option that named it, both at once. */
export async function openClusters(
  config: OperatorConfig,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Promise<Clusters | { readonly errors: OptionErrors }> {
  const [remote, local] = await Promise.allSettled([
    remoteSource(config).then(async (source) => loadCluster(source, clock)),
    loadCluster(localSource(config, environment), clock),
  ]);
  if (remote.status === "fulfilled" && local.status === "fulfilled") {
    return { remote: remote.value, local: local.value };
  }
  const remoteFlag =
    config.targetKubeConfig === undefined ? "--remote-api-url" : "--target-kube-config";
  const errors: string[] = [];
  if (remote.status === "rejected") errors.push(`${remoteFlag}: ${errorText(remote.reason)}`);
  else remote.value.close();
  if (local.status === "rejected") errors.push(`--local-kube-config: ${errorText(local.reason)}`);
  else local.value.close();
  return { errors };
}
