import type { Cluster } from "../api/cluster.ts";
import {
  AGGREGATED,
  aggregated,
  coreVersions,
  groupList,
  isKubernetesGroup,
  oneGroup,
  paths,
  resourceList,
  versionInfo,
  wantsAggregated,
} from "../api/discovery.ts";
import { noSuchResource, notSimulated } from "../api/errors.ts";
import { openApiDocument, openApiIndex, openApiV2 } from "../api/openapi.ts";
import type { JsonObject } from "../json.ts";
import type { Reply } from "./reply.ts";
import { sendDocument, sendText } from "./respond.ts";

/** Answers a path that names no resource: discovery, OpenAPI, health, version. `address` is the server's. */
export function sendPath(
  cluster: Cluster,
  path: string,
  accept: string,
  reply: Reply,
  address: string,
): void {
  const { registry } = cluster;
  const parts = path.split("/").filter((part) => part !== "");
  const [first, second = "", third = ""] = parts;
  if (["healthz", "livez", "readyz"].includes(first ?? "")) sendText(reply, 200, "ok");
  else if (path === "/version") sendDocument(reply, versionInfo());
  else if (path === "/") sendDocument(reply, paths(registry));
  else if ((first === "api" || first === "apis") && parts.length === 1) {
    if (wantsAggregated(accept))
      sendDocument(reply, aggregated(registry, first === "api"), AGGREGATED, { Vary: "Accept" });
    else sendDocument(reply, first === "api" ? coreVersions(address) : groupList(registry));
  } else if (first === "api" && parts.length === 2)
    sendFound(reply, "", resourceList(registry, "", second));
  else if (first === "apis" && parts.length === 2)
    sendFound(reply, second, oneGroup(registry, second));
  else if (first === "apis" && parts.length === 3)
    sendFound(reply, second, resourceList(registry, second, third));
  else if (first === "openapi") openApi(cluster, parts.slice(1), accept, reply);
  else if (first === "api" || first === "apis") throw noSuchResource();
  else sendText(reply, 404, "404 page not found\n");
}

function sendFound(reply: Reply, group: string, document: JsonObject | undefined): void {
  if (document !== undefined) sendDocument(reply, document);
  else if (isKubernetesGroup(group)) throw notSimulated(`the API group ${group}`);
  else sendText(reply, 404, "404 page not found\n");
}

function openApi(cluster: Cluster, parts: readonly string[], accept: string, reply: Reply): void {
  const { registry, schema } = cluster;
  const [version, root, group = "", name = ""] = parts;
  const readable = accept === "" || accept.includes("json") || accept.includes("*/*");
  if (!readable) throw notSimulated(`OpenAPI as ${accept}`);
  if (version === "v2" && parts.length === 1) sendDocument(reply, openApiV2(registry, schema));
  else if (version === "v3" && parts.length === 1)
    sendDocument(reply, openApiIndex(registry, schema));
  else if (version === "v3")
    sendFound(
      reply,
      "",
      root === "api"
        ? openApiDocument(registry, schema, "", group)
        : openApiDocument(registry, schema, group, name),
    );
  else sendText(reply, 404, "404 page not found\n");
}
