import type { PodRecord } from "../model/pod.ts";
import type { ClusterFacts } from "./facts.ts";
import type { NetworkPolicy } from "./network-policy.ts";

/** Annotation of a MultiNetworkPolicy: the networks that it is for, separated by commas. */
export const POLICY_FOR_ANNOTATION = "k8s.v1.cni.cncf.io/policy-for";
/** Annotation of a pod, written by the network plugin: what it got on each network. */
export const NETWORK_STATUS_ANNOTATION = "k8s.v1.cni.cncf.io/network-status";
/** Annotation of a pod, written by its author: the networks it asks for. */
export const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks";

/** A NetworkPolicy that holds on secondary networks (k8s.cni.cncf.io MultiNetworkPolicy). */
export interface MultiNetworkPolicy {
  readonly policy: NetworkPolicy;
  /** `namespace/name` of the NetworkAttachmentDefinitions that it is for. */
  readonly networks: readonly string[];
}

/** `namespace/name` of every network in a list such as `blue, other/red@net1`; bare names are in `namespace`. */
export function networkNames(text: string, namespace: string): string[] {
  return text.split(",").flatMap((part) => {
    const name = (part.split("@")[0] ?? "").trim();
    if (name === "") return [];
    return [name.includes("/") ? name : `${namespace}/${name}`];
  });
}

function requestedNetworks(text: string, namespace: string): string[] {
  if (!text.trimStart().startsWith("[")) return networkNames(text, namespace);
  return parseEntries(text).flatMap((entry) => {
    const { name, namespace: own } = entry as { name?: unknown; namespace?: unknown };
    if (typeof name !== "string") return [];
    return [`${typeof own === "string" ? own : namespace}/${name}`];
  });
}

function parseEntries(text: string): readonly object[] {
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found)
      ? found.filter((entry): entry is object => typeof entry === "object" && entry !== null)
      : [];
  } catch {
    return [];
  }
}

/**
 * The addresses of `pod` on `network` (`namespace/name`): of every interface that it has there. Empty when it asks for
 * the network and nothing is known yet; undefined when it is not attached.
 */
export function addressesOn(pod: PodRecord, network: string): readonly string[] | undefined {
  const status = parseEntries(pod.annotations[NETWORK_STATUS_ANNOTATION] ?? "");
  const entries = status.filter((entry) => {
    const { name, default: isDefault } = entry as { name?: unknown; default?: unknown };
    return name === network && isDefault !== true;
  });
  if (entries.length > 0) {
    return entries.flatMap((entry) => {
      const { ips } = entry as { ips?: unknown };
      return Array.isArray(ips) ? ips.filter((ip): ip is string => typeof ip === "string") : [];
    });
  }
  const asked = requestedNetworks(pod.annotations[NETWORKS_ANNOTATION] ?? "", pod.namespace);
  return asked.includes(network) ? [] : undefined;
}

/**
 * The cluster as one of its secondary networks sees it: the attached pods with their addresses there, and the policies
 * for that network. Addresses of other networks, also equal ones, are not in it. Nodes and ranges of the pod network
 * mean nothing there.
 */
export function onNetwork(
  cluster: ClusterFacts,
  policies: readonly MultiNetworkPolicy[],
  network: string,
): ClusterFacts {
  return {
    ...cluster,
    pods: cluster.pods.flatMap((pod) => {
      const ips = addressesOn(pod, network);
      return ips === undefined ? [] : [{ ...pod, ips, hostNetwork: false, nodeName: "" }];
    }),
    nodes: [],
    podCidrs: [],
    reservedCidrs: [],
    policies:
      cluster.policies === undefined
        ? undefined
        : policies.filter(({ networks }) => networks.includes(network)).map(({ policy }) => policy),
  };
}
