import { clone, metadataOf, objectAt, type Json, type JsonObject } from "../json.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";

/** How much of each object a row of a Table carries (`includeObject`). */
export type IncludeObject = "None" | "Metadata" | "Object";

/** One object as a row of a Table. */
export function tableRow(
  kind: Kind,
  object: JsonObject,
  include: IncludeObject,
  nowMs: number,
): JsonObject {
  const stored = kind.toStorage === undefined ? object : kind.toStorage(object);
  const row: JsonObject = { cells: kind.printer.cells(stored, nowMs) };
  if (include === "Metadata") row["object"] = partialMetadata(object);
  else if (include === "Object") row["object"] = withType(kind, object);
  else row["object"] = null;
  return row;
}

/** A Table of rows; `columns` false leaves the definitions out, as watches do after their first event. */
export function table(
  kind: Kind,
  rows: readonly JsonObject[],
  metadata: JsonObject,
  columns: boolean,
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: columns ? (kind.printer.columns as unknown as Json) : [],
    rows: rows as JsonObject[],
  };
}

/** Only the metadata of `object`. */
export function partialMetadata(object: JsonObject): JsonObject {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: clone(objectAt(object, "metadata")),
  };
}

/** `object` with `kind` and `apiVersion`. */
export function withType(kind: Kind, object: JsonObject): JsonObject {
  metadataOf(object);
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), ...object };
}
