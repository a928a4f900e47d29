/** The profiles of `--label-profile`: which labels the managed sets carry, and how pods opt in. */
export interface SetLabels {
  /** Keys that say whose set it is, the ones to select on. */
  readonly primary: readonly string[];
  /** Keys that are carried for older policies, each with the primary key of the same value. */
  readonly compatible: Readonly<Record<string, string>>;
  readonly managedBy: { readonly key: string; readonly value: string };
  /** Label or annotation keys by which a pod asks to be in a set. */
  readonly optIn: readonly string[];
}

const LEGACY: SetLabels = {
  primary: ["remote-cluster-name", "namespace", "name"],
  compatible: { "remote-cluster-prefix": "remote-cluster-name" },
  managedBy: { key: "managed-by", value: "calico-global-network-sync-operator" },
  optIn: ["uw.systems/networksets", "uw.systems/networkset-name"],
};

const SEMAPHORE: SetLabels = {
  primary: [
    "policy.semaphore.uw.io/cluster",
    "policy.semaphore.uw.io/namespace",
    "policy.semaphore.uw.io/name",
  ],
  compatible: {},
  managedBy: { key: "managed-by", value: "semaphore-policy" },
  optIn: ["policy.semaphore.uw.io/name"],
};

/** What sets carry under each profile. */
export const SET_LABELS: Readonly<
  Record<"legacy-2021" | "semaphore" | "both" | "wayleave", SetLabels>
> = {
  "legacy-2021": LEGACY,
  semaphore: SEMAPHORE,
  both: {
    primary: [...SEMAPHORE.primary, ...LEGACY.primary],
    compatible: LEGACY.compatible,
    managedBy: SEMAPHORE.managedBy,
    optIn: [...LEGACY.optIn, ...SEMAPHORE.optIn],
  },
  wayleave: {
    primary: ["wayleave.dev/cluster", "wayleave.dev/namespace", "wayleave.dev/set"],
    compatible: {},
    managedBy: { key: "app.kubernetes.io/managed-by", value: "wayleave" },
    optIn: ["wayleave.dev/set"],
  },
};

/** A profile's name. */
export type LabelProfileName = keyof typeof SET_LABELS;

/** Values of `managed-by` that any generation wrote. */
export const MANAGERS: readonly string[] = [
  "calico-global-network-sync-operator",
  "kube-policy-semaphore",
  "semaphore-policy",
  "wayleave",
];

/** Whether only a managed set, of whatever generation, would carry a label of this key. */
export function isSetKey(key: string): boolean {
  return /^(remote-cluster-|semaphore\.uw\.systems?\/|policy\.semaphore\.uw\.io\/|wayleave\.dev\/)/.test(
    key,
  );
}
