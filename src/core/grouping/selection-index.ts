import type { ClusterName } from "../model/names.ts";
import { NAMESPACE_NAME_LABEL, type Labels } from "../selector/labels.ts";
import { canonicalSelector, matches, matchesKnown, type Selector } from "../selector/selector.ts";
import { AnchorIndex, at } from "./anchor-index.ts";
import {
  canonicalScope,
  type PodKey,
  type Scope,
  type Selection,
  type SelectionKey,
} from "./selection.ts";

/** A pod enters a selection, or leaves it. */
export type OnChange = (selection: SelectionKey, pod: PodKey, change: "entered" | "left") => void;

/** What the index knows of a pod. Labels hold no reserved keys. */
export interface IndexedPod {
  readonly cluster: ClusterName;
  readonly namespace: string;
  readonly labels: Labels;
}

/** Labels that some pods have, in whatever namespace. */
interface LabelSet {
  readonly key: string;
  readonly labels: Labels;
  /** The pod selectors that match. */
  readonly matched: Set<PodSelector>;
  readonly buckets: Set<Bucket>;
}

/** The pods of one namespace that have one label set. */
interface Bucket {
  readonly space: Space;
  readonly labelSet: LabelSet;
  readonly pods: Set<PodKey>;
  /** The groups that hold these pods: `matched` of the label set and of the space, joined. */
  groups: Set<Group>;
}

/** A namespace of a cluster. Undefined `labels`: it was not read, so only its name is known. */
interface Space {
  readonly cluster: ClusterName;
  readonly name: string;
  labels: Labels | undefined;
  matched: Set<ScopeItem>;
  readonly buckets: Map<LabelSet, Bucket>;
}

/** A distinct pod selector. */
interface PodSelector {
  readonly key: string;
  readonly selector: Selector;
  readonly labelSets: Set<LabelSet>;
  readonly groups: Map<ScopeItem, Group>;
}

/** A distinct scope. */
interface ScopeItem {
  readonly key: string;
  readonly scope: Scope;
  readonly spaces: Set<Space>;
  readonly groups: Map<PodSelector, Group>;
}

/** A distinct selection, and who asked for it. */
interface Group {
  readonly scope: ScopeItem;
  readonly podSelector: PodSelector;
  readonly keys: Set<SelectionKey>;
  readonly buckets: Set<Bucket>;
}

/**
 * Who is in which selection, kept up to date change by change:
 *
 *     pod ── bucket (namespace, label set) ── group (scope, pod selector) ── selection
 *
 * Pods of equal labels share a label set, selections that mean the same share a group. A label set is matched once with
 * each distinct pod selector that its labels could meet, a namespace once with each scope; everything else is look-ups.
 * It depends on the present state only, never on the order in which it came, and is empty again when all was removed.
 */
export class SelectionIndex {
  readonly #onChange: OnChange;
  readonly #pods = new Map<PodKey, Bucket>();
  readonly #selections = new Map<SelectionKey, Group>();
  readonly #spaces = new Map<string, Space>();
  readonly #labelSets = new Map<string, LabelSet>();
  readonly #podSelectors = new Map<string, PodSelector>();
  readonly #scopes = new Map<string, ScopeItem>();
  readonly #podAnchors = new AnchorIndex<PodSelector>();
  readonly #scopeAnchors = new AnchorIndex<ScopeItem>();
  readonly #scopesByName = new Map<string, Set<ScopeItem>>();
  /** Label sets by each of their pairs: where a new pod selector looks first. */
  readonly #labelSetsByPair = new Map<string, Map<string, Set<LabelSet>>>();

  /** `onChange` is called in the middle of an update: it must be quick and must not call back into the index. */
  constructor(onChange: OnChange = () => {}) {
    this.#onChange = onChange;
  }

