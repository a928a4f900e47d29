import type { Labels } from "../core/membership/profile.ts";
import { parseSetKey } from "../core/membership/set-id.ts";
import { Fault } from "../core/model/fault.ts";
import type { CalicoGroup } from "../core/plan/calico-mode.ts";
import type { ActualSet, DesiredSet } from "../core/plan/plan-set.ts";
import { asObject, asText, asTexts, type Json } from "./json.ts";

/** The resource's plural, as in its URL. */
export const PLURAL = "globalnetworksets";

/** The path of the collection under `group`. */
export function collectionPath(group: CalicoGroup): string {
  return `/apis/${group}/${PLURAL}`;
}

/** The annotation that says since when a set is empty, RFC 3339. */
export const EMPTY_SINCE = "wayleave.dev/empty-since";

/** The annotation that names the set which an object holds: `cluster/namespace/set`. */
export const OWNER = "wayleave.dev/owner";

/** The annotation that numbers a set's objects from the second on. */
export const SHARD = "wayleave.dev/shard";

/**
 * The annotation of a `crd.projectcalico.org/v1` object that was written through Calico's API server or calicoctl: the
 * metadata of the `projectcalico.org/v3` object as JSON. Calico reads labels and annotations of both places, and these
 * win (libcalico-go, backend/k8s/resources).
 */
const V3_METADATA = "projectcalico.org/metadata";

/** Metadata of others that a PUT without them would remove. */
const CARRIED = ["finalizers", "ownerReferences"] as const;

/** What `carried` of a decoded set holds: everything that is not ours to change and that a PUT must repeat. */
interface Carried {
  readonly metadata: Json;
  /** Fields of the spec besides `nets`. */
  readonly spec: Json;
  /** The parsed V3_METADATA without labels and annotations; undefined where there was none. */
  readonly v3Metadata: Json | undefined;
}

function parsedObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Json)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Labels and annotations of an object, as Calico reads them, and what its V3_METADATA holds besides. */
function visibleMetadata(
  group: CalicoGroup,
  metadata: Json,
): { labels: Labels; annotations: Labels; v3Metadata: Json | undefined } {
  const labels = asTexts(metadata["labels"]);
  const { [V3_METADATA]: text, ...annotations } = asTexts(metadata["annotations"]);
  if (text === undefined) return { labels, annotations, v3Metadata: undefined };
  if (group !== "crd.projectcalico.org/v1") {
    return { labels, annotations: asTexts(metadata["annotations"]), v3Metadata: undefined };
  }
  const parsed = parsedObject(text);
  // Calico rejects the whole object then, so no policy sees its labels; writing it anew makes it whole again.
  if (parsed === undefined) return { labels: {}, annotations, v3Metadata: undefined };
  const { labels: v3Labels, annotations: v3Annotations, ...v3Metadata } = parsed;
  return {
    labels: { ...labels, ...asTexts(v3Labels) },
    annotations: { ...annotations, ...asTexts(v3Annotations) },
    v3Metadata,
  };
}

/**
 * A GlobalNetworkSet as the server sent it under `group`. Fails with code `malformed` when it has no name or
 * resourceVersion. An object of the raw group whose V3_METADATA cannot be parsed has no labels.
 */
export function decodeSet(group: CalicoGroup, value: unknown): ActualSet {
  const object = asObject(value);
  const metadata = asObject(object["metadata"]);
  const { nets, ...spec } = asObject(object["spec"]);
  const { labels, annotations: visible, v3Metadata } = visibleMetadata(group, metadata);
  const { [EMPTY_SINCE]: since, [OWNER]: owner, [SHARD]: shard, ...annotations } = visible;
  const emptySince = Date.parse(since ?? "");
  const carried: Carried = {
    metadata: Object.fromEntries(
      CARRIED.filter((key) => key in metadata).map((key) => [key, metadata[key]]),
    ),
    spec,
    v3Metadata,
  };
  const set: ActualSet = {
    name: asText(metadata["name"]),
    uid: asText(metadata["uid"]),
    resourceVersion: asText(metadata["resourceVersion"]),
    owner: parseSetKey(owner ?? ""),
    shard: /^[1-9]\d{0,5}$/.test(shard ?? "") ? Number(shard) : 1,
    labels,
    annotations,
    nets: Array.isArray(nets) ? nets.map(String) : [],
    emptySince: Number.isNaN(emptySince) ? undefined : emptySince,
    carried: { ...carried },
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

/**
 * The body of a create, or of an update when `set` was read from the server under the same group. Where the object has
 * its metadata in a V3_METADATA too, labels and annotations stand in both places and are equal.
 */
export function encodeSet(group: CalicoGroup, set: DesiredSet | ActualSet): Json {
  const { metadata, spec, v3Metadata } = ("carried" in set ? set.carried : {}) as Partial<Carried>;
  const identity =
    "uid" in set ? { ...metadata, uid: set.uid, resourceVersion: set.resourceVersion } : {};
  const annotations = annotationsOf(set);
  const stash =
    v3Metadata === undefined
      ? {}
      : { [V3_METADATA]: JSON.stringify({ ...v3Metadata, labels: set.labels, annotations }) };
  return {
    apiVersion: group,
    kind: "GlobalNetworkSet",
    metadata: {
      ...identity,
      name: set.name,
      labels: set.labels,
      annotations: { ...annotations, ...stash },
    },
    spec: { ...spec, nets: set.nets },
  };
}
