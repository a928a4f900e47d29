import { arrayAt, objectAt, stringAt, type JsonObject } from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Cluster } from "./cluster.ts";

/** Services get addresses from 10.96.0.0/16 (10.96.0.1 on). */
const PREFIX = "10.96";

/** Gives a Service a free cluster address when it needs one and has none. `object` is changed. */
export function assignClusterIp(cluster: Cluster, kind: Kind, object: JsonObject): void {
  const spec = objectAt(object, "spec");
  if (spec["type"] === "ExternalName" || stringAt(spec, "clusterIP") !== "") return;
  const used = new Set(
    cluster.store
      .collection(kind.storage)
      .now("")
      .flatMap((stored) => arrayAt(objectAt(stored.object(), "spec"), "clusterIPs")),
  );
  for (let index = 1; index < 65_535; index++) {
    const ip = `${PREFIX}.${index >> 8}.${index & 255}`;
    if (used.has(ip)) continue;
    spec["clusterIP"] = ip;
    spec["clusterIPs"] = [ip];
    return;
  }
}
