import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { PodKey, Selection, SelectionKey } from "../../../../src/core/grouping/selection.ts";
import { SelectionIndex, type IndexedPod } from "../../../../src/core/grouping/selection-index.ts";
import type { ClusterName } from "../../../../src/core/model/names.ts";
import { matches, matchesKnown, type Requirement } from "../../../../src/core/selector/selector.ts";

const clusters = fc.constantFrom("a", "b") as fc.Arbitrary<ClusterName>;
const names = fc.constantFrom("x", "y");
const values = fc.constantFrom("1", "2");
const keys = fc.constantFrom("k", "l");
const labels = fc.dictionary(keys, values, { maxKeys: 2, noNullPrototype: true });
const nameLabel = "kubernetes.io/metadata.name";

const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: keys,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.array(values, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    key: keys,
    operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
    values: fc.constant([]),
  }),
);
const selector = fc.record({ requirements: fc.array(requirement, { maxLength: 2 }) });
const spaceSelector = fc.oneof(
  selector,
  names.map((name) => ({
    requirements: [{ key: nameLabel, operator: "In" as const, values: [name] }],
  })),
);
const selection: fc.Arbitrary<Selection> = fc.record({
  scope: fc.record({
    clusters: fc.subarray(["a", "b"] as ClusterName[]).map((list) => new Set(list)),
    namespaces: fc.oneof(
      fc.record({ kind: fc.constant("named" as const), name: names }),
      fc.record({ kind: fc.constant("selected" as const), selector: spaceSelector }),
    ),
  }),
  pods: selector,
});

type Step =
  | { readonly kind: "pod"; readonly key: PodKey; readonly pod: IndexedPod | undefined }
  | {
      readonly kind: "namespace";
      readonly cluster: ClusterName;
      readonly name: string;
      readonly labels: Record<string, string> | undefined;
    }
  | {
      readonly kind: "selection";
      readonly key: SelectionKey;
      readonly selection: Selection | undefined;
    };

const podKeys = fc.constantFrom("p1", "p2", "p3", "p4") as fc.Arbitrary<PodKey>;
const selectionKeys = fc.constantFrom("s1", "s2", "s3") as fc.Arbitrary<SelectionKey>;
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 4 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pod" as const),
      key: podKeys,
      pod: maybe(fc.record({ cluster: clusters, namespace: names, labels })),
    }),
  },
  fc.record({
    kind: fc.constant("namespace" as const),
    cluster: clusters,
    name: names,
    labels: maybe(labels),
  }),
  fc.record({
    kind: fc.constant("selection" as const),
    key: selectionKeys,
    selection: maybe(selection),
  }),
);

/** The same by trying every pod against every selection. */
class NestedLoop {
  readonly pods = new Map<PodKey, IndexedPod>();
  readonly spaces = new Map<string, Record<string, string>>();
  readonly selections = new Map<SelectionKey, Selection>();

  apply(each: Step): void {
    if (each.kind === "pod") set(this.pods, each.key, each.pod);
    else if (each.kind === "selection") set(this.selections, each.key, each.selection);
    else set(this.spaces, `${each.cluster}/${each.name}`, withName(each));
  }

  members(): Record<string, string[]> {
    return Object.fromEntries(
      [...this.selections].map(([key, wanted]) => [
        key,
        [...this.pods]
          .flatMap(([pod, facts]) => (this.#holds(wanted, facts) ? [pod] : []))
          .toSorted(),
      ]),
    );
  }

  #holds({ scope, pods }: Selection, pod: IndexedPod): boolean {
    if (!scope.clusters.has(pod.cluster) || !matches(pods, pod.labels)) return false;
    const { namespaces } = scope;
    if (namespaces.kind === "named") return namespaces.name === pod.namespace;
    const known = this.spaces.get(`${pod.cluster}/${pod.namespace}`);
    return known === undefined
      ? matchesKnown(namespaces.selector, { [nameLabel]: pod.namespace }) === "yes"
      : matches(namespaces.selector, known);
  }
}

function withName(each: Extract<Step, { kind: "namespace" }>): Record<string, string> | undefined {
  return each.labels === undefined ? undefined : { ...each.labels, [nameLabel]: each.name };
}

function set<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function applyTo(index: SelectionIndex, each: Step): void {
  if (each.kind === "pod") {
    if (each.pod === undefined) index.removePod(each.key);
    else index.setPod(each.key, each.pod);
  } else if (each.kind === "selection") {
    if (each.selection === undefined) index.removeSelection(each.key);
    else index.setSelection(each.key, each.selection);
  } else {
    const known = withName(each);
    if (known === undefined) index.removeNamespace(each.cluster, each.name);
    else index.setNamespace(each.cluster, each.name, known);
  }
}

function membersOf(
  index: SelectionIndex,
  selections: Iterable<SelectionKey>,
): Record<string, string[]> {
  return Object.fromEntries([...selections].map((key) => [key, [...index.podsIn(key)].toSorted()]));
}

test("the index is the nested loop after every step, tells each change once, and empties", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const told = new Map<SelectionKey, Set<PodKey>>();
      const index = new SelectionIndex((key, pod, change) => {
        const members = told.get(key) ?? new Set();
        told.set(key, members);
        expect(members.has(pod)).toBe(change === "left");
        if (change === "entered") members.add(pod);
        else members.delete(pod);
      });
      const naive = new NestedLoop();
      for (const each of steps) {
        applyTo(index, each);
        naive.apply(each);
        const members = naive.members();
        expect(membersOf(index, naive.selections.keys())).toEqual(members);
        for (const [key, pods] of Object.entries(members)) {
          expect([...(told.get(key as SelectionKey) ?? [])].toSorted()).toEqual(pods);
        }
        for (const pod of naive.pods.keys()) {
          const held = Object.keys(members).filter((key) => members[key]?.includes(pod) === true);
          expect([...index.selectionsOf(pod)].toSorted()).toEqual(held.toSorted());
        }
      }
      for (const key of naive.pods.keys()) index.removePod(key);
      for (const key of naive.selections.keys()) index.removeSelection(key);
      for (const path of naive.spaces.keys()) {
        const [cluster = "", name = ""] = path.split("/");
        index.removeNamespace(cluster as ClusterName, name);
      }
      expect([index.size, [...told.values()].flatMap((pods) => [...pods])]).toEqual([0, []]);
    }),
    { numRuns: 1000 },
  );
});
