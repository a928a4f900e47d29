import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { ApiError } from "../control-plane/api-client.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";

/** Which of Calico's two groups: `projectcalico.org/v3`, or `crd.projectcalico.org/v1`. */
export type CalicoVersion = "v1" | "v3";

const groups: Record<CalicoVersion, string> = {
  v1: "crd.projectcalico.org",
  v3: "projectcalico.org",
};

/** Path of GlobalNetworkSets in this version; append `/NAME` for one. */
export function globalNetworkSetsPath(version: CalicoVersion): string {
  return `/apis/${groups[version]}/${version}/globalnetworksets`;
}

/** Serves Calico's GlobalNetworkSet in this version; resolves when it is discovered and can be listed. May be called again. */
export async function installCalicoCrds(
  plane: ControlPlane,
  version: CalicoVersion,
): Promise<void> {
  const file = new URL(`globalnetworksets.${groups[version]}.yaml`, import.meta.url);
  const definition: unknown = parse(await readFile(file, "utf8"));
  try {
    await plane.request(
      "POST",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      definition,
    );
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
  }
  const deadlineMs = Date.now() + 30_000;
  while (!(await isServed(plane, version))) {
    if (Date.now() > deadlineMs) throw new Error(`install CRD of ${version}: not served in 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isServed(plane: ControlPlane, version: CalicoVersion): Promise<boolean> {
  try {
    await plane.request("GET", globalNetworkSetsPath(version));
    const { resources } = await plane.request<{ resources: { name: string }[] }>(
      "GET",
      `/apis/${groups[version]}/${version}`,
    );
    return resources.some((resource) => resource.name === "globalnetworksets");
  } catch (error) {
    // Not found before it is served; 429 and 503 while its storage is being set up.
    if (error instanceof ApiError && [404, 429, 503].includes(error.status)) return false;
    throw error;
  }
}
