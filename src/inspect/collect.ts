import { parseCidr, type Cidr } from "../core/address/cidr.ts";
import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { PodRecord } from "../core/model/pod.ts";
import { formatProblem, type Problem } from "../core/policy/fields.ts";
import type { ClusterFacts, LinkState, NodeFacts } from "../core/policy/facts.ts";
import type { NetworkPolicy } from "../core/policy/network-policy.ts";
import { parseNetworkPolicy, type ParsedPolicy } from "../core/policy/parse.ts";
import {
  NETWORKS_ANNOTATION,
  NETWORK_STATUS_ANNOTATION,
  POLICY_FOR_ANNOTATION,
  networkNames,
  type MultiNetworkPolicy,
} from "../core/policy/secondary.ts";
import { NAMESPACE_NAME_LABEL, type Labels } from "../core/selector/labels.ts";
import { asObject, asText, list, object, text } from "../kube/json.ts";
import { podFromJson } from "../kube/pod.ts";
import type { Manifest, ManifestObject } from "./manifest.ts";

/** A policy, where it was read, and what is wrong with it. */
export interface PolicySource {
  readonly manifest: Manifest;
  /** Undefined when it cannot be used at all. */
  readonly policy: NetworkPolicy | undefined;
  readonly problems: readonly Problem[];
}

/** A pod, and where it was read. */
export interface PodSource {
  readonly manifest: Manifest;
  readonly pod: PodRecord;
}

/** Everything read of one cluster. */
export interface ClusterObjects {
  readonly name: ClusterName;
  readonly link: LinkState;
  /** All of its objects, in the order in which they were read. */
  readonly manifests: readonly Manifest[];
  /** Of several with one name the last one counts, as if they were applied in turn. */
  readonly pods: ReadonlyMap<string, PodSource>;
  readonly policies: ReadonlyMap<string, PolicySource>;
  /** What each NetworkPolicy was read as, those included that a later one replaced. */
  readonly parsed: ReadonlyMap<Manifest, ParsedPolicy>;
  readonly namespaces: ReadonlyMap<
    string,
    { readonly labels: Labels; readonly manifest: Manifest }
  >;
  readonly nodes: readonly NodeFacts[];
  /** The ranges that its pods may have, as the user declared them; empty when not declared. */
  readonly podCidrs: readonly Cidr[];
  /** `spec.podCIDRs` of its nodes: a hint, since not every network gives pods addresses from there. */
  readonly nodeCidrs: readonly Cidr[];
  readonly reservedCidrs: readonly Cidr[];
  /** False when policies could not be read: then nothing is known of them. */
  readonly policiesAreKnown: boolean;
  /** When a live cluster was read, in ISO 8601. */
  readonly asOf: string | undefined;
}

/** What the reader of a cluster knows beside its objects. */
export interface ClusterContext {
  readonly name: ClusterName;
  /** @default "synced" */
  readonly link?: LinkState;
  readonly podCidrs?: readonly Cidr[];
  readonly reservedCidrs?: readonly Cidr[];
  /** The namespace of objects that name none. @default "default" */
  readonly defaultNamespace?: string;
  /** @default true */
  readonly policiesAreKnown?: boolean;
  readonly asOf?: string;
  /** Told of a bad object instead of a Fault being thrown. */
  readonly onBadObject?: (manifest: Manifest, message: string) => void;
}

/** Whether `manifest` is of this kind, in this API group. */
export function isKind({ object: found }: Manifest, kind: string, group = ""): boolean {
  if (found["kind"] !== kind) return false;
  const apiVersion = asText(found["apiVersion"]);
  const slash = apiVersion.indexOf("/");
  return (slash < 0 ? "" : apiVersion.slice(0, slash)) === group;
}

/** Whether it is, or was once, Kubernetes' own NetworkPolicy. */
export function isNetworkPolicy(manifest: Manifest): boolean {
  return (
    isKind(manifest, "NetworkPolicy", "networking.k8s.io") ||
    isKind(manifest, "NetworkPolicy", "extensions")
  );
}

