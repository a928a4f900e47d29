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

const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Path of GlobalNetworkSets in this version; append `/NAME` for one. */
export function globalNetworkSetsPath(version: CalicoVersion): string {
  return `/apis/${groups[version]}/${version}/globalnetworksets`;
}

/** Path of ClusterInformation in this version. */
export function clusterInformationsPath(version: CalicoVersion): string {
  return `/apis/${groups[version]}/${version}/clusterinformations`;
}

/** Path of DatastoreMigrations. */
export const datastoreMigrationsPath =
  "/apis/migration.projectcalico.org/v1beta1/datastoremigrations";

/** Serves Calico's GlobalNetworkSet in this version; resolves when it is discovered and can be listed. May be called again. */
export async function installCalicoCrds(
  plane: ControlPlane,
  version: CalicoVersion,
): Promise<void> {
  await install(plane, `globalnetworksets.${groups[version]}`, globalNetworkSetsPath(version));
}

/** Serves ClusterInformation in this version, as `installCalicoCrds` does sets. */
export async function installClusterInformation(
  plane: ControlPlane,
  version: CalicoVersion,
): Promise<void> {
  await install(plane, `clusterinformations.${groups[version]}`, clusterInformationsPath(version));
}

/** Serves DatastoreMigrations, as `installCalicoCrds` does sets. */
export async function installDatastoreMigrations(plane: ControlPlane): Promise<void> {
  await install(plane, "datastoremigrations.migration.projectcalico.org", datastoreMigrationsPath);
}

/** Takes GlobalNetworkSets of this version away, with all objects; resolves when nothing is left of the definition. May be called again. */
export async function removeCalicoCrds(plane: ControlPlane, version: CalicoVersion): Promise<void> {
  await remove(plane, `globalnetworksets.${groups[version]}`);
}

/** Takes ClusterInformation of this version away, as `removeCalicoCrds` does sets. */
export async function removeClusterInformation(
  plane: ControlPlane,
  version: CalicoVersion,
): Promise<void> {
  await remove(plane, `clusterinformations.${groups[version]}`);
}

/** Takes DatastoreMigrations away, as `removeCalicoCrds` does sets. */
export async function removeDatastoreMigrations(plane: ControlPlane): Promise<void> {
  await remove(plane, "datastoremigrations.migration.projectcalico.org");
}

async function remove(plane: ControlPlane, name: string): Promise<void> {
  const path = `${definitionsPath}/${name}`;
  await until(`remove CRD ${name}: still there`, async () => {
    try {
      await plane.request("DELETE", path);
      return false;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return true;
      // A conflict with the controller that removes its objects.
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    }
  });
}

async function install(plane: ControlPlane, name: string, path: string): Promise<void> {
  const definition: unknown = parse(
    await readFile(new URL(`${name}.yaml`, import.meta.url), "utf8"),
  );
  try {
    await plane.request("POST", definitionsPath, definition);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
  }
  await until(`install CRD ${name}: not served`, async () => isServed(plane, path));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error(`${what} after 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isServed(plane: ControlPlane, path: string): Promise<boolean> {
  const [collection, plural] = [path, path.split("/").at(-1)];
  try {
    await plane.request("GET", collection);
    const { resources } = await plane.request<{ resources: { name: string }[] }>(
      "GET",
      path.split("/").slice(0, -1).join("/"),
    );
    return resources.some((resource) => resource.name === plural);
  } catch (error) {
    // Not found before it is served; 429 and 503 while its storage is being set up.
    if (error instanceof ApiError && [404, 429, 503].includes(error.status)) return false;
    throw error;
  }
}
