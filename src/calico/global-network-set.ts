import type { Labels } from "../core/membership/profile.ts";
import { parseSetKey } from "../core/membership/set-id.ts";
import { Fault } from "../core/model/fault.ts";
import type { ActualSet, DesiredSet } from "../core/plan/plan-set.ts";

/** The API groups that can serve GlobalNetworkSets (calico.md 1.1). */
export type CalicoGroup = "projectcalico.org/v3" | "crd.projectcalico.org/v1";

/** The groups in the order in which they are preferred. */
export const CALICO_GROUPS: readonly CalicoGroup[] = [
  "projectcalico.org/v3",
  "crd.projectcalico.org/v1",
];

/** The resource's plural, as in its URL. */
export const PLURAL = "globalnetworksets";

/** The path of the collection under `group`. */
export function collectionPath(group: CalicoGroup): string {
  return `/apis/${group}/${PLURAL}`;
}

/** The annotation that says since when a set is empty, RFC 3339. */
export const EMPTY_SINCE = "wayleave.dev/empty-since";

type Json = Readonly<Record<string, unknown>>;

/** The annotation that names the set which an object holds: `cluster/namespace/set`. */
export const OWNER = "wayleave.dev/owner";

/** The annotation that numbers a set's objects from the second on. */
export const SHARD = "wayleave.dev/shard";

/** Metadata of others that a PUT without them would remove. */
const CARRIED = ["finalizers", "ownerReferences"] as const;

function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function asTexts(value: unknown): Labels {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

/** A GlobalNetworkSet as the server sent it. Fails with code `malformed` when it has no name or resourceVersion. */
export function decodeSet(value: unknown): ActualSet {
  const object = asObject(value);
  const metadata = asObject(object["metadata"]);
  const nets = asObject(object["spec"])["nets"];
  const {
    [EMPTY_SINCE]: since,
    [OWNER]: owner,
    [SHARD]: shard,
    ...annotations
  } = asTexts(metadata["annotations"]);
  const emptySince = Date.parse(since ?? "");
  const set: ActualSet = {
    name: asText(metadata["name"]),
    uid: asText(metadata["uid"]),
    resourceVersion: asText(metadata["resourceVersion"]),
    owner: parseSetKey(owner ?? ""),
    shard: /^[1-9]\d{0,5}$/.test(shard ?? "") ? Number(shard) : 1,
    labels: asTexts(metadata["labels"]),
    annotations,
    nets: Array.isArray(nets) ? nets.map(String) : [],
    emptySince: Number.isNaN(emptySince) ? undefined : emptySince,
    carried: Object.fromEntries(
      CARRIED.filter((key) => key in metadata).map((key) => [key, metadata[key]]),
    ),
  };
  if (set.name === "" || set.resourceVersion === "") {
    throw new Fault(
      "malformed",
      `decode GlobalNetworkSet ${JSON.stringify(set.name)}: it has no ${set.name === "" ? "metadata.name" : "metadata.resourceVersion"}`,
    );
  }
  return set;
}

function annotationsOf(set: DesiredSet | ActualSet): Labels {
  const kept = "annotations" in set ? set.annotations : {};
  const since = "emptySince" in set ? set.emptySince : undefined;
  return {
    ...kept,
    ...(set.owner === undefined ? {} : { [OWNER]: set.owner }),
    ...(set.shard === 1 ? {} : { [SHARD]: String(set.shard) }),
    ...(since === undefined
      ? {}
      : { [EMPTY_SINCE]: new Date(since).toISOString().replace(/\.\d+/, "") }),
  };
}

/** The body of a create, or of an update when `set` was read from the server. */
export function encodeSet(group: CalicoGroup, set: DesiredSet | ActualSet): Json {
  const identity =
    "uid" in set ? { ...set.carried, uid: set.uid, resourceVersion: set.resourceVersion } : {};
  return {
    apiVersion: group,
    kind: "GlobalNetworkSet",
    metadata: { ...identity, name: set.name, labels: set.labels, annotations: annotationsOf(set) },
    spec: { nets: set.nets },
  };
}
