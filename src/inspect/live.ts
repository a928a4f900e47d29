import { homedir } from "node:os";
import { join } from "node:path";
import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import { loadCluster, type ClusterSource } from "../kube/access.ts";
import { ApiClient } from "../kube/api-client.ts";
import { asObject, asText } from "../kube/json.ts";
import type { Clock } from "../runtime/clock.ts";
import { collect, type ClusterObjects } from "./collect.ts";
import type { Manifest, ManifestObject } from "./manifest.ts";
import { resolveOptions, type Snapshot, type SourceOptions } from "./source.ts";

/** One collection to read. `needed`: without it there is no answer at all. */
interface Collection {
  readonly path: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly needed?: true;
}

const COLLECTIONS: readonly Collection[] = [
  { path: "/api/v1/pods", apiVersion: "v1", kind: "Pod", needed: true },
  { path: "/api/v1/namespaces", apiVersion: "v1", kind: "Namespace", needed: true },
  { path: "/api/v1/nodes", apiVersion: "v1", kind: "Node" },
  { path: "/api/v1/services", apiVersion: "v1", kind: "Service" },
  { path: "/apis/apps/v1/deployments", apiVersion: "apps/v1", kind: "Deployment" },
  { path: "/apis/apps/v1/statefulsets", apiVersion: "apps/v1", kind: "StatefulSet" },
  { path: "/apis/apps/v1/daemonsets", apiVersion: "apps/v1", kind: "DaemonSet" },
];

/** What only `lint` looks at; a server that does not serve it has none of it. */
const LINTED: readonly Collection[] = [
  ...["crd.projectcalico.org/v1", "projectcalico.org/v3"].flatMap((apiVersion) => [
    { path: `/apis/${apiVersion}/networkpolicies`, apiVersion, kind: "NetworkPolicy" },
    { path: `/apis/${apiVersion}/globalnetworkpolicies`, apiVersion, kind: "GlobalNetworkPolicy" },
  ]),
  ...["multicluster.x-k8s.io/v1beta1", "multicluster.x-k8s.io/v1alpha1"].map((apiVersion) => ({
    path: `/apis/${apiVersion}/serviceexports`,
    apiVersion,
    kind: "ServiceExport",
  })),
  {
    path: "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions",
    apiVersion: "k8s.cni.cncf.io/v1",
    kind: "NetworkAttachmentDefinition",
  },
  {
    path: "/apis/k8s.cni.cncf.io/v1beta1/multi-networkpolicies",
    apiVersion: "k8s.cni.cncf.io/v1beta1",
    kind: "MultiNetworkPolicy",
  },
];

const POLICIES: Collection = {
  path: "/apis/networking.k8s.io/v1/networkpolicies",
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
};

/** What a live reading needs from the process that asks. */
export interface LiveHooks {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told what could not be read and is left open. */
  readonly warn: (message: string) => void;
  /** Whether to read also what only `lint` looks at. */
  readonly forLint?: boolean;
}

async function listAll(client: ApiClient, collection: Collection): Promise<ManifestObject[]> {
  const { path, apiVersion, kind } = collection;
  const found: ManifestObject[] = [];
  let token: string | undefined;
  do {
    const query = { limit: "500", continue: token };
    const { body } = await client.request({ method: "GET", path, query });
    const page = asObject(body);
    const items = page?.["items"];
    if (!Array.isArray(items) && items !== null) {
      throw new Fault("malformed", `list ${path}: the answer is no list`);
    }
    for (const item of items ?? []) found.push({ ...asObject(item), apiVersion, kind });
    token = asText(asObject(page?.["metadata"])?.["continue"]) || undefined;
  } while (token !== undefined);
  return found;
}

async function readCluster(
  name: ClusterName,
  source: ClusterSource,
  hooks: LiveHooks,
  ranges: Pick<Parameters<typeof collect>[1], "podCidrs" | "reservedCidrs">,
): Promise<ClusterObjects> {
  const access = await loadCluster(source, hooks.clock);
  const client = new ApiClient(access, { clock: hooks.clock });
  const asOf = new Date(hooks.clock.now()).toISOString();
  const manifests: Manifest[] = [];
  let policiesAreKnown = true;
  try {
    for (const collection of [
      ...COLLECTIONS,
      POLICIES,
      ...(hooks.forLint === true ? LINTED : []),
    ]) {
      try {
        for (const object of await listAll(client, collection)) {
          manifests.push({ object, file: `cluster ${name}`, lineOf: () => 0 });
        }
      } catch (error) {
        const code = faultCode(error);
        const isAbsent = code === "not-found" && collection !== POLICIES;
        if (collection.needed === true || (code !== "forbidden" && !isAbsent)) throw error;
        if (collection === POLICIES) policiesAreKnown = false;
        if (!isAbsent) hooks.warn(`cluster ${name}: ${errorText(error)}`);
      }
    }
  } finally {
    access.close();
  }
  return collect(manifests, { ...ranges, name, policiesAreKnown, asOf });
}

/** The kubeconfig that kubectl would use: the flag, the first path of KUBECONFIG, or the one at home. */
function kubeconfigPath(flag: string | undefined, environment: LiveHooks["environment"]): string {
  const [fromEnvironment = ""] = (environment["KUBECONFIG"] ?? "").split(":");
  return flag ?? (fromEnvironment === "" ? join(homedir(), ".kube", "config") : fromEnvironment);
}

/**
 * Reads the world from API servers: the local cluster through `--context`, each remote one through a context
 * of its own in the same kubeconfig. @throws Fault when a cluster cannot be read.
 */
export async function readLive(options: SourceOptions, hooks: LiveHooks): Promise<Snapshot> {
  const resolved = resolveOptions(options);
  const path = kubeconfigPath(options.kubeconfig, hooks.environment);
  const source = (context: string | undefined): ClusterSource => ({
    kind: "kubeconfig",
    path,
    ...(context === undefined ? {} : { context }),
  });
  const reads = [
    readCluster(resolved.localName, source(options.context), hooks, {
      reservedCidrs: resolved.localCidrs,
    }),
    ...resolved.remotes.map(async ({ name, from }) =>
      readCluster(name, source(from ?? name), hooks, { podCidrs: resolved.cidrsOf(name) }),
    ),
  ];
  return { clusters: await Promise.all(reads), problems: [], options: resolved };
}
