import { isDnsLabel, isDnsSubdomain, type ClusterName } from "../model/names.ts";

/** Which set: the set `name` that pods of `namespace` in remote `cluster` opted into. */
export interface SetId {
  readonly cluster: ClusterName;
  readonly namespace: string;
  readonly name: string;
}

/** A SetId as one string, unambiguous because none of its parts can hold a `/`. */
export type SetKey = string & { readonly brand: "SetKey" };

/** The key of `id`: `cluster/namespace/name`. */
export function setKey(id: SetId): SetKey {
  return `${id.cluster}/${id.namespace}/${id.name}` as SetKey;
}

/** The id that `key` stands for. */
export function setIdOf(key: SetKey): SetId {
  const [cluster = "", namespace = "", name = ""] = key.split("/");
  return { cluster: cluster as ClusterName, namespace, name };
}

/** The key in `text`, or undefined when it is not `cluster/namespace/name` of valid names. */
export function parseSetKey(text: string): SetKey | undefined {
  const [cluster = "", namespace = "", name = "", ...more] = text.split("/");
  return more.length === 0 && isDnsLabel(cluster) && isDnsLabel(namespace) && isDnsSubdomain(name)
    ? (text as SetKey)
    : undefined;
}

/** The name that the predecessor gave a set's object: `<cluster>-<namespace>-<set>`. */
export function joinedName(id: SetId): string {
  return `${id.cluster}-${id.namespace}-${id.name}`;
}
