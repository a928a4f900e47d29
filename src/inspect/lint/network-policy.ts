import { containsCidr, formatCidr, type Cidr } from "../../core/address/cidr.ts";
import { formatProblem, type FieldPath } from "../../core/policy/fields.ts";
import { podPath } from "../../core/policy/facts.ts";
import type { Direction } from "../../core/policy/network-policy.ts";
import type { ParsedPolicy } from "../../core/policy/parse.ts";
import { selectionOfSubject } from "../../core/policy/selections.ts";
import { resolvePolicy, type ResolvedPeer, type View } from "../../core/policy/view.ts";
import type { World } from "../../core/policy/world.ts";
import {
  DRAFT_CLUSTER_KEYS,
  formatClusterWarning,
  resolveClusters,
} from "../../core/selector/cluster-term.ts";
import type { Operator, Requirement } from "../../core/selector/selector.ts";
import { asObject, asText } from "../../kube/json.ts";
import type { ClusterObjects } from "../collect.ts";
import type { Manifest } from "../manifest.ts";
import { finding, type Finding } from "./finding.ts";
import type { Population } from "./population.ts";

/** What the rules for one policy may look at. */
export interface PolicyContext {
  readonly manifest: Manifest;
  readonly parsed: ParsedPolicy;
  /** Who is selected, as this cluster's policies see it. */
  readonly population: Population;
  readonly cluster: ClusterObjects;
  readonly clusters: readonly ClusterObjects[];
  readonly world: World;
  readonly reservedKeys: readonly string[];
  /** Whether to report what the other default scope would change. */
  readonly scopeImpact: boolean;
}

/** A requirement on some key, with the field where it stands. */
interface PlacedTerm {
  readonly term: Requirement;
  readonly path: FieldPath;
}

const PEER_KEYS: Readonly<Record<Direction, "from" | "to">> = { ingress: "from", egress: "to" };

function termsIn(selector: unknown, path: FieldPath): PlacedTerm[] {
  const fields = asObject(selector) ?? {};
  const labels = Object.entries(asObject(fields["matchLabels"]) ?? {}).map(([key, value]) => ({
    term: { key, operator: "In" as const, values: [asText(value)] },
    path: [...path, "matchLabels", key],
  }));
  const list = Array.isArray(fields["matchExpressions"])
    ? (fields["matchExpressions"] as unknown[])
    : [];
  const expressions = list.map((item, index) => {
    const each = asObject(item) ?? {};
    const values = Array.isArray(each["values"]) ? (each["values"] as unknown[]) : [];
    const operator = asText(each["operator"]) as Operator;
    return {
      term: { key: asText(each["key"]), operator, values: values.map(asText) },
      path: [...path, "matchExpressions", index, "key"],
    };
  });
  return [...labels, ...expressions];
}

/** WL018 and WL023. */
function lintProblems({ manifest, parsed }: PolicyContext): Finding[] {
  return parsed.problems.flatMap((problem) => {
    // The version is WL012's.
    if (problem.path[0] === "apiVersion") return [];
    const code = problem.kind === "strict-cidr" ? "WL023" : "WL018";
    return [finding(code, manifest, problem.path, formatProblem(problem))];
  });
}

/** WL009. */
function lintTypes({ manifest }: PolicyContext): Finding[] {
  const spec = asObject(manifest.object["spec"]) ?? {};
  const types = spec["policyTypes"];
  if (types !== undefined && types !== null && !(Array.isArray(types) && types.length === 0))
    return [];
  const hasEgress = Array.isArray(spec["egress"]) && spec["egress"].length > 0;
  const message = hasEgress
    ? "policyTypes is absent: the policy isolates ingress and, because it has egress rules, egress"
    : "policyTypes is absent: the policy isolates ingress only";
  return [finding("WL009", manifest, ["spec"], message)];
}

/** WL002 for any selector. */
function lintDrafts(context: PolicyContext, terms: readonly PlacedTerm[]): Finding[] {
  const { manifest, reservedKeys } = context;
  return terms.flatMap(({ term, path }) => {
    const isDraft = DRAFT_CLUSTER_KEYS.includes(term.key) && !reservedKeys.includes(term.key);
    if (!isDraft) return [];
    const [canonical = ""] = reservedKeys;
    const message = `${term.key} is the spelling of a draft and an ordinary label here; use ${canonical}`;
    return [finding("WL002", manifest, path, message)];
  });
}

