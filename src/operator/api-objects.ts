/** The version of every object here; the schemas are docs/schemas/status.json, network-set.json and network-set-list.json. */
export const API_VERSION = "wayleave.dev/v1alpha1";

/** How one remote cluster is doing. Times are RFC 3339, null when unknown. */
export interface RemoteStatus {
  readonly name: string;
  /** `Synced`, or why not: `Connecting`, `Stale` and so on. */
  readonly link: string;
  readonly lastEventTime: string | null;
  readonly lastEventAgeSeconds: number | null;
  /** From a pod's change as seen on the watch until its set was written, of the last 1000 writes. */
  readonly lagP99Seconds: number | null;
  /** Pods that the label selector matches. */
  readonly pods: number;
  /** Sets with at least one member. */
  readonly sets: number;
  /** Addresses in those sets. */
  readonly members: number;
  /** Entries whose removal waits until a second list agrees. */
  readonly held: number;
  readonly credentialExpirationTime: string | null;
  /** What is the matter; "" when nothing is. */
  readonly message: string;
}

/** What `wayleave status -o json` prints. */
export interface Status {
  readonly apiVersion: string;
  readonly kind: "Status";
  /** When it was true. */
  readonly time: string;
  readonly version: string;
  /** The operator that told it; null when it was computed from the clusters. */
  readonly operator: { readonly role: Role; readonly startTime: string } | null;
  readonly local: {
    readonly ok: boolean;
    /** Where sets are written, e.g. `projectcalico.org/v3`. */
    readonly apiGroup: string | null;
    readonly message: string;
  };
  readonly remotes: readonly RemoteStatus[];
  /** Clusters that are not configured and whose sets are there; they are left as they are. */
  readonly orphans: readonly { readonly cluster: string; readonly sets: number }[];
}

/** Whether this process writes. */
export type Role = "leader" | "standby";

/** A pod that owns an address. Its name is `cluster/namespace/name`. */
export interface OwnerView {
  readonly pod: string;
  readonly uid: string;
  readonly node: string;
  /** The pod's phase, or `Terminating`. */
  readonly phase: string;
  /** Since when it is known to have the address; null when nobody watched. */
  readonly since: string | null;
}

/** A pod that owned an address before. */
export interface PreviousOwnerView {
  readonly pod: string;
  readonly uid: string;
  readonly since: string;
  readonly until: string;
}

/** One member of a set. */
export interface NetView {
  readonly net: string;
  /** Whether two clusters claim it, so that it is in no set. */
  readonly contested: boolean;
  /** Empty for one that is only held until a second list agrees. */
  readonly owners: readonly OwnerView[];
  /** The latest first, of a bounded history. */
  readonly previousOwners: readonly PreviousOwnerView[];
}

/** What lacks between an object and what it should be. */
export interface DifferenceView {
  readonly object: string;
  /** `conflict`: an object of that name exists and is not ours. */
  readonly change: "create" | "replace" | "delete" | "conflict";
  /** What differs, e.g. `members`, `labels`. */
  readonly reason: string;
  /** Addresses that should be there and are not. */
  readonly missing: readonly string[];
  /** Addresses that are there and should not be. */
  readonly surplus: readonly string[];
}

/** `Unknown`: its cluster was not seen whole yet, so nothing is concluded. `Orphaned`: its cluster is not configured. */
export type SetState = "InSync" | "Differs" | "Conflict" | "Empty" | "Unknown" | "Orphaned";

/** One set, as it should be and as it is. */
export interface NetworkSetView {
  readonly apiVersion: string;
  readonly kind: "NetworkSet";
  /** The name of its first object. */
  readonly metadata: { readonly name: string };
  readonly cluster: string;
  readonly namespace: string;
  readonly set: string;
  readonly state: SetState;
  /** When it was last written by this operator; null when that was before its start. */
  readonly writtenTime: string | null;
  /** The GlobalNetworkSets that hold it in the local cluster. */
  readonly objects: readonly {
    readonly name: string;
    readonly shard: number;
    readonly members: number;
    /** Since when it is empty. */
    readonly emptySince: string | null;
  }[];
  /** Its members as they should be; as they are where that is not known. */
  readonly nets: readonly NetView[];
  readonly differences: readonly DifferenceView[];
}

/** What `wayleave sets -o json` prints. */
export interface NetworkSetListView {
  readonly apiVersion: string;
  readonly kind: "NetworkSetList";
  readonly items: readonly NetworkSetView[];
}
