import { randomBytes, randomUUID } from "node:crypto";
import {
  arrayAt,
  clone,
  equal,
  isObject,
  metadataOf,
  numberAt,
  objectAt,
  stringAt,
  type Json,
  type JsonObject,
} from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import { rulesOf } from "../rules/rules.ts";
import { applyDefaults, validate } from "../schema/structural.ts";
import type { Stored } from "../store/stored.ts";
import { assignClusterIp } from "./addresses.ts";
import type { Cluster } from "./cluster.ts";
import {
  ApiError,
  MODIFIED,
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  notFound,
  type Cause,
} from "./errors.ts";
import { trackUpdate } from "./managed.ts";
import { immutableMetadataCauses, invalidValue, metadataCauses } from "./names.ts";

/** What a write is told besides the object. */
export interface WriteOptions {
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly subresource: string;
  /** Whether the object's managedFields are already what they should be (server-side apply). */
  readonly tracked?: boolean;
}

/** Creates an object; gives it as it is stored. Throws ApiError. */
export function createObject(
  cluster: Cluster,
  kind: Kind,
  namespace: string,
  input: JsonObject,
  options: WriteOptions,
): JsonObject {
  const object = input;
  const metadata = metadataOf(object);
  checkNamespace(kind, metadata, namespace);
  for (const key of [
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
  ])
    if (key !== "resourceVersion" || metadata[key] === "0" || metadata[key] === "")
      delete metadata[key];
  if (stringAt(metadata, "resourceVersion") !== "")
    throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
  const generateName = stringAt(metadata, "generateName");
  const generated = stringAt(metadata, "name") === "" && generateName !== "";
  if (generated) metadata["name"] = generateName.slice(0, 58) + randomSuffix();
  metadata["uid"] = randomUUID();
  metadata["creationTimestamp"] = cluster.timestamp();
  if (kind.countsGenerations) metadata["generation"] = 1;
  else delete metadata["generation"];
  if (kind.structural !== undefined && kind.subresources.includes("status"))
    delete object["status"];
  const rules = rulesOf(kind.storage, kind.structural !== undefined);
  fillDefaults(kind, object);
  if (options.tracked !== true)
    trackUpdate(cluster, kind, undefined, object, options.fieldManager, options.subresource);
  rules.onCreate?.(object);
  checkNamespaceExists(cluster, kind, namespace);
  if (kind.storage === "/services") assignClusterIp(cluster, kind, object);
  refuse(kind, stringAt(metadata, "name"), [
    ...metadataCauses(metadata, rules.nameRule),
    ...contentCauses(kind, object),
  ]);
  const name = stringAt(metadata, "name");
  if (cluster.stored(kind, stringAt(metadata, "namespace"), name) !== undefined)
    throw alreadyExists(kind, name);
  if (options.dryRun) return object;
  return cluster.view(kind, cluster.put(kind, object));
}

/** What an update did. */
export interface Updated {
  readonly object: JsonObject;
  /** Whether the update took the last finalizer, so that the object is gone. */
  readonly deleted: boolean;
}

/** Replaces an object, or its status; gives it as it is stored then. Throws ApiError. */
export function updateObject(
  cluster: Cluster,
  kind: Kind,
  stored: Stored,
  input: JsonObject,
  options: WriteOptions,
): Updated {
  const old = cluster.view(kind, stored);
  const fresh = input;
  const metadata = metadataOf(fresh);
  const oldMetadata = metadataOf(old);
  const rules = rulesOf(kind.storage, kind.structural !== undefined);
  checkNamespace(kind, metadata, stored.namespace);
  const version = stringAt(metadata, "resourceVersion");
  if (version === "" && !rules.unconditionalUpdate && options.tracked !== true)
    throw invalid(kind.group, kind.resource, stored.name, [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 0: must be specified for an update",
        field: "metadata.resourceVersion",
      },
    ]);
  if (version !== "" && version !== "0" && version !== String(stored.revision))
    throw conflict(kind, stored.name, MODIFIED);
  keepSystemFields(metadata, oldMetadata);
  if (options.subresource === "status") keepAllButStatus(fresh, old);
  else keepStatus(kind, fresh, old, rules.onUpdate !== undefined);
  fillDefaults(kind, fresh);
  if (options.tracked !== true)
    trackUpdate(cluster, kind, old, fresh, options.fieldManager, options.subresource);
  if (options.subresource === "") rules.onUpdate?.(fresh, old);
  refuse(kind, stored.name, [
    ...immutableMetadataCauses(metadata, oldMetadata),
    ...metadataCauses(metadata, rules.nameRule),
    ...(options.subresource === "status" ? [] : contentCauses(kind, fresh)),
    ...(options.subresource === "" ? (rules.validateUpdate?.(fresh, old) ?? []) : []),
  ]);
  if (kind.countsGenerations && !equal(withoutStatus(fresh), withoutStatus(old)))
    metadata["generation"] = numberAt(oldMetadata, "generation") + 1;
  metadata["resourceVersion"] = stringAt(oldMetadata, "resourceVersion");
  if (options.dryRun) return { object: fresh, deleted: false };
  if (sameButTimes(fresh, old)) return { object: old, deleted: false };
  if (isFinished(fresh)) {
    const gone = cluster.remove(kind, cluster.put(kind, fresh));
    return { object: cluster.view(kind, gone), deleted: true };
  }
  return { object: cluster.view(kind, cluster.put(kind, fresh)), deleted: false };
}

