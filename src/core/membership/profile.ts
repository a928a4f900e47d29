import { parseClusterName } from "../model/names.ts";
import type { PodRecord } from "../model/pod.ts";
import type { SetId } from "./set-id.ts";

/** Labels or annotations of an object. */
export type Labels = Readonly<Record<string, string>>;

/** How pods opt in and how sets are labelled: one generation of the predecessor's conventions (calico.md 2.1). */
export interface LabelProfile {
  /** The set that `pod` asks to be in, unchecked, or undefined. */
  readonly setNameOf: (pod: PodRecord) => string | undefined;
  /** The labels of the object that holds set `id`. */
  readonly labelsOf: (id: SetId) => Labels;
  /** The set that an object with `labels` holds, or undefined when such an object is not ours. */
  readonly ownedId: (labels: Labels) => SetId | undefined;
}

const MANAGED_BY = "managed-by";
const MANAGER = "calico-global-network-sync-operator";
const CLUSTER = "remote-cluster-name";
const NAMESPACE = "namespace";
const NAME = "name";

/** kube-policy-semaphore v0.1.0: opt-in by annotation `annotationKey`, generic label keys on the sets. */
export function legacy2021(annotationKey: string): LabelProfile {
  return {
    setNameOf: (pod) => pod.annotations[annotationKey],
    labelsOf: (id) => ({
      [MANAGED_BY]: MANAGER,
      [CLUSTER]: id.cluster,
      [NAME]: id.name,
      [NAMESPACE]: id.namespace,
    }),
    ownedId: (labels) => {
      const cluster = parseClusterName(labels[CLUSTER] ?? "");
      const namespace = labels[NAMESPACE];
      const name = labels[NAME];
      return labels[MANAGED_BY] !== MANAGER ||
        cluster === undefined ||
        namespace === undefined ||
        name === undefined
        ? undefined
        : { cluster, namespace, name };
    },
  };
}