/** WL017 for the subject: what R8 makes of it. */
function lintSubject(context: PolicyContext, view: View): Finding[] {
  const { manifest, reservedKeys, cluster } = context;
  const spec = asObject(manifest.object["spec"]) ?? {};
  const terms = termsIn(spec["podSelector"], ["spec", "podSelector"]);
  const own = terms.filter(({ term }) => reservedKeys.includes(term.key));
  const found = lintDrafts(context, terms);
  const [first] = own;
  if (first === undefined) return found;
  const here = resolveClusters(
    own.map(({ term }) => term),
    view.registry,
    "local",
  );
  const message = here.clusters.has(cluster.name)
    ? `podSelector names clusters by ${first.term.key}: true of this cluster, ${cluster.name}, so the policy applies here as if the term were absent`
    : `podSelector names clusters by ${first.term.key}: false of this cluster, ${cluster.name}, so the policy selects nothing here`;
  return [...found, finding("WL017", manifest, first.path, message)];
}

/** WL006 and WL022 for the cluster terms of one peer. */
function lintTerms(context: PolicyContext, terms: readonly PlacedTerm[], view: View): Finding[] {
  const { manifest } = context;
  const known = [...view.registry.known].toSorted().join(", ");
  const found = terms.flatMap(({ term, path }) =>
    resolveClusters([term], view.registry, "local").warnings.map((warning) =>
      warning.kind === "unknown-cluster"
        ? finding(
            "WL006",
            manifest,
            path,
            `unknown cluster "${warning.value}": it selects nothing until such a cluster joins; known here: ${known}`,
          )
        : finding("WL022", manifest, path, formatClusterWarning(warning)),
    ),
  );
  const together = resolveClusters(
    terms.map(({ term }) => term),
    view.registry,
    "local",
  );
  const clash = together.warnings.find(({ kind }) => kind === "contradiction");
  if (clash !== undefined && terms[0] !== undefined) {
    found.push(finding("WL022", manifest, terms[0].path, formatClusterWarning(clash)));
  }
  return found;
}

/** WL020 and WL021: what an engine makes of the terms that does not know them. */
function lintOtherEngines(context: PolicyContext, terms: readonly PlacedTerm[]): Finding[] {
  const { manifest, cluster } = context;
  const [first] = terms;
  if (first === undefined) return [];
  const isOpen = terms.every(({ term }) => ["NotIn", "DoesNotExist"].includes(term.operator));
  if (isOpen) {
    const message = `${first.term.key} ${first.term.operator}: an engine that does not know cluster terms matches every local pod that the rest of the peer selects`;
    return [finding("WL020", manifest, first.path, message)];
  }
  const carries = [...cluster.namespaces.values()].some(({ labels }) =>
    Object.hasOwn(labels, first.term.key),
  );
  const suffix =
    cluster.namespaces.size > 0 && !carries ? " (no namespace here carries the label)" : "";
  const message = `${first.term.key} names clusters: an engine that does not know cluster terms takes it as an ordinary label and admits nothing${suffix}`;
  return [finding("WL021", manifest, first.path, message)];
}

function isSingle(cidr: Cidr): boolean {
  return cidr.prefix === (cidr.family === 4 ? 32 : 128);
}

/** WL004 and WL008 for one ipBlock. */
function lintBlock(context: PolicyContext, cidr: Cidr, path: FieldPath): Finding[] {
  const { manifest, cluster, clusters, world } = context;
  const text = formatCidr(cidr);
  if (isSingle(cidr)) {
    const owners = world.podsAt(cidr).filter((fact) => fact.cluster !== cluster.name);
    const [owner] = owners.toSorted((a, b) => Number(b.isOnPodNetwork) - Number(a.isOnPodNetwork));
    if (owner !== undefined && !owner.pod.hostNetwork) {
      const verb = owner.isOnPodNetwork ? "is" : "was";
      const message = `ipBlock ${text} ${verb} pod ${podPath(owner)}; addresses of pods change: name the pod by cluster and labels`;
      return [finding("WL004", manifest, path, message)];
    }
    const node = world.nodesAt(cidr).find((each) => each.cluster !== cluster.name);
    if (node === undefined) return [];
    const message = `ipBlock ${text} is node ${node.node} of cluster ${node.cluster}: whatever leaves through it with its address is admitted`;
    return [finding("WL008", manifest, path, message)];
  }
  // A block of everything says so itself.
  if (cidr.prefix === 0) return [];
  return clusters.flatMap((other) => {
    if (other === cluster) return [];
    const range = [...other.podCidrs, ...other.nodeCidrs].find((each) => containsCidr(cidr, each));
    if (range === undefined) return [];
    const message = `ipBlock ${text} holds the whole pod range ${formatCidr(range)} of cluster ${other.name}`;
    return [finding("WL008", manifest, path, message)];
  });
}