/** Throws 422 with `causes` when there are any. */
export function refuse(kind: Kind, name: string, causes: readonly Cause[]): void {
  if (causes.length > 0) throw invalid(kind.group, kind.kind, name, causes);
}

/** The stored object; throws 404 when there is none. */
export function mustGet(cluster: Cluster, kind: Kind, namespace: string, name: string): Stored {
  const stored = cluster.stored(kind, namespace, name);
  if (stored === undefined) throw notFound(kind, name);
  return stored;
}

/** Whether nothing keeps a deleted object any more. */
export function isFinished(object: JsonObject): boolean {
  const metadata = objectAt(object, "metadata");
  if (metadata["deletionTimestamp"] === undefined) return false;
  const spec = arrayAt(objectAt(object, "spec"), "finalizers");
  return (
    arrayAt(metadata, "finalizers").length === 0 &&
    spec.length === 0 &&
    numberAt(metadata, "deletionGracePeriodSeconds") === 0
  );
}

/** Fills in what the kind's schema or rules default. */
export function fillDefaults(kind: Kind, object: JsonObject): void {
  if (kind.structural !== undefined) applyDefaults(kind.structural, object);
  rulesOf(kind.storage, kind.structural !== undefined).defaults?.(object);
}

function contentCauses(kind: Kind, object: JsonObject): Cause[] {
  return kind.structural === undefined
    ? (rulesOf(kind.storage, false).validate?.(object) ?? [])
    : validate(kind.structural, object);
}

function checkNamespace(kind: Kind, metadata: JsonObject, namespace: string): void {
  if (!kind.namespaced) {
    delete metadata["namespace"];
    return;
  }
  const own = stringAt(metadata, "namespace");
  if (own === "") metadata["namespace"] = namespace;
  else if (own !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
}

function checkNamespaceExists(cluster: Cluster, kind: Kind, namespace: string): void {
  if (!kind.namespaced) return;
  const stored = cluster.store.collection("/namespaces").get("", namespace);
  if (stored === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  const object = stored.object();
  if (objectAt(object, "metadata")["deletionTimestamp"] !== undefined)
    throw forbidden(
      kind,
      "",
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
}

function keepSystemFields(metadata: JsonObject, old: JsonObject): void {
  for (const key of [
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
  ])
    if (old[key] === undefined) delete metadata[key];
    else metadata[key] = clone(old[key]);
  if (stringAt(metadata, "uid") === "") metadata["uid"] = stringAt(old, "uid");
}

/** Makes `fresh` the old object but for its status, and what else the subresource may write. */
function keepAllButStatus(fresh: JsonObject, old: JsonObject): void {
  const status = fresh["status"];
  const metadata = metadataOf(fresh);
  const kept = clone(old);
  for (const key of Object.keys(fresh)) delete fresh[key];
  Object.assign(fresh, kept);
  if (status === undefined) delete fresh["status"];
  else fresh["status"] = status;
  const own = clone(metadata);
  // Labels, annotations and finalizers of a built-in kind can be written through its status.
  fresh["metadata"] = own;
}

function keepStatus(kind: Kind, fresh: JsonObject, old: JsonObject, ruled: boolean): void {
  if (ruled || !kind.subresources.includes("status")) return;
  if (old["status"] === undefined) delete fresh["status"];
  else fresh["status"] = clone(old["status"]);
}

function withoutStatus(object: JsonObject): JsonObject {
  const { metadata: _metadata, status: _status, ...rest } = object;
  return rest;
}

/** Whether a write changes nothing but the times of managedFields. */
function sameButTimes(fresh: JsonObject, old: JsonObject): boolean {
  const strip = (object: JsonObject): JsonObject => {
    const copy = clone(object);
    for (const entry of arrayAt(metadataOf(copy), "managedFields"))
      if (isObject(entry)) delete entry["time"];
    return copy;
  };
  return equal(strip(fresh), strip(old));
}

const SUFFIX = "bcdfghjklmnpqrstvwxz2456789";

function randomSuffix(): string {
  return [...randomBytes(5)].map((byte) => SUFFIX[byte % SUFFIX.length]).join("");
}

/** A cause for tests of the name against the URL. */
export function nameMismatch(found: string, wanted: string): ApiError {
  return badRequest(
    `the name of the object (${found}) does not match the name on the URL (${wanted})`,
  );
}

/** What an immutable field answers. */
export function immutable(field: string, value: Json): Cause {
  return invalidValue(field, value, "field is immutable");
}
