import { Fault, faultCode } from "../core/model/fault.ts";
import type { ApiClient } from "./api-client.ts";
import { asObject, asText, type JsonObject } from "./json.ts";

/** A resource that a server serves in one group and version. */
export interface ServedResource {
  /** Plural, as in paths: `globalnetworksets`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

async function getIfServed(
  client: ApiClient,
  path: string,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  try {
    const request = { method: "GET", path, ...(signal === undefined ? {} : { signal }) } as const;
    const { body } = await client.request(request);
    return asObject(body) ?? {};
  } catch (error) {
    if (faultCode(error) === "not-found") return undefined;
    throw error;
  }
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
  const body = await getIfServed(client, path, signal);
  if (body === undefined) return undefined;
  const resources = body["resources"];
  if (body["kind"] !== "APIResourceList" || !Array.isArray(resources)) {
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

/**
 * The version in which the server prefers `group` to be used, e.g. `v1`; undefined when it does not serve the group.
 * Fails as `discoverResources`.
 */
export async function preferredVersion(
  client: ApiClient,
  group: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const path = `/apis/${group}`;
  const body = await getIfServed(client, path, signal);
  if (body === undefined) return undefined;
  const version = asText(asObject(body["preferredVersion"])?.["version"]);
  if (version === "") throw new Fault("malformed", `GET ${path}: the answer is no APIGroup`);
  return version;
}
