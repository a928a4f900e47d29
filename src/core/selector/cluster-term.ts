import { parseClusterName, type ClusterName } from "../model/names.ts";
import type { Requirement, Selector } from "./selector.ts";

/** The label keys that name a cluster in a selector, unless configured otherwise (semantics.md A.5). */
export const DEFAULT_RESERVED_KEYS: readonly string[] = [
  "networking.k8s.io/multicluster-name",
  "cluster.clusterset.k8s.io",
  "clusterset.k8s.io/cluster-name",
];

/** Spellings of drafts that were never released: ordinary labels unless configured (semantics.md A.2). */
export const DRAFT_CLUSTER_KEYS: readonly string[] = [
  "networking.x-k8s.io/cluster-name",
  "cluster.clusterset.k8s.io/cluster-name",
];

/** A selector taken apart: what is left for labels, and what it asks of the cluster. */
export interface SplitSelector {
  /** Never absent: a selector that held only cluster terms is left empty and selects everything (R2). */
  readonly residual: Selector;
  readonly terms: readonly Requirement[];
}

/** Takes every requirement on a reserved key out of `selector` (R2). */
export function splitClusterTerms(
  selector: Selector,
  reservedKeys: readonly string[],
): SplitSelector {
  const terms = selector.requirements.filter(({ key }) => reservedKeys.includes(key));
  if (terms.length === 0) return { residual: selector, terms };
  const requirements = selector.requirements.filter(({ key }) => !reservedKeys.includes(key));
  return { residual: { requirements }, terms };
}

/** Why a cluster requirement selects less than its author may think. */
export type ClusterWarning =
  | { readonly kind: "unknown-cluster"; readonly key: string; readonly value: string }
  | { readonly kind: "invalid-name"; readonly key: string; readonly value: string }
  | { readonly kind: "does-not-exist"; readonly key: string }
  | { readonly kind: "contradiction"; readonly keys: readonly string[] };

/** The known clusters of a set as one of them sees it: names and their aliases (R15). */
export interface ClusterRegistry {
  readonly local: ClusterName;
  /** Every known cluster, the local one included. */
  readonly known: ReadonlySet<ClusterName>;
  readonly aliases: ReadonlyMap<string, ClusterName>;
}

/** Which clusters a peer selects from: `K` cut down by every term (R3, R5). */
export interface ClusterRequirement {
  readonly clusters: ReadonlySet<ClusterName>;
  readonly warnings: readonly ClusterWarning[];
}

function named(
  term: Requirement,
  registry: ClusterRegistry,
  warnings: ClusterWarning[],
): Set<ClusterName> {
  const names = new Set<ClusterName>();
  for (const value of term.values) {
    const alias = registry.aliases.get(value);
    const name = alias ?? parseClusterName(value);
    if (name === undefined) {
      warnings.push({ kind: "invalid-name", key: term.key, value });
    } else if (registry.known.has(name)) {
      names.add(name);
    } else if (term.operator === "In") {
      warnings.push({ kind: "unknown-cluster", key: term.key, value });
    }
  }
  return names;
}

function clustersOfTerm(
  term: Requirement,
  registry: ClusterRegistry,
  warnings: ClusterWarning[],
): ReadonlySet<ClusterName> {
  switch (term.operator) {
    case "In":
      return named(term, registry, warnings);
    case "NotIn": {
      const before = warnings.length;
      const excluded = named(term, registry, warnings);
      // A name that cannot be read excludes nobody we could point to: select nothing rather than too much.
      if (warnings.length > before) return new Set();
      return new Set([...registry.known].filter((name) => !excluded.has(name)));
    }
    case "Exists":
      return registry.known;
    case "DoesNotExist":
      warnings.push({ kind: "does-not-exist", key: term.key });
      return new Set();
    default:
      return term.operator satisfies never;
  }
}

/**
 * The clusters that meet every term, over the registry (R3, R5).
 * Without a term, `scope` decides: only the local cluster, or all (R4).
 */
export function resolveClusters(
  terms: readonly Requirement[],
  registry: ClusterRegistry,
  scope: "local" | "clusterset",
): ClusterRequirement {
  if (terms.length === 0) {
    return {
      clusters: scope === "local" ? new Set([registry.local]) : registry.known,
      warnings: [],
    };
  }
  const warnings: ClusterWarning[] = [];
  const sets = terms.map((term) => clustersOfTerm(term, registry, warnings));
  const clusters = new Set(
    [...registry.known].filter((name) => sets.every((set) => set.has(name))),
  );
  if (clusters.size === 0 && sets.every((set) => set.size > 0)) {
    warnings.push({ kind: "contradiction", keys: [...new Set(terms.map(({ key }) => key))] });
  }
  return { clusters, warnings };
}

/** A warning for people. */
export function formatClusterWarning(warning: ClusterWarning): string {
  switch (warning.kind) {
    case "unknown-cluster":
      return `${warning.key} names cluster "${warning.value}", which is not known here; it selects nothing until such a cluster joins`;
    case "invalid-name":
      return `${warning.key} has the value "${warning.value}", which cannot be a cluster name (a DNS-1123 label); the term selects nothing`;
    case "does-not-exist":
      return `${warning.key} DoesNotExist selects nothing, because every pod is in a cluster; drop the term or name the local cluster`;
    case "contradiction":
      return `the cluster terms on ${warning.keys.join(" and ")} contradict one another; the peer selects nothing`;
    default:
      return warning satisfies never;
  }
}
