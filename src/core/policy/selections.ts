import type { Selection } from "../grouping/selection.ts";
import type { ClusterName } from "../model/names.ts";
import type { ResolvedPeer, ResolvedPolicy } from "./view.ts";

/** What a selector peer selects, for the index; undefined for a peer that is no selector. */
export function selectionOfPeer(peer: ResolvedPeer): Selection | undefined {
  if (peer.kind !== "pods") return undefined;
  const { clusters, namespace, namespaceSelector, podSelector } = peer;
  return {
    scope: {
      clusters,
      namespaces:
        namespaceSelector === undefined
          ? { kind: "named", name: namespace }
          : { kind: "selected", selector: namespaceSelector },
    },
    pods: podSelector,
  };
}

/** The pods that a policy of cluster `local` protects (R8), for the index. */
export function selectionOfSubject(resolved: ResolvedPolicy, local: ClusterName): Selection {
  return {
    scope: {
      clusters: new Set(resolved.appliesHere ? [local] : []),
      namespaces: { kind: "named", name: resolved.policy.namespace },
    },
    pods: resolved.subject,
  };
}