/** Reads a NetworkPolicy; a version that API servers do not serve is a problem of its own, at `apiVersion`. */
function readPolicy({ object: found }: Manifest, defaultNamespace = "default"): ParsedPolicy {
  const parsed = parseNetworkPolicy(found, defaultNamespace);
  const apiVersion = found["apiVersion"];
  if (apiVersion === "networking.k8s.io/v1") return parsed;
  const message = "is not served by any current API server; use networking.k8s.io/v1";
  const problem: Problem = { path: ["apiVersion"], value: apiVersion, message, kind: "always" };
  return { policy: parsed.policy, problems: [problem, ...parsed.problems] };
}

/** Annotations of pods that policy looks at. */
const KEPT_ANNOTATIONS: ReadonlySet<string> = new Set([
  NETWORK_STATUS_ANNOTATION,
  NETWORKS_ANNOTATION,
]);

function namespaceOf(found: ManifestObject, fallback: string): string {
  const metadata = asObject(found["metadata"]) ?? {};
  const namespace = asText(metadata["namespace"]);
  return namespace === "" ? fallback : namespace;
}

/** The object with its namespace filled in. */
function inNamespace(found: ManifestObject, fallback: string): ManifestObject {
  const metadata = asObject(found["metadata"]) ?? {};
  return { ...found, metadata: { ...metadata, namespace: namespaceOf(found, fallback) } };
}

/** `file:line` for a field of an object, or only the file where there are no lines. */
export function place(manifest: Manifest, path: readonly (string | number)[] = []): string {
  const line = manifest.lineOf(path);
  return line === 0 ? manifest.file : `${manifest.file}:${line}`;
}

function readNode(found: ManifestObject): NodeFacts & { readonly cidrs: readonly Cidr[] } {
  const name = text(object(found, "metadata", "node"), "name", "node.metadata", "");
  const spec = object(found, "spec", `node ${name}`);
  const status = object(found, "status", `node ${name}`);
  const ips = list(status, "addresses", `node ${name}: status`).flatMap((entry) => {
    const address = asObject(entry) ?? {};
    return asText(address["type"]).endsWith("IP") ? [asText(address["address"])] : [];
  });
  const ranges = [asText(spec["podCIDR"]), ...list(spec, "podCIDRs", `node ${name}`).map(asText)];
  const cidrs = [...new Set(ranges)].flatMap((range) => parseCidr(range) ?? []);
  return { name, ips, cidrs };
}

function readLabels(found: ManifestObject, name: string): Labels {
  const metadata = object(found, "metadata", `namespace ${name}`);
  const labels: Record<string, string> = {};
  for (const key of Object.keys(object(metadata, "labels", `namespace ${name}: metadata`))) {
    const all = object(metadata, "labels", `namespace ${name}: metadata`);
    labels[key] = text(all, key, `namespace ${name}: metadata.labels`, "");
  }
  // The API server puts it on every namespace.
  labels[NAMESPACE_NAME_LABEL] = name;
  return labels;
}

/**
 * Sorts the objects of one cluster. Policies keep their problems; `refuseBroken` turns them into a Fault.
 * @throws Fault `malformed` naming file and line for a Pod, Namespace or Node that cannot be read.
 */
export function collect(manifests: readonly Manifest[], context: ClusterContext): ClusterObjects {
  const fallback = context.defaultNamespace ?? "default";
  const pods = new Map<string, PodSource>();
  const policies = new Map<string, PolicySource>();
  const parsed = new Map<Manifest, ParsedPolicy>();
  const namespaces = new Map<string, { labels: Labels; manifest: Manifest }>();
  const nodes: NodeFacts[] = [];
  const nodeCidrs: Cidr[] = [];
  for (const manifest of manifests) {
    const found = manifest.object;
    try {
      if (isKind(manifest, "Pod")) {
        const pod = podFromJson(inNamespace(found, fallback), KEPT_ANNOTATIONS);
        pods.set(`${pod.namespace}/${pod.name}`, { manifest, pod });
      } else if (isKind(manifest, "Namespace")) {
        const name = text(object(found, "metadata", "namespace"), "name", "namespace.metadata", "");
        namespaces.set(name, { labels: readLabels(found, name), manifest });
      } else if (isKind(manifest, "Node")) {
        const { cidrs, ...node } = readNode(found);
        nodes.push(node);
        nodeCidrs.push(...cidrs);
      } else if (isNetworkPolicy(manifest)) {
        const read = readPolicy(manifest, fallback);
        const { policy, problems } = read;
        parsed.set(manifest, read);
        const metadata = asObject(found["metadata"]) ?? {};
        const key = `${namespaceOf(found, fallback)}/${asText(metadata["name"])}`;
        policies.set(policy === undefined ? `${key} at ${place(manifest)}` : key, {
          manifest,
          policy,
          problems,
        });
      }
    } catch (error) {
      if (faultCode(error) === undefined) throw error;
      if (context.onBadObject === undefined) {
        throw new Fault("malformed", `${place(manifest)}: ${errorText(error)}`, { cause: error });
      }
      context.onBadObject(manifest, errorText(error));
    }
  }
  return {
    name: context.name,
    link: context.link ?? "synced",
    manifests,
    pods,
    policies,
    parsed,
    namespaces,
    nodes,
    podCidrs: context.podCidrs ?? [],
    nodeCidrs,
    reservedCidrs: context.reservedCidrs ?? [],
    policiesAreKnown: context.policiesAreKnown ?? true,
    asOf: context.asOf,
  };
}

