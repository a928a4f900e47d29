import { SelectionIndex } from "../../core/grouping/selection-index.ts";
import {
  canonicalScope,
  type PodKey,
  type Selection,
  type SelectionKey,
} from "../../core/grouping/selection.ts";
import type { ClusterName } from "../../core/model/names.ts";
import { podPath } from "../../core/policy/facts.ts";
import { selectionOfPeer } from "../../core/policy/selections.ts";
import type { ResolvedPeer, View } from "../../core/policy/view.ts";
import type { World } from "../../core/policy/world.ts";
import { NAMESPACE_NAME_LABEL } from "../../core/selector/labels.ts";
import { canonicalSelector } from "../../core/selector/selector.ts";

/** Who is selected, for thousands of peers over thousands of pods: the index of one view. */
export class Population {
  readonly #index = new SelectionIndex();
  readonly #known = new Set<SelectionKey>();
  /** Clusters of which at least one pod was read. */
  readonly #read = new Set<ClusterName>();
  /** Whether the labels of some pod's namespace are unknown: then "nobody" cannot be said for sure. */
  #hasUnknown = false;

  constructor(world: World, view: View) {
    for (const { name, namespaces, pods } of world.facts.clusters) {
      if (pods.length > 0) this.#read.add(name);
      for (const [namespace, labels] of namespaces) {
        this.#index.setNamespace(name, namespace, { ...labels, [NAMESPACE_NAME_LABEL]: namespace });
      }
    }
    for (const fact of world.pods) {
      const isSelectable =
        fact.ips.length === 0
          ? fact.isOnPodNetwork
          : fact.ips.some((ip) => view.ownersOf(ip).includes(fact));
      if (!isSelectable) continue;
      const { cluster, labels } = fact;
      this.#hasUnknown ||= fact.namespaceLabels === undefined;
      this.#index.setPod(podPath(fact) as PodKey, {
        cluster,
        namespace: fact.pod.namespace,
        labels,
      });
    }
  }

  /** Whether a selector peer surely names nobody at present. Not said of clusters whose pods were not read. */
  isEmpty(peer: ResolvedPeer): boolean {
    const selection = selectionOfPeer(peer);
    return selection !== undefined && this.isEmptySelection(selection);
  }

  /** As `isEmpty`. */
  isEmptySelection(selection: Selection): boolean {
    const { clusters, namespaces } = selection.scope;
    if (clusters.size === 0 || ![...clusters].every((name) => this.#read.has(name))) return false;
    if (this.#hasUnknown && namespaces.kind === "selected") return false;
    return this.#pods(selection).next().done === true;
  }

  /** How many pods a peer names, and one of them. */
  count(peer: ResolvedPeer): { readonly count: number; readonly example: string | undefined } {
    const selection = selectionOfPeer(peer);
    const [...pods] = selection === undefined ? [] : this.#pods(selection);
    return { count: pods.length, example: pods[0] };
  }

  #pods(selection: Selection): Generator<PodKey, void, undefined> {
    const key =
      `${canonicalScope(selection.scope)} ${canonicalSelector(selection.pods)}` as SelectionKey;
    if (!this.#known.has(key)) {
      this.#known.add(key);
      this.#index.setSelection(key, selection);
    }
    return this.#index.podsIn(key);
  }
}
