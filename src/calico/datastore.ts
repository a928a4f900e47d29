import type { CalicoGroup, MigrationFacts, ServedBy } from "../core/plan/calico-mode.ts";
import { asObject, asText } from "./json.ts";

/** The API group of DatastoreMigrations; its version is found by discovery. */
export const MIGRATION_GROUP = "migration.projectcalico.org";

/** The collection of DatastoreMigrations in `version`. */
export function migrationsPath(version: string): string {
  return `/apis/${MIGRATION_GROUP}/${version}/datastoremigrations`;
}

/** The collection of ClusterInformation in `group`. */
export function clusterInformationPath(group: CalicoGroup): string {
  return `/apis/${group}/clusterinformations`;
}

/** The name of the APIService that routes `projectcalico.org/v3`. */
export const API_SERVICE = "v3.projectcalico.org";

/** The collection of APIServices. */
export const API_SERVICES_PATH = "/apis/apiregistration.k8s.io/v1/apiservices";

/** An object that is followed by name. */
export interface Named<T> {
  readonly name: string;
  readonly value: T;
}

function nameOf(object: unknown): string {
  return asText(asObject(asObject(object)["metadata"])["name"]);
}

/** `spec.datastoreReady` of a ClusterInformation; undefined when it does not say. */
export function decodeDatastoreReady(object: unknown): Named<boolean | undefined> {
  const ready = asObject(asObject(object)["spec"])["datastoreReady"];
  return { name: nameOf(object), value: typeof ready === "boolean" ? ready : undefined };
}

/** A DatastoreMigration. */
export function decodeMigration(object: unknown): Named<MigrationFacts> {
  const name = nameOf(object);
  const { metadata, status } = asObject(object);
  const isDeleting = asText(asObject(metadata)["deletionTimestamp"]) !== "";
  return { name, value: { name, phase: asText(asObject(status)["phase"]), isDeleting } };
}

/** Who serves an APIService: the API server itself where it names no Service. */
export function decodeServedBy(object: unknown): Named<ServedBy> {
  const { service } = asObject(asObject(object)["spec"]);
  const isLocal = service === undefined || service === null;
  return { name: nameOf(object), value: isLocal ? "crd" : "aggregated" };
}
