import { isDnsLabel, isDnsSubdomain, parseClusterName } from "../model/names.ts";
import type { PodRecord } from "../model/pod.ts";
import type { SetId } from "./set-id.ts";

/** Labels or annotations of an object. */
export type Labels = Readonly<Record<string, string>>;

/** The conventions by which pods opt in and sets are labelled. */
export const PROFILE_NAMES = ["legacy-2021", "semaphore", "both", "wayleave"] as const;

/** One of PROFILE_NAMES. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** How pods opt in and how sets are labelled. */
export interface LabelProfile {
  /** The label selector of the pods to watch; "" for all. */
  readonly selector: string;
  /** The sets that `pod` asks to be in, unchecked; empty strings and repeats are possible. */
  readonly setNamesOf: (pod: PodRecord) => readonly string[];
  /** The labels of the object that holds set `id`. */
  readonly labelsOf: (id: SetId) => Labels;
}

/** Where a generation of the predecessor, or we, write a set's identity. */
interface Family {
  readonly manager: readonly [key: string, values: readonly string[]];
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

const MANAGED_BY = "managed-by";
const LEGACY_MANAGER = "calico-global-network-sync-operator";
const SEMAPHORE_MANAGER = "semaphore-policy";
/** Every manager of the predecessor's six generations (calico.md 2.1). */
const PREDECESSORS = [LEGACY_MANAGER, "kube-policy-semaphore", SEMAPHORE_MANAGER] as const;
const PREDECESSOR = [MANAGED_BY, PREDECESSORS] as const;

function prefixed(prefix: string, manager: Family["manager"], name = "name"): Family {
  return {
    manager,
    cluster: `${prefix}cluster`,
    namespace: `${prefix}namespace`,
    name: `${prefix}${name}`,
  };
}

const LEGACY: Family = {
  manager: PREDECESSOR,
  cluster: "remote-cluster-name",
  namespace: "namespace",
  name: "name",
};
/** Of March 2021; later the predecessor's own example policy still selected it. */
const CLUSTER_PREFIX = "remote-cluster-prefix";
const SEMAPHORE = prefixed("policy.semaphore.uw.io/", PREDECESSOR);
const WAYLEAVE = prefixed("wayleave.dev/", ["app.kubernetes.io/managed-by", ["wayleave"]], "set");

const FAMILIES: readonly Family[] = [
  WAYLEAVE,
  SEMAPHORE,
  prefixed("semaphore.uw.systems/", PREDECESSOR),
  // Misspelt for some hours of 2021.
  prefixed("semaphore.uw.system/", PREDECESSOR),
  LEGACY,
  { ...LEGACY, cluster: CLUSTER_PREFIX },
];

/** Every label key that some generation puts on its sets; on an object of ours, those of other generations are retired. */
export const FAMILY_KEYS: ReadonlySet<string> = new Set(
  FAMILIES.flatMap(({ manager, cluster, namespace, name }) => [
    manager[0],
    cluster,
    namespace,
    name,
  ]),
);

const PREDECESSOR_FAMILIES = FAMILIES.filter(({ manager }) => manager === PREDECESSOR);
const LEGACY_FAMILIES = PREDECESSOR_FAMILIES.filter(({ name }) => name === LEGACY.name);

const FAMILIES_OF: Readonly<Record<ProfileName, readonly Family[]>> = {
  "legacy-2021": LEGACY_FAMILIES,
  semaphore: PREDECESSOR_FAMILIES.filter((family) => !LEGACY_FAMILIES.includes(family)),
  both: PREDECESSOR_FAMILIES,
  wayleave: [WAYLEAVE],
};

/**
 * The set that an object with `labels` holds, of whatever generation, or only of those whose labels are of `profile`'s
 * kind; undefined when it is none of ours.
 */
export function ownedId(labels: Labels, profile?: ProfileName): SetId | undefined {
  for (const family of profile === undefined ? FAMILIES : FAMILIES_OF[profile]) {
    const [key, managers] = family.manager;
    const manager = labels[key];
    const cluster = parseClusterName(labels[family.cluster] ?? "");
    const namespace = labels[family.namespace];
    const name = labels[family.name];
    if (manager === undefined || !managers.includes(manager) || cluster === undefined) continue;
    if (namespace === undefined || !isDnsLabel(namespace)) continue;
    if (name === undefined || !isDnsSubdomain(name)) continue;
    return { cluster, namespace, name };
  }
  return undefined;
}

function familyLabels(family: Family, manager: string, id: SetId): Labels {
  return {
    [family.manager[0]]: manager,
    [family.cluster]: id.cluster,
    [family.namespace]: id.namespace,
    [family.name]: id.name,
  };
}

const OPT_IN = "uw.systems/networksets";

function legacyLabels(id: SetId): Labels {
  return { ...familyLabels(LEGACY, LEGACY_MANAGER, id), [CLUSTER_PREFIX]: id.cluster };
}

function semaphoreLabels(id: SetId): Labels {
  return familyLabels(SEMAPHORE, SEMAPHORE_MANAGER, id);
}

function named(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

/**
 * The profile called `name`. `annotation` is the one that names a pod's set in the legacy way;
 * `selector`, when given, takes the place of the profile's own.
 */
export function labelProfile(
  name: ProfileName,
  annotation: string,
  selector: string | undefined,
): LabelProfile {
  const byAnnotation = (pod: PodRecord): readonly string[] => named(pod.annotations[annotation]);
  const bySemaphore = (pod: PodRecord): readonly string[] => named(pod.labels[SEMAPHORE.name]);
  switch (name) {
    case "legacy-2021":
      return {
        selector: selector ?? `${OPT_IN}=true`,
        setNamesOf: byAnnotation,
        labelsOf: legacyLabels,
      };
    case "semaphore":
      return {
        selector: selector ?? SEMAPHORE.name,
        setNamesOf: bySemaphore,
        labelsOf: semaphoreLabels,
      };
    case "both":
      return {
        // No selector can say "either label", so all pods come and the opt-in is looked at here.
        selector: selector ?? "",
        setNamesOf: (pod) => [
          ...(selector !== undefined || pod.labels[OPT_IN] === "true" ? byAnnotation(pod) : []),
          ...bySemaphore(pod),
        ],
        labelsOf: (id) => ({ ...legacyLabels(id), ...semaphoreLabels(id) }),
      };
    case "wayleave":
      return {
        selector: selector ?? WAYLEAVE.name,
        setNamesOf: (pod) => named(pod.labels[WAYLEAVE.name]),
        labelsOf: (id) => familyLabels(WAYLEAVE, "wayleave", id),
      };
    default:
      return name satisfies never;
  }
}
