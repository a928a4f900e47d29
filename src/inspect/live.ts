import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import { loadCluster, type ClusterSource } from "../kube/access.ts";
import { ApiClient } from "../kube/api-client.ts";
import { asObject, asText } from "../kube/json.ts";
import type { Clock } from "../runtime/clock.ts";
import { collect, type ClusterObjects } from "./collect.ts";
import type { Manifest, ManifestObject } from "./manifest.ts";
import { resolveOptions, usage, type Snapshot, type SourceOptions } from "./source.ts";

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

/** The kubeconfigs that kubectl would read: the flag's, those of KUBECONFIG, or the one at home. */
function kubeconfigPaths(
  flag: string | undefined,
  environment: LiveHooks["environment"],
): readonly string[] {
  if (flag !== undefined) return [flag];
  const listed = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  return listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
}

interface KubeconfigFile {
  readonly path: string;
  readonly contexts: readonly string[];
  readonly currentContext: string;
}

async function readKubeconfig(path: string): Promise<KubeconfigFile> {
  try {
    const found = asObject(parse(await readFile(path, "utf8"))) ?? {};
    const contexts = Array.isArray(found["contexts"]) ? (found["contexts"] as unknown[]) : [];
    return {
      path,
      contexts: contexts.map((context) => asText(asObject(context)?.["name"])),
      currentContext: asText(found["current-context"]),
    };
  } catch (error) {
    throw new Fault("credentials", `read kubeconfig "${path}": ${errorText(error)}`, {
      cause: error,
    });
  }
}

/** Where a context is described; undefined means the current one of the first file that has one. */
function sourceOf(context: string | undefined, files: readonly KubeconfigFile[]): ClusterSource {
  const wanted =
    context ?? files.find(({ currentContext }) => currentContext !== "")?.currentContext;
  if (wanted === undefined) {
    const paths = files.map(({ path }) => path).join(", ");
    throw usage(`no current-context in ${paths}: name one with --context, or read files with -f`);
  }
  const file = files.find(({ contexts }) => contexts.includes(wanted));
  if (file === undefined) {
    const known = files.flatMap(({ contexts }) => contexts).join(", ");
    throw usage(`no kubeconfig context "${wanted}"; there are ${known === "" ? "none" : known}`);
  }
  return { kind: "kubeconfig", path: file.path, context: wanted };
}

/**
 * Reads the world from API servers: the local cluster through `--context`, each remote one through a context
 * of its own in the same kubeconfig. @throws Fault when a cluster cannot be read.
 */
export async function readLive(options: SourceOptions, hooks: LiveHooks): Promise<Snapshot> {
  const resolved = resolveOptions(options);
  const files: KubeconfigFile[] = [];
  for (const path of kubeconfigPaths(options.kubeconfig, hooks.environment)) {
    files.push(await readKubeconfig(path));
  }
  const sources = [
    sourceOf(options.context, files),
    ...resolved.remotes.map(({ name, from }) => sourceOf(from ?? name, files)),
  ];
  const names = [resolved.localName, ...resolved.remotes.map(({ name }) => name)];
  const reads = names.map(async (name, index) =>
    readCluster(name, sources[index] as ClusterSource, hooks, {
      podCidrs: resolved.cidrsOf(name),
      reservedCidrs: index === 0 ? resolved.localCidrs : [],
    }),
  );
  return { clusters: await Promise.all(reads), problems: [], options: resolved };
}
