import { isObject, metadataOf, stringAt, type Json, type JsonObject } from "../json.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { PatchError, applyJsonPatch } from "../patch/json-patch.ts";
import { applyMergePatch } from "../patch/merge-patch.ts";
import { StrategicPatchError, applyStrategicMergePatch } from "../patch/strategic-merge.ts";
import { applyPatch } from "./apply.ts";
import { fieldValidationOf, readObject } from "./decode.ts";
import { ApiError, badRequest } from "./errors.ts";
import { fieldManagerOf, isDryRun, type ApiRequest, type ObjectAnswer } from "./request.ts";
import { mustGet, updateObject } from "./write.ts";

const PATCHES = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
} as const;

/** Serves PATCH in its four forms. Throws ApiError. */
export function patchRequest(request: ApiRequest): ObjectAnswer {
  const type = request.contentType.split(";")[0]?.trim() ?? "";
  const form = (PATCHES as Record<string, (typeof PATCHES)[keyof typeof PATCHES] | undefined>)[
    type
  ];
  if (form === undefined)
    throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  if (form === "strategic" && request.kind.message === undefined)
    throw new ApiError(
      415,
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
  if (request.query.get("force") !== null && form !== "apply")
    throw new ApiError(
      422,
      "Invalid",
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      {
        group: "meta.k8s.io",
        kind: "PatchOptions",
        causes: [
          {
            reason: "FieldValueForbidden",
            message: "Forbidden: may not be specified for non-apply patch",
            field: "force",
          },
        ],
      },
    );
  if (form === "apply") return applyPatch(request);
  const { cluster, kind } = request;
  const stored = mustGet(cluster, kind, request.namespace, request.name);
  const current: JsonObject = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    ...cluster.view(kind, stored),
  };
  const patched = patchedObject(request, form, current);
  const wantedKind = stringAt(patched, "kind");
  if (wantedKind !== "" && wantedKind !== kind.kind)
    throw badRequest(
      `${wantedKind} in version "${kind.version}" cannot be handled as a ${kind.kind}`,
    );
  const { object, warnings } = readObject(
    cluster.schema,
    kind,
    patched,
    fieldValidationOf(request.query),
  );
  const name = stringAt(metadataOf(object), "name");
  if (name !== request.name)
    throw badRequest(
      `the name of the object (${name}) does not match the name on the URL (${request.name})`,
    );
  const updated = updateObject(cluster, kind, stored, object, {
    fieldManager: fieldManagerOf(request),
    dryRun: isDryRun(request),
    subresource: request.subresource,
  });
  return { status: 200, object: updated.object, warnings };
}

function patchedObject(
  request: ApiRequest,
  form: "json" | "merge" | "strategic",
  current: JsonObject,
): JsonObject {
  const patch = parsePatch(request.body);
  try {
    if (form === "json") {
      if (!Array.isArray(patch))
        throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
      return applyJsonPatch(current, patch.filter(isObject));
    }
    if (!isObject(patch))
      throw badRequest(
        "json: cannot unmarshal array into Go value of type map[string]interface {}",
      );
    return form === "merge"
      ? applyMergePatch(current, patch)
      : applyStrategicMergePatch(
          request.cluster.schema,
          request.kind.message as string,
          current,
          patch,
        );
  } catch (error) {
    if (error instanceof PatchError)
      throw new ApiError(
        422,
        "Invalid",
        "the server rejected our request due to an error in our request",
        {},
      );
    if (error instanceof StrategicPatchError) throw badRequest(error.message);
    throw error;
  }
}

function parsePatch(body: Buffer): Json {
  try {
    return JSON.parse(body.toString("utf8")) as Json;
  } catch (error) {
    throw badRequest(
      `error decoding patch: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