  /** How many pods, namespaces, label sets and selections it holds, and items behind them. All zero when empty. */
  get size(): number {
    return (
      this.#pods.size +
      this.#selections.size +
      this.#spaces.size +
      this.#labelSets.size +
      this.#podSelectors.size +
      this.#scopes.size +
      this.#scopesByName.size +
      this.#labelSetsByPair.size +
      (this.#podAnchors.isEmpty ? 0 : 1) +
      (this.#scopeAnchors.isEmpty ? 0 : 1)
    );
  }

  /**
   * The pods of a selection, in no order.
   * @yields each of them
   */
  *podsIn(selection: SelectionKey): Generator<PodKey, void, undefined> {
    for (const bucket of this.#selections.get(selection)?.buckets ?? []) yield* bucket.pods;
  }

  /**
   * The selections that hold a pod, in no order.
   * @yields each of them
   */
  *selectionsOf(pod: PodKey): Generator<SelectionKey, void, undefined> {
    for (const group of this.#pods.get(pod)?.groups ?? []) yield* group.keys;
  }

  /** A pod exists, with these labels, there. */
  setPod(key: PodKey, pod: IndexedPod): void {
    const before = this.#pods.get(key);
    const bucket = this.#bucketOf(pod);
    if (bucket === before) return;
    bucket.pods.add(key);
    this.#pods.set(key, bucket);
    before?.pods.delete(key);
    this.#tell(before?.groups, bucket.groups, [key]);
    if (before !== undefined) this.#dropBucketIfEmpty(before);
  }

  /** A pod is gone. An unknown pod is no matter. */
  removePod(key: PodKey): void {
    const before = this.#pods.get(key);
    if (before === undefined) return;
    this.#pods.delete(key);
    before.pods.delete(key);
    this.#tell(before.groups, undefined, [key]);
    this.#dropBucketIfEmpty(before);
  }

  /** A namespace has these labels. Costs in proportion to its label sets, and to its pods where they change groups. */
  setNamespace(cluster: ClusterName, name: string, labels: Labels): void {
    this.#relabel(this.#space(cluster, name), labels);
  }

  /** A namespace is gone, or can no longer be read: from now on only its name is known. */
  removeNamespace(cluster: ClusterName, name: string): void {
    const space = this.#spaces.get(spaceKey(cluster, name));
    if (space === undefined) return;
    this.#relabel(space, undefined);
    this.#dropSpaceIfEmpty(space);
  }

  /** `key` asks for `selection`, in place of what it asked for before. */
  setSelection(key: SelectionKey, selection: Selection): void {
    const before = this.#selections.get(key);
    const group = this.#group(selection);
    if (group === before) return;
    this.#selections.set(key, group);
    group.keys.add(key);
    before?.keys.delete(key);
    for (const bucket of group.buckets) {
      if (before?.buckets.has(bucket) === true) continue;
      for (const pod of bucket.pods) this.#onChange(key, pod, "entered");
    }
    for (const bucket of before?.buckets ?? []) {
      if (group.buckets.has(bucket)) continue;
      for (const pod of bucket.pods) this.#onChange(key, pod, "left");
    }
    if (before !== undefined) this.#dropGroupIfUnused(before);
  }

  /** `key` asks for nothing any more. */
  removeSelection(key: SelectionKey): void {
    const before = this.#selections.get(key);
    if (before === undefined) return;
    this.#selections.delete(key);
    before.keys.delete(key);
    for (const bucket of before.buckets) {
      for (const pod of bucket.pods) this.#onChange(key, pod, "left");
    }
    this.#dropGroupIfUnused(before);
  }

  #tell(
    before: ReadonlySet<Group> | undefined,
    after: ReadonlySet<Group> | undefined,
    pods: Iterable<PodKey>,
  ): void {
    for (const group of before ?? []) {
      if (after?.has(group) === true) continue;
      for (const key of group.keys) for (const pod of pods) this.#onChange(key, pod, "left");
    }
    for (const group of after ?? []) {
      if (before?.has(group) === true) continue;
      for (const key of group.keys) for (const pod of pods) this.#onChange(key, pod, "entered");
    }
  }

  #bucketOf({ cluster, namespace, labels }: IndexedPod): Bucket {
    const space = this.#space(cluster, namespace);
    const labelSet = this.#labelSet(labels);
    let bucket = space.buckets.get(labelSet);
    if (bucket === undefined) {
      bucket = { space, labelSet, pods: new Set(), groups: joined(space, labelSet) };
      for (const group of bucket.groups) group.buckets.add(bucket);
      space.buckets.set(labelSet, bucket);
      labelSet.buckets.add(bucket);
    }
    return bucket;
  }

  #dropBucketIfEmpty(bucket: Bucket): void {
    if (bucket.pods.size > 0) return;
    for (const group of bucket.groups) group.buckets.delete(bucket);
    bucket.space.buckets.delete(bucket.labelSet);
    bucket.labelSet.buckets.delete(bucket);
    this.#dropSpaceIfEmpty(bucket.space);
    if (bucket.labelSet.buckets.size === 0) this.#dropLabelSet(bucket.labelSet);
  }

  #space(cluster: ClusterName, name: string): Space {
    return at(this.#spaces, spaceKey(cluster, name), () => {
      const space: Space = {
        cluster,
        name,
        labels: undefined,
        matched: new Set(),
        buckets: new Map(),
      };
      space.matched = this.#matchingScopes(space);
      for (const scope of space.matched) scope.spaces.add(space);
      return space;
    });
  }

  #dropSpaceIfEmpty(space: Space): void {
    if (space.labels !== undefined || space.buckets.size > 0) return;
    for (const scope of space.matched) scope.spaces.delete(space);
    this.#spaces.delete(spaceKey(space.cluster, space.name));
  }

  #relabel(space: Space, labels: Labels | undefined): void {
    space.labels = labels;
    const matched = this.#matchingScopes(space);
    const before = space.matched;
    const isSame = matched.size === before.size && [...matched].every((scope) => before.has(scope));
    if (isSame) return;
    for (const scope of before) if (!matched.has(scope)) scope.spaces.delete(space);
    for (const scope of matched) scope.spaces.add(space);
    space.matched = matched;
    for (const bucket of space.buckets.values()) {
      const groups = joined(space, bucket.labelSet);
      for (const group of bucket.groups) if (!groups.has(group)) group.buckets.delete(bucket);
      for (const group of groups) group.buckets.add(bucket);
      const old = bucket.groups;
      bucket.groups = groups;
      this.#tell(old, groups, bucket.pods);
    }
  }

  #matchingScopes(space: Space): Set<ScopeItem> {
    const found = new Set<ScopeItem>();
    for (const item of this.#scopesByName.get(space.name) ?? []) {
      if (scopeHolds(item.scope, space)) found.add(item);
    }
    // The name is known even where the labels are not.
    const known = space.labels ?? { [NAMESPACE_NAME_LABEL]: space.name };
    for (const item of this.#scopeAnchors.candidates(known)) {
      if (scopeHolds(item.scope, space)) found.add(item);
    }
    return found;
  }

  #labelSet(labels: Labels): LabelSet {
    const key = labelsKey(labels);
    return at(this.#labelSets, key, () => {
      const labelSet: LabelSet = { key, labels, matched: new Set(), buckets: new Set() };
      for (const podSelector of this.#podAnchors.candidates(labels)) {
        if (!matches(podSelector.selector, labels)) continue;
        labelSet.matched.add(podSelector);
        podSelector.labelSets.add(labelSet);
      }
      for (const name of Object.keys(labels)) {
        const byValue = at(this.#labelSetsByPair, name, () => new Map<string, Set<LabelSet>>());
        at(byValue, labels[name] ?? "", () => new Set<LabelSet>()).add(labelSet);
      }
      return labelSet;
    });
  }

  #dropLabelSet(labelSet: LabelSet): void {
    this.#labelSets.delete(labelSet.key);
    for (const podSelector of labelSet.matched) podSelector.labelSets.delete(labelSet);
    for (const name of Object.keys(labelSet.labels)) {
      const byValue = this.#labelSetsByPair.get(name);
      const value = labelSet.labels[name] ?? "";
      const found = byValue?.get(value);
      found?.delete(labelSet);
      if (found?.size === 0) byValue?.delete(value);
      if (byValue?.size === 0) this.#labelSetsByPair.delete(name);
    }
  }

  #group({ scope, pods }: Selection): Group {
    const scopeItem = this.#scopeItem(scope);
    const podSelector = this.#podSelector(pods);
    return at(podSelector.groups, scopeItem, () => {
      const group: Group = { scope: scopeItem, podSelector, keys: new Set(), buckets: new Set() };
      scopeItem.groups.set(podSelector, group);
      for (const bucket of bucketsIn(scopeItem, podSelector)) {
        group.buckets.add(bucket);
        bucket.groups.add(group);
      }
      return group;
    });
  }

  #dropGroupIfUnused(group: Group): void {
    if (group.keys.size > 0) return;
    const { scope, podSelector } = group;
    for (const bucket of group.buckets) bucket.groups.delete(group);
    podSelector.groups.delete(scope);
    scope.groups.delete(podSelector);
    if (podSelector.groups.size === 0) {
      this.#podSelectors.delete(podSelector.key);
      this.#podAnchors.remove(podSelector.selector, podSelector);
      for (const labelSet of podSelector.labelSets) labelSet.matched.delete(podSelector);
    }
    if (scope.groups.size === 0) this.#dropScope(scope);
  }

  #podSelector(selector: Selector): PodSelector {
    const key = canonicalSelector(selector);
    return at(this.#podSelectors, key, () => {
      const item: PodSelector = { key, selector, labelSets: new Set(), groups: new Map() };
      this.#podAnchors.add(selector, item);
      for (const labelSet of this.#labelSetsFor(selector)) {
        if (!matches(selector, labelSet.labels)) continue;
        labelSet.matched.add(item);
        item.labelSets.add(labelSet);
      }
      return item;
    });
  }

  /**
   * The label sets that may match: by the first `In` requirement, else all.
   * @yields each of them
   */
  *#labelSetsFor(selector: Selector): Generator<LabelSet, void, undefined> {
    const anchor = selector.requirements.find(({ operator }) => operator === "In");
    if (anchor === undefined) {
      yield* this.#labelSets.values();
      return;
    }
    const byValue = this.#labelSetsByPair.get(anchor.key);
    for (const value of new Set(anchor.values)) yield* byValue?.get(value) ?? [];
  }

  #scopeItem(scope: Scope): ScopeItem {
    const key = canonicalScope(scope);
    return at(this.#scopes, key, () => {
      const item: ScopeItem = { key, scope, spaces: new Set(), groups: new Map() };
      const { namespaces } = scope;
      if (namespaces.kind === "named") {
        at(this.#scopesByName, namespaces.name, () => new Set<ScopeItem>()).add(item);
      } else {
        this.#scopeAnchors.add(namespaces.selector, item);
      }
      for (const space of this.#spaces.values()) {
        if (!scopeHolds(scope, space)) continue;
        item.spaces.add(space);
        space.matched.add(item);
      }
      return item;
    });
  }

  #dropScope(item: ScopeItem): void {
    this.#scopes.delete(item.key);
    for (const space of item.spaces) space.matched.delete(item);
    const { namespaces } = item.scope;
    if (namespaces.kind === "selected") {
      this.#scopeAnchors.remove(namespaces.selector, item);
      return;
    }
    const named = this.#scopesByName.get(namespaces.name);
    named?.delete(item);
    if (named?.size === 0) this.#scopesByName.delete(namespaces.name);
  }
}

