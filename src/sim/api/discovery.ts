import { createHash } from "node:crypto";
import type { JsonObject } from "../json.ts";
import { UNSIMULATED_GROUPS } from "../kinds/builtins.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Group, Registry } from "../kinds/registry.ts";

/** The media type of aggregated discovery. */
export const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** The verbs of custom kinds, in the order in which API servers list them without aggregation. */
const CUSTOM_VERBS = [
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "create",
  "update",
  "watch",
];

const STATUS_VERBS = ["get", "patch", "update"];

/** Whether `accept` prefers aggregated discovery (KEP-3352). */
export function wantsAggregated(accept: string): boolean {
  const first = accept.split(",")[0]?.replaceAll(" ", "") ?? "";
  return first.includes("as=APIGroupDiscoveryList") && first.includes("v=v2");
}

/** Aggregated discovery of core (`/api`) or of every other group (`/apis`). */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const groups: Group[] = core
    ? [{ name: "", versions: new Map([["v1", registry.core()]]) }]
    : registry.groups();
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((group) => ({
      metadata: group.name === "" ? {} : { name: group.name },
      versions: [...group.versions].map(([version, kinds]) => ({
        version,
        resources: kinds.map(aggregatedResource),
        freshness: "Current",
      })),
    })),
  };
}

function aggregatedResource(kind: Kind): JsonObject {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    resource: kind.resource,
    responseKind,
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: [...kind.verbs],
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    ...(kind.subresources.length === 0
      ? {}
      : {
          subresources: kind.subresources.map((subresource) => ({
            subresource,
            responseKind,
            verbs: subresource === "finalize" ? ["update"] : STATUS_VERBS,
          })),
        }),
  };
}

/** `/api` without aggregation. */
export function coreVersions(address: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }],
  };
}

/** `/apis` without aggregation. */
export function groupList(registry: Registry): JsonObject {
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: registry.groups().map((group) => groupOf(group)),
  };
}

/** `/apis/GROUP`, or undefined when there is no such group. */
export function oneGroup(registry: Registry, name: string): JsonObject | undefined {
  const group = registry.groups().find((item) => item.name === name);
  return group === undefined
    ? undefined
    : { kind: "APIGroup", apiVersion: "v1", ...groupOf(group) };
}

function groupOf(group: Group): JsonObject {
  const versions = [...group.versions.keys()].map((version) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] as JsonObject };
}

/** `/api/v1` and `/apis/GROUP/VERSION`, or undefined when there is no such version. */
export function resourceList(
  registry: Registry,
  group: string,
  version: string,
): JsonObject | undefined {
  const kinds = registry.kinds().filter((kind) => kind.group === group && kind.version === version);
  const [first] = kinds;
  if (first === undefined) return undefined;
  return {
    kind: "APIResourceList",
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf(first),
    resources: kinds.flatMap(resourcesOf),
  };
}

function resourcesOf(kind: Kind): JsonObject[] {
  return [
    {
      name: kind.resource,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: kind.structural === undefined ? [...kind.verbs] : CUSTOM_VERBS,
      ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
      ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
      storageVersionHash: createHash("sha256")
        .update(`${apiVersionOf(kind)}/${kind.kind}`)
        .digest()
        .subarray(0, 8)
        .toString("base64"),
    },
    ...kind.subresources.map((subresource) => ({
      name: `${kind.resource}/${subresource}`,
      singularName: "",
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: subresource === "finalize" ? ["update"] : STATUS_VERBS,
    })),
  ];
}

/** `/version`: a Kubernetes version, and that it is a simulation. */
export function versionInfo(): JsonObject {
  return {
    major: "1",
    minor: "36",
    gitVersion: "v1.36.3+wayleave-sim",
    gitCommit: "",
    gitTreeState: "",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "",
    platform: "simulation",
  };
}

/** `/`: what can be asked. */
export function paths(registry: Registry): JsonObject {
  const groups = registry
    .groups()
    .flatMap((group) => [
      `/apis/${group.name}`,
      ...[...group.versions.keys()].map((version) => `/apis/${group.name}/${version}`),
    ]);
  return {
    paths: [
      "/api",
      "/api/v1",
      "/apis",
      "/apis/",
      ...groups.toSorted(),
      "/healthz",
      "/livez",
      "/openapi/v2",
      "/openapi/v3",
      "/openapi/v3/",
      "/readyz",
      "/version",
    ],
  };
}

/** Whether Kubernetes itself has the group, so that its absence is the simulation's. */
export function isKubernetesGroup(group: string): boolean {
  return UNSIMULATED_GROUPS.has(group);
}
