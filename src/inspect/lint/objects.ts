import { containsCidr, formatCidr } from "../../core/address/cidr.ts";
import { POLICY_FOR_ANNOTATION, networkNames } from "../../core/policy/secondary.ts";
import { asObject, asText } from "../../kube/json.ts";
import { isKind, type ClusterObjects } from "../collect.ts";
import type { Manifest } from "../manifest.ts";
import { docsPage, finding, objectName, type Finding } from "./finding.ts";
import { MANAGERS, SET_LABELS, type LabelProfileName } from "./set-labels.ts";

/** Versions that API servers serve no more, by the kinds that matter here: since when, and what to use. */
const REMOVED: readonly {
  readonly apiVersion: string;
  readonly kinds: readonly string[];
  readonly since: string;
  readonly use: string;
}[] = [
  {
    apiVersion: "extensions/v1beta1",
    kinds: ["NetworkPolicy"],
    since: "1.16",
    use: "networking.k8s.io/v1",
  },
  {
    apiVersion: "extensions/v1beta1",
    kinds: ["Deployment", "DaemonSet", "ReplicaSet"],
    since: "1.16",
    use: "apps/v1",
  },
  {
    apiVersion: "extensions/v1beta1",
    kinds: ["Ingress"],
    since: "1.22",
    use: "networking.k8s.io/v1",
  },
  ...["apps/v1beta1", "apps/v1beta2"].map((apiVersion) => ({
    apiVersion,
    kinds: ["Deployment", "DaemonSet", "ReplicaSet", "StatefulSet"],
    since: "1.16",
    use: "apps/v1",
  })),
];

/** WL012 for one object. */
export function lintVersion(manifest: Manifest): Finding[] {
  const apiVersion = asText(manifest.object["apiVersion"]);
  const kind = asText(manifest.object["kind"]);
  const removed = REMOVED.find(
    (each) => each.apiVersion === apiVersion && each.kinds.includes(kind),
  );
  if (removed === undefined) return [];
  const message = `${apiVersion} ${kind} was removed in Kubernetes ${removed.since}; use ${removed.use}`;
  return [finding("WL012", manifest, ["apiVersion"], message)];
}

/** WL014 for one object. */
export function lintServiceExport(manifest: Manifest): Finding[] {
  if (!isKind(manifest, "ServiceExport", "multicluster.x-k8s.io")) return [];
  const metadata = asObject(manifest.object["metadata"]) ?? {};
  const namespace = asText(metadata["namespace"]) || "default";
  if (namespace !== "default" && namespace !== "kube-system") return [];
  const message = `a Service of namespace ${namespace} is exported: namespaces of this name mean different things in different clusters`;
  return [finding("WL014", manifest, ["metadata", "namespace"], message)];
}

/** WL016 and WL017: cluster labels on Namespaces and Pods, which are never believed. */
export function lintClusterLabels(
  manifest: Manifest,
  cluster: ClusterObjects,
  reservedKeys: readonly string[],
): Finding[] {
  const isNamespace = isKind(manifest, "Namespace");
  if (!isNamespace && !isKind(manifest, "Pod")) return [];
  const labels = asObject(asObject(manifest.object["metadata"])?.["labels"]) ?? {};
  return Object.entries(labels).flatMap(([key, value]) => {
    if (!reservedKeys.includes(key)) return [];
    const path = ["metadata", "labels", key];
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    if (!isNamespace) {
      const message = `label ${key} has no meaning on a pod: its cluster is ${cluster.name}, where it was read from`;
      return [finding("WL017", manifest, path, message)];
    }
    if (value === cluster.name) return [];
    const message = `label ${key} says "${shown}", but the namespace was read from cluster ${cluster.name}; the label is ignored`;
    return [finding("WL016", manifest, path, message)];
  });
}

/** WL013 for one Pod. */
export function lintHostNetwork(manifest: Manifest, profile: LabelProfileName): Finding[] {
  if (!isKind(manifest, "Pod")) return [];
  if (asObject(manifest.object["spec"])?.["hostNetwork"] !== true) return [];
  const metadata = asObject(manifest.object["metadata"]) ?? {};
  const keys = ["labels", "annotations"].flatMap((field) =>
    Object.keys(asObject(metadata[field]) ?? {}).map((key) => ({ field, key })),
  );
  const asked = keys.find(({ key }) => SET_LABELS[profile].optIn.includes(key));
  if (asked === undefined) return [];
  const message = `${asked.key} asks for a set, but the pod uses its node's network: the address is the node's, and it is left out`;
  return [finding("WL013", manifest, ["metadata", asked.field, asked.key], message)];
}

/** WL007 for a managed GlobalNetworkSet that is empty. */
export function lintEmptySet(manifest: Manifest): Finding[] {
  const isSet =
    isKind(manifest, "GlobalNetworkSet", "projectcalico.org") ||
    isKind(manifest, "GlobalNetworkSet", "crd.projectcalico.org");
  if (!isSet) return [];
  const labels = asObject(asObject(manifest.object["metadata"])?.["labels"]) ?? {};
  const isOurs = MANAGERS.includes(
    asText(labels["managed-by"]) || asText(labels["app.kubernetes.io/managed-by"]),
  );
  const nets = asObject(manifest.object["spec"])?.["nets"];
  if (!isOurs || (Array.isArray(nets) && nets.length > 0)) return [];
  return [finding("WL007", manifest, ["spec", "nets"], "the set holds no address at present")];
}

