import type { ClusterName } from "../model/names.ts";
import { canonicalSelector, type Selector } from "../selector/selector.ts";

/** The name that a user of the index gives to a selection. */
export type SelectionKey = string & { readonly brand: "SelectionKey" };

/** The name that a user of the index gives to a pod; unique over all clusters. */
export type PodKey = string & { readonly brand: "PodKey" };

/** Where a selection looks: clusters, and in them namespaces by name or by label. */
export interface Scope {
  readonly clusters: ReadonlySet<ClusterName>;
  readonly namespaces:
    | { readonly kind: "named"; readonly name: string }
    | { readonly kind: "selected"; readonly selector: Selector };
}

/** The pods that a peer names, or that a policy protects. Selectors hold no cluster terms any more. */
export interface Selection {
  readonly scope: Scope;
  readonly pods: Selector;
}

/** Equal texts for scopes that mean the same. */
export function canonicalScope({ clusters, namespaces }: Scope): string {
  const names = [...clusters].toSorted((a, b) => (a < b ? -1 : 1)).join(",");
  return namespaces.kind === "named"
    ? `${names} named ${namespaces.name}`
    : `${names} selected ${canonicalSelector(namespaces.selector)}`;
}
