import { applyConfig, type Conflict } from "../apply/managers.ts";
import {
  canonicalJson,
  metadataOf,
  numberAt,
  objectAt,
  stringAt,
  type JsonObject,
} from "../json.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import { readObject, readYaml } from "./decode.ts";
import {
  ApiError,
  MODIFIED,
  badRequest,
  conflict,
  invalid,
  notFound,
  type Cause,
} from "./errors.ts";
import {
  emptyObject,
  managersBeforeApply,
  resetFields,
  setManagers,
  shapeFor,
  writerOf,
} from "./managed.ts";
import { isDryRun, type ApiRequest, type ObjectAnswer } from "./request.ts";
import { createObject, fillDefaults, updateObject } from "./write.ts";

/** Serves server-side apply (KEP-555): creates what is not there, merges into what is. Throws ApiError. */
export function applyPatch(request: ApiRequest): ObjectAnswer {
  const { cluster, kind, query } = request;
  const manager = query.get("fieldManager") ?? "";
  if (manager === "")
    throw invalid("meta.k8s.io", "PatchOptions", "", [
      {
        reason: "FieldValueRequired",
        message: "Required value: is required for apply patch",
        field: "fieldManager",
      },
    ]);
  const input = readYaml(kind, request.body.toString("utf8"));
  checkType(kind, input);
  const { object: config, warnings } = readConfig(request, input);
  const metadata = metadataOf(config);
  if (metadata["managedFields"] !== undefined)
    throw badRequest("metadata.managedFields must be nil");
  checkName(request, metadata);
  const stored = cluster.stored(kind, request.namespace, request.name);
  if (stored === undefined && request.subresource !== "") throw notFound(kind, request.name);
  const live = stored === undefined ? emptyObject(cluster, kind) : cluster.view(kind, stored);
  const version = stringAt(metadata, "resourceVersion");
  if (version !== "" && version !== String(stored?.revision ?? ""))
    throw conflict(kind, request.name, MODIFIED);
  const applied = applyConfig(
    shapeFor(cluster, kind),
    stored === undefined ? [] : managersBeforeApply(cluster, kind, live),
    live,
    config,
    writerOf(cluster, kind, manager, request.subresource),
    resetFields(kind, request.subresource),
    query.get("force") === "true",
  );
  if (applied.kind === "conflicts") throw conflictError(applied.conflicts);
  const { object } = readObject(
    cluster.schema,
    kind,
    { ...applied.object, ...typeOf(kind) },
    "Ignore",
  );
  setManagers(object, applied.managers);
  if (manager === "kubectl") updateLastApplied(object, input);
  const options = {
    fieldManager: manager,
    dryRun: isDryRun(request),
    subresource: request.subresource,
    tracked: true,
  };
  if (stored === undefined) {
    const created = createObject(cluster, kind, request.namespace, object, options);
    return { status: 201, object: created, warnings };
  }
  fillDefaults(kind, object);
  return {
    status: 200,
    object: updateObject(cluster, kind, stored, object, options).object,
    warnings,
  };
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Keeps kubectl's annotation in step, so that one can go back to applying on the client. */
function updateLastApplied(object: JsonObject, input: JsonObject): void {
  const annotations = objectAt(metadataOf(object), "annotations");
  if (annotations[LAST_APPLIED] === undefined) return;
  annotations[LAST_APPLIED] = `${canonicalJson(input)}\n`;
}

function typeOf(kind: Kind): JsonObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function checkType(kind: Kind, input: JsonObject): void {
  const version = stringAt(input, "apiVersion");
  const name = stringAt(input, "kind");
  if (name === "")
    throw badRequest(
      `error decoding patch: Object 'Kind' is missing in '${JSON.stringify(input)}'`,
    );
  if (version === "")
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: , expected: ${apiVersionOf(kind)}`,
    );
  if (version !== apiVersionOf(kind) && kind.structural !== undefined)
    throw badRequest(`invalid object type: ${version}, Kind=${name}`);
  if (version !== apiVersionOf(kind))
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${version}, expected: ${apiVersionOf(kind)}`,
    );
}

/**
 * The configuration as it was written, checked against the kind: zero values that decoding would add
 * are not the applier's, so only what it states is kept.
 */
function readConfig(request: ApiRequest, input: JsonObject): ReturnType<typeof readObject> {
  const { cluster, kind } = request;
  const copy = JSON.parse(JSON.stringify(input)) as JsonObject;
  const { warnings } = readObject(cluster.schema, kind, copy, "Warn");
  const [unknown] = warnings;
  const { apiVersion: _apiVersion, kind: _kind, ...config } = input;
  if (unknown !== undefined) {
    const metadata = metadataOf(input);
    const field = /"(.*)"/.exec(unknown)?.[1] ?? "";
    throw new ApiError(
      500,
      "",
      `failed to create typed patch object (${stringAt(metadata, "namespace")}/${stringAt(metadata, "name")}; ${kind.group === "" ? "/" : `${kind.group}/`}${kind.version}, Kind=${kind.kind}): .${field}: field not declared in schema`,
    );
  }
  return { object: config, warnings: [] };
}

function checkName(request: ApiRequest, metadata: JsonObject): void {
  const name = stringAt(metadata, "name");
  if (name === "") metadata["name"] = request.name;
  else if (name !== request.name)
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${request.name})`,
    );
  const namespace = stringAt(metadata, "namespace");
  if (namespace !== "" && namespace !== request.namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  if (request.kind.namespaced) metadata["namespace"] = request.namespace;
  if (numberAt(metadata, "generation") !== 0) delete metadata["generation"];
}

/** 409 that names every field and its owner. */
function conflictError(conflicts: readonly Conflict[]): ApiError {
  const owner = (item: Conflict): string => {
    const { manager, apiVersion, subresource, operation } = item.manager;
    const via = subresource === "" ? "" : ` with subresource "${subresource}"`;
    const using = operation === "Update" ? ` using ${apiVersion}` : "";
    return `"${manager}"${via}${using}`;
  };
  const causes: Cause[] = conflicts.map((item) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${owner(item)}`,
    field: item.field,
  }));
  const byOwner = new Map<string, string[]>();
  for (const item of conflicts) {
    const fields = byOwner.get(owner(item)) ?? [];
    fields.push(item.field);
    byOwner.set(owner(item), fields);
  }
  const count = conflicts.length;
  const [first] = conflicts;
  const parts =
    first !== undefined && count === 1
      ? [`conflict with ${owner(first)}: ${first.field}`]
      : [...byOwner].map(
          ([name, fields]) =>
            `conflicts with ${name}:\n${fields.map((field) => `- ${field}`).join("\n")}`,
        );
  const head = `Apply failed with ${count} conflict${count === 1 ? "" : "s"}`;
  return new ApiError(409, "Conflict", `${head}: ${parts.join("\n")}`, {
    causes: causes as unknown as JsonObject[],
  });
}