/** WL010: ranges of two clusters that overlap, declared ones and those of nodes. */
export function lintRanges(clusters: readonly ClusterObjects[]): Finding[] {
  const found: Finding[] = [];
  for (const [index, one] of clusters.entries()) {
    for (const other of clusters.slice(index + 1)) {
      const pair = [...one.podCidrs, ...one.nodeCidrs].flatMap((a) =>
        [...other.podCidrs, ...other.nodeCidrs]
          .filter((b) => containsCidr(a, b) || containsCidr(b, a))
          .map((b) => [a, b] as const),
      )[0];
      if (pair === undefined) continue;
      const [a, b] = pair;
      const message = `pod range ${formatCidr(a)} of cluster ${one.name} overlaps ${formatCidr(b)} of cluster ${other.name}: an address does not tell whose it is`;
      found.push(onNode(other, b, message) ?? onNode(one, a, message) ?? nowhere(message));
    }
  }
  return found;
}

function onNode(
  cluster: ClusterObjects,
  cidr: Parameters<typeof formatCidr>[0],
  message: string,
): Finding | undefined {
  const text = formatCidr(cidr);
  for (const manifest of cluster.manifests) {
    if (!isKind(manifest, "Node")) continue;
    const spec = asObject(manifest.object["spec"]) ?? {};
    const all = Array.isArray(spec["podCIDRs"]) ? (spec["podCIDRs"] as unknown[]) : [];
    if (spec["podCIDR"] === text) return finding("WL010", manifest, ["spec", "podCIDR"], message);
    const at = all.indexOf(text);
    if (at >= 0) return finding("WL010", manifest, ["spec", "podCIDRs", at], message);
  }
  return undefined;
}

function nowhere(message: string): Finding {
  return {
    code: "WL010",
    level: "error",
    file: "options",
    line: null,
    object: "",
    message,
    docs: docsPage("WL010"),
  };
}

/** Whether a NetworkAttachmentDefinition hands out addresses: it has subnets, or an ipam with a type. */
function hasAddresses(nad: Manifest): boolean {
  const text = asText(asObject(nad.object["spec"])?.["config"]);
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return false;
  }
  const fields = asObject(config) ?? {};
  const plugins = Array.isArray(fields["plugins"]) ? (fields["plugins"] as unknown[]) : [];
  return [fields, ...plugins].some((plugin) => {
    const each = asObject(plugin) ?? {};
    const ipam = asObject(each["ipam"]);
    return asText(each["subnets"]) !== "" || (ipam !== undefined && asText(ipam["type"]) !== "");
  });
}

function hasSelectorPeer(manifest: Manifest): readonly (string | number)[] | undefined {
  const spec = asObject(manifest.object["spec"]) ?? {};
  for (const [direction, key] of [
    ["ingress", "from"],
    ["egress", "to"],
  ] as const) {
    const rules = Array.isArray(spec[direction]) ? (spec[direction] as unknown[]) : [];
    for (const [index, rule] of rules.entries()) {
      const peers = asObject(rule)?.[key];
      for (const [at, peer] of (Array.isArray(peers) ? (peers as unknown[]) : []).entries()) {
        const fields = asObject(peer) ?? {};
        if (fields["podSelector"] !== undefined || fields["namespaceSelector"] !== undefined) {
          return ["spec", direction, index, key, at];
        }
      }
    }
  }
  return undefined;
}

/** WL011 for one MultiNetworkPolicy, against the NetworkAttachmentDefinitions of its cluster. */
export function lintMultiNetwork(manifest: Manifest, cluster: ClusterObjects): Finding[] {
  if (!isKind(manifest, "MultiNetworkPolicy", "k8s.cni.cncf.io")) return [];
  const metadata = asObject(manifest.object["metadata"]) ?? {};
  const namespace = asText(metadata["namespace"]) || "default";
  const annotation = asText(asObject(metadata["annotations"])?.[POLICY_FOR_ANNOTATION]);
  const path = ["metadata", "annotations", POLICY_FOR_ANNOTATION];
  const names = networkNames(annotation, namespace);
  if (names.length === 0) {
    const message = `annotation ${POLICY_FOR_ANNOTATION} names no network: ${objectName(manifest)} applies to nothing`;
    return [finding("WL011", manifest, path, message)];
  }
  const nads = new Map<string, Manifest>(
    cluster.manifests
      .filter((each) => isKind(each, "NetworkAttachmentDefinition", "k8s.cni.cncf.io"))
      .map((nad) => {
        const of = asObject(nad.object["metadata"]) ?? {};
        return [`${asText(of["namespace"]) || "default"}/${asText(of["name"])}`, nad] as const;
      }),
  );
  const selector = hasSelectorPeer(manifest);
  return names.flatMap((key) => {
    const nad = nads.get(key);
    if (nad === undefined) {
      // Without any definition in what was read, the networks are simply elsewhere.
      return nads.size === 0
        ? []
        : [finding("WL011", manifest, path, `there is no NetworkAttachmentDefinition ${key}`)];
    }
    if (selector === undefined || hasAddresses(nad)) return [];
    const message = `network ${key} has no subnets, so selectors find no address on it: use ipBlock`;
    return [finding("WL011", manifest, selector, message)];
  });
}
