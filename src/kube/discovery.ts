import { faultCode } from "../core/model/fault.ts";
import { Fault } from "../core/model/fault.ts";
import type { ApiClient } from "./api-client.ts";
import { asObject, asText } from "./json.ts";

/** A resource that a server serves in one group and version. */
export interface ServedResource {
  /** Plural, as in paths: `globalnetworksets`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/**
 * The resources of `group`/`version` (group "" is the core group), by name; undefined when the server does not serve it.
 * Only a 404 means that: any other failure rejects with its Fault, since nothing is then known
 * (an aggregated API whose server is away answers 503).
 */
export async function discoverResources(
  client: ApiClient,
  group: string,
  version: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ServedResource> | undefined> {
  const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  let body: unknown;
  try {
    const request = { method: "GET", path, ...(signal === undefined ? {} : { signal }) } as const;
    ({ body } = await client.request(request));
  } catch (error) {
    if (faultCode(error) === "not-found") return undefined;
    throw error;
  }
  const resources = asObject(body)?.["resources"];
  if (asObject(body)?.["kind"] !== "APIResourceList" || !Array.isArray(resources)) {
    throw new Fault("malformed", `GET ${path}: the answer is no APIResourceList`);
  }
  const served = new Map<string, ServedResource>();
  for (const entry of resources.map(asObject)) {
    const name = asText(entry?.["name"]);
    if (entry === undefined || name === "") continue;
    const verbs = entry["verbs"];
    served.set(name, {
      name,
      kind: asText(entry["kind"]),
      namespaced: entry["namespaced"] === true,
      verbs: Array.isArray(verbs) ? verbs.map(String) : [],
    });
  }
  return served;
}
