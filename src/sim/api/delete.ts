import { timeText } from "../schema/decode.ts";
import {
  arrayAt,
  isObject,
  metadataOf,
  numberAt,
  objectAt,
  stringAt,
  type Json,
  type JsonObject,
} from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Stored } from "../store/stored.ts";
import type { Cluster } from "./cluster.ts";
import { PROTOBUF, fromProtobuf } from "./decode.ts";
import { badRequest, conflict, forbidden, invalid, type ApiError } from "./errors.ts";
import { isFinished } from "./write.ts";
import type { ApiRequest, ObjectAnswer } from "./request.ts";

/** What a delete is told (meta/v1 DeleteOptions). */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly propagation: string;
  readonly dryRun: boolean;
}

/** Kinds whose deletion answers with the object instead of a Status. */
const RETURNS_OBJECT = new Set(["/pods", "/services", "/serviceaccounts", "/resourcequotas"]);

/** Reads DeleteOptions from a body and a query. Throws 400 or 422. */
export function deleteOptionsOf(request: ApiRequest): DeleteOptions {
  let body: JsonObject = {};
  if (request.body.length > 0) {
    if (request.contentType.startsWith(PROTOBUF))
      return optionsFrom(
        fromProtobuf(request.cluster.schema, "DeleteOptions", request.body),
        request.query,
      );
    try {
      const parsed = JSON.parse(request.body.toString("utf8")) as Json;
      if (isObject(parsed)) body = parsed;
    } catch (error) {
      throw badRequest(
        `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return optionsFrom(body, request.query);
}

function optionsFrom(body: JsonObject, query: URLSearchParams): DeleteOptions {
  const graceText = query.get("gracePeriodSeconds");
  const grace = body["gracePeriodSeconds"] ?? (graceText === null ? undefined : Number(graceText));
  const preconditions = objectAt(body, "preconditions");
  const propagation = stringAt(body, "propagationPolicy") || (query.get("propagationPolicy") ?? "");
  if (!["", "Background", "Foreground", "Orphan"].includes(propagation))
    throw invalid("meta.k8s.io", "DeleteOptions", "", [
      {
        reason: "FieldValueNotSupported",
        message: `Unsupported value: "${propagation}": supported values: "Foreground", "Background", "Orphan", "nil"`,
        field: "propagationPolicy",
      },
    ]);
  return {
    gracePeriodSeconds: typeof grace === "number" && grace >= 0 ? grace : undefined,
    uid: typeof preconditions["uid"] === "string" ? preconditions["uid"] : undefined,
    resourceVersion:
      typeof preconditions["resourceVersion"] === "string"
        ? preconditions["resourceVersion"]
        : undefined,
    propagation: body["orphanDependents"] === true ? "Orphan" : propagation,
    dryRun: arrayAt(body, "dryRun").includes("All") || query.getAll("dryRun").includes("All"),
  };
}

/** Deletes an object, or marks it as being deleted. Throws 409 when a precondition does not hold. */
export function deleteObject(
  cluster: Cluster,
  kind: Kind,
  stored: Stored,
  options: DeleteOptions,
): ObjectAnswer {
  checkPreconditions(kind, stored, options);
  const object = cluster.view(kind, stored);
  const metadata = metadataOf(object);
  if (kind.storage === "/namespaces") {
    if (["default", "kube-system", "kube-public"].includes(stored.name))
      throw protectedNamespace(kind, stored.name);
    return deleteNamespace(cluster, kind, stored, object, options);
  }
  addPropagationFinalizer(metadata, options.propagation);
  const wanted = graceOf(kind, object, options);
  const terminating = metadata["deletionTimestamp"] !== undefined;
  const current = numberAt(metadata, "deletionGracePeriodSeconds");
  const grace = terminating ? Math.min(current, wanted) : wanted;
  if (grace === 0 && arrayAt(metadata, "finalizers").length === 0) {
    if (kind.storage === "/pods") markDeleted(cluster, metadata, terminating);
    const gone = options.dryRun ? stored : cluster.remove(kind, stored, object);
    return { status: 200, object: deletedAnswer(cluster, kind, gone), warnings: [] };
  }
  if (terminating && grace === current) return { status: 200, object, warnings: [] };
  const start = terminating
    ? Date.parse(stringAt(metadata, "deletionTimestamp")) - current * 1000
    : cluster.now();
  metadata["deletionTimestamp"] = timeText(start + grace * 1000);
  metadata["deletionGracePeriodSeconds"] = grace;
  if (kind.countsGenerations)
    metadata["generation"] = numberAt(metadata, "generation") + (terminating ? 0 : 1);
  if (options.dryRun) return { status: 200, object, warnings: [] };
  const next = cluster.put(kind, object);
  if (isFinished(object)) cluster.remove(kind, next);
  return { status: 200, object: cluster.view(kind, next), warnings: [] };
}

/** What the last sight of a pod shows. */
function markDeleted(cluster: Cluster, metadata: JsonObject, terminating: boolean): void {
  if (!terminating) {
    metadata["deletionTimestamp"] = cluster.timestamp();
    metadata["generation"] = numberAt(metadata, "generation") + 1;
  }
  metadata["deletionGracePeriodSeconds"] = 0;
}

function checkPreconditions(kind: Kind, stored: Stored, options: DeleteOptions): void {
  const what = { group: kind.group, resource: kind.kind };
  if (options.uid !== undefined && options.uid !== stored.uid)
    throw conflict(
      what,
      stored.name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${stored.uid}). The object might have been deleted and then recreated`,
    );
  if (options.resourceVersion !== undefined && options.resourceVersion !== String(stored.revision))
    throw conflict(
      what,
      stored.name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${stored.revision}). The object might have been modified`,
    );
}

function graceOf(kind: Kind, object: JsonObject, options: DeleteOptions): number {
  const usual = kind.gracePeriodSeconds(object);
  if (usual === 0 || options.gracePeriodSeconds === undefined) return usual;
  return options.gracePeriodSeconds;
}

function addPropagationFinalizer(metadata: JsonObject, propagation: string): void {
  const name =
    propagation === "Foreground"
      ? "foregroundDeletion"
      : propagation === "Orphan"
        ? "orphan"
        : undefined;
  const others = arrayAt(metadata, "finalizers").filter(
    (item) => propagation === "" || (item !== "foregroundDeletion" && item !== "orphan"),
  );
  const finalizers = name === undefined ? others : [...others, name];
  if (finalizers.length > 0) metadata["finalizers"] = finalizers;
  else delete metadata["finalizers"];
}

function deletedAnswer(cluster: Cluster, kind: Kind, gone: Stored): JsonObject {
  if (RETURNS_OBJECT.has(kind.storage)) return cluster.view(kind, gone);
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: gone.name,
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.resource,
      uid: gone.uid,
    },
  };
}

function deleteNamespace(
  cluster: Cluster,
  kind: Kind,
  stored: Stored,
  object: JsonObject,
  options: DeleteOptions,
): ObjectAnswer {
  const metadata = metadataOf(object);
  if (metadata["deletionTimestamp"] === undefined) {
    metadata["deletionTimestamp"] = cluster.timestamp();
    object["status"] = { ...objectAt(object, "status"), phase: "Terminating" };
    if (!options.dryRun)
      return { status: 200, object: cluster.view(kind, cluster.put(kind, object)), warnings: [] };
    return { status: 200, object, warnings: [] };
  }
  if (arrayAt(objectAt(object, "spec"), "finalizers").length > 0)
    throw conflict(
      kind,
      stored.name,
      "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.",
    );
  const gone = options.dryRun ? stored : cluster.remove(kind, stored);
  return { status: 200, object: cluster.view(kind, gone), warnings: [] };
}

function protectedNamespace(kind: Kind, name: string): ApiError {
  return forbidden(kind, name, "this namespace may not be deleted");
}