/** WL005, WL007 and the terms' own findings for one selector peer. */
function lintPeer(
  context: PolicyContext,
  peer: Extract<ResolvedPeer, { kind: "pods" }>,
  raw: Readonly<Record<string, unknown>>,
  path: FieldPath,
  view: View,
): Finding[] {
  const { manifest, reservedKeys, world } = context;
  const placed = ["podSelector", "namespaceSelector"].flatMap((field) =>
    termsIn(raw[field], [...path, field]),
  );
  const terms = placed.filter(({ term }) => reservedKeys.includes(term.key));
  const found = [
    ...lintDrafts(context, placed),
    ...lintTerms(context, terms, view),
    ...lintOtherEngines(context, terms),
  ];
  if (terms.length === 0) {
    const scope = world.facts.defaultScope;
    const message =
      scope === "local"
        ? `the peer names no cluster: it selects pods of ${view.local} only`
        : "the peer names no cluster: it selects pods of every cluster";
    found.push(finding("WL005", manifest, path, message));
  }
  if (context.population.isEmpty(peer)) {
    found.push(finding("WL007", manifest, path, "the peer selects no pod at present"));
  }
  return found;
}

/** WL024: a peer that would reach further clusters under the other default scope. */
function lintScopeImpact(
  { manifest, population }: PolicyContext,
  path: FieldPath,
  local: ResolvedPeer,
  clusterset: ResolvedPeer,
): Finding[] {
  if (local.kind !== "pods" || clusterset.kind !== "pods") return [];
  const more = [...clusterset.clusters].filter((name) => !local.clusters.has(name));
  if (more.length === 0) return [];
  const { count, example } = population.count({ ...clusterset, clusters: new Set(more) });
  const pods = count === 1 ? "1 pod" : `${count} pods`;
  const suffix = example === undefined ? "" : `, e.g. ${example}`;
  const message = `with --default-cluster-scope clusterset the peer selects also from ${more.toSorted().join(", ")}: ${pods} at present${suffix}`;
  return [finding("WL024", manifest, path, message)];
}

/** All findings about one NetworkPolicy. */
export function lintNetworkPolicy(context: PolicyContext): Finding[] {
  const { manifest, cluster, world, reservedKeys } = context;
  const view = world.view(cluster.name);
  const { policy } = context.parsed;
  const found = [...lintProblems(context), ...lintTypes(context), ...lintSubject(context, view)];
  if (policy === undefined) return found;
  const resolve = (scope: "local" | "clusterset"): ReturnType<typeof resolvePolicy> =>
    resolvePolicy(policy, view.registry, scope, reservedKeys);
  const resolved = resolve(world.facts.defaultScope);
  const scopes = context.scopeImpact
    ? { local: resolve("local"), clusterset: resolve("clusterset") }
    : undefined;
  if (context.population.isEmptySelection(selectionOfSubject(resolved, cluster.name))) {
    const message = `podSelector selects no pod of namespace ${policy.namespace} at present`;
    found.push(finding("WL007", manifest, ["spec", "podSelector"], message));
  }
  const spec = asObject(manifest.object["spec"]) ?? {};
  for (const direction of ["ingress", "egress"] as const) {
    for (const [index, rule] of policy[direction].entries()) {
      for (const [at, peer] of (rule.peers ?? []).entries()) {
        const key = PEER_KEYS[direction];
        const path = ["spec", direction, index, key, at];
        const rules = Array.isArray(spec[direction]) ? (spec[direction] as unknown[]) : [];
        const list = asObject(rules[index])?.[key];
        const raw = asObject(Array.isArray(list) ? (list as unknown[])[at] : undefined) ?? {};
        const current = resolved[direction][index]?.peers?.[at];
        if (peer.kind === "block") {
          found.push(...lintBlock(context, peer.block.cidr, [...path, "ipBlock", "cidr"]));
        } else if (peer.kind === "pods" && current?.kind === "pods") {
          found.push(...lintPeer(context, current, raw, path, view));
          const local = scopes?.local[direction][index]?.peers?.[at];
          const clusterset = scopes?.clusterset[direction][index]?.peers?.[at];
          if (local !== undefined && clusterset !== undefined) {
            found.push(...lintScopeImpact(context, path, local, clusterset));
          }
        }
      }
    }
  }
  return found;
}