function spaceKey(cluster: ClusterName, name: string): string {
  return `${cluster}/${name}`;
}

/** Equal texts for equal labels. NUL and SOH are in no label. */
function labelsKey(labels: Labels): string {
  const keys = Object.keys(labels);
  if (keys.length > 1) keys.sort();
  let text = "";
  for (const key of keys) text += `${key}\u0001${labels[key] ?? ""}\u0000`;
  return text;
}

/** Whether a scope holds a namespace for certain. Unknown labels are no match. */
function scopeHolds({ clusters, namespaces }: Scope, space: Space): boolean {
  if (!clusters.has(space.cluster)) return false;
  if (namespaces.kind === "named") return namespaces.name === space.name;
  if (space.labels !== undefined) return matches(namespaces.selector, space.labels);
  return matchesKnown(namespaces.selector, { [NAMESPACE_NAME_LABEL]: space.name }) === "yes";
}

/** The groups of a bucket: walks the smaller side of the join for each matching pod selector. */
function joined(space: Space, labelSet: LabelSet): Set<Group> {
  const found = new Set<Group>();
  for (const { groups } of labelSet.matched) {
    if (groups.size <= space.matched.size) {
      for (const [scope, group] of groups) if (space.matched.has(scope)) found.add(group);
    } else {
      for (const scope of space.matched) {
        const group = groups.get(scope);
        if (group !== undefined) found.add(group);
      }
    }
  }
  return found;
}

/**
 * The buckets of a new group: again from the smaller side.
 * @yields each of them
 */
function* bucketsIn(
  scope: ScopeItem,
  podSelector: PodSelector,
): Generator<Bucket, void, undefined> {
  let inScope = 0;
  for (const space of scope.spaces) inScope += space.buckets.size;
  if (inScope <= podSelector.labelSets.size) {
    for (const space of scope.spaces) {
      for (const bucket of space.buckets.values()) {
        if (podSelector.labelSets.has(bucket.labelSet)) yield bucket;
      }
    }
    return;
  }
  for (const labelSet of podSelector.labelSets) {
    for (const bucket of labelSet.buckets) if (scope.spaces.has(bucket.space)) yield bucket;
  }
}