/** Every problem of the policies that an API server or kubectl would refuse, as `file:line: field: value: why`. */
export function brokenPolicies(cluster: ClusterObjects): string[] {
  return [...cluster.policies.values()].flatMap(({ manifest, problems }) =>
    problems
      .filter(({ kind }) => kind !== "strict-cidr")
      .map((problem) => `${place(manifest, problem.path)}: ${formatProblem(problem)}`),
  );
}

/** The MultiNetworkPolicies of a cluster, read by NetworkPolicy's rules. Nobody validated them before us. */
export function multiNetworkPolicies(cluster: ClusterObjects): {
  readonly policies: readonly MultiNetworkPolicy[];
  readonly problems: readonly string[];
} {
  const policies: MultiNetworkPolicy[] = [];
  const problems: string[] = [];
  for (const manifest of cluster.manifests) {
    if (!isKind(manifest, "MultiNetworkPolicy", "k8s.cni.cncf.io")) continue;
    const parsed = parseNetworkPolicy(manifest.object);
    const bad = parsed.problems.filter(({ kind }) => kind !== "strict-cidr");
    problems.push(
      ...bad.map((problem) => `${place(manifest, problem.path)}: ${formatProblem(problem)}`),
    );
    if (parsed.policy === undefined) continue;
    const annotations = asObject(asObject(manifest.object["metadata"])?.["annotations"]) ?? {};
    const { namespace } = parsed.policy;
    const networks = networkNames(asText(annotations[POLICY_FOR_ANNOTATION]), namespace);
    policies.push({ policy: parsed.policy, networks });
  }
  return { policies, problems };
}

/** Kinds of policy that no verdict here takes into account. */
const UNEVALUATED: readonly (readonly [kind: string, group: string])[] = [
  ["NetworkPolicy", "projectcalico.org"],
  ["NetworkPolicy", "crd.projectcalico.org"],
  ["GlobalNetworkPolicy", "projectcalico.org"],
  ["GlobalNetworkPolicy", "crd.projectcalico.org"],
  ["CiliumNetworkPolicy", "cilium.io"],
  ["CiliumClusterwideNetworkPolicy", "cilium.io"],
  ["AdminNetworkPolicy", "policy.networking.k8s.io"],
  ["BaselineAdminNetworkPolicy", "policy.networking.k8s.io"],
  ["ClusterNetworkPolicy", "policy.networking.k8s.io"],
];

/** What to tell people of policies that were read and do not count: `3 CiliumNetworkPolicy of cluster a`. */
export function unevaluated(cluster: ClusterObjects): string[] {
  return UNEVALUATED.flatMap(([kind, group]) => {
    const { length } = cluster.manifests.filter((manifest) => isKind(manifest, kind, group));
    return length === 0 ? [] : [`${length} ${kind} (${group}) of cluster ${cluster.name}`];
  });
}

/** The facts that verdicts depend on. */
export function factsOf(cluster: ClusterObjects): ClusterFacts {
  return {
    name: cluster.name,
    aliases: [],
    link: cluster.link,
    namespaces: new Map([...cluster.namespaces].map(([name, { labels }]) => [name, labels])),
    pods: [...cluster.pods.values()].map(({ pod }) => pod),
    nodes: cluster.nodes,
    policies: cluster.policiesAreKnown
      ? [...cluster.policies.values()].flatMap(({ policy }) => policy ?? [])
      : undefined,
    podCidrs: cluster.podCidrs,
    reservedCidrs: cluster.reservedCidrs,
  };
}
