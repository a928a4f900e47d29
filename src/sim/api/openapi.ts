import { createHash } from "node:crypto";
import { clone, isObject, objectAt, type JsonObject } from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Registry } from "../kinds/registry.ts";
import type { Field, FieldType, MessageType, ScalarName, Schema } from "../schema/parse.ts";

/*
 * OpenAPI as far as kubectl asks: which fields there are, how they merge, and that the server validates
 * fields itself. There are no descriptions.
 */

const REF = "#/components/schemas/";

/** `/openapi/v3`: where the documents are. The hash lets clients cache them. */
export function openApiIndex(registry: Registry, schema: Schema): JsonObject {
  const paths: JsonObject = {};
  const versions = new Map(registry.kinds().map((kind) => [pathOf(kind), kind]));
  for (const [path, kind] of versions) {
    const document = openApiDocument(registry, schema, kind.group, kind.version) ?? {};
    const hash = createHash("sha512").update(JSON.stringify(document)).digest("hex").toUpperCase();
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

function pathOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;
}

/** `/openapi/v3/api/v1` and `/openapi/v3/apis/GROUP/VERSION`, or undefined when there is no such version. */
export function openApiDocument(
  registry: Registry,
  schema: Schema,
  group: string,
  version: string,
): JsonObject | undefined {
  const kinds = registry.kinds().filter((kind) => kind.group === group && kind.version === version);
  if (kinds.length === 0) return undefined;
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const kind of kinds) {
    schemas[schemaName(kind)] = kindSchema(schema, kind, schemas);
    Object.assign(paths, kindPaths(kind));
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes (simulated)", version: "v1.36.3" },
    paths,
    components: { schemas },
  };
}

/** `/openapi/v2`: the same for everything at once, in the older form. */
export function openApiV2(registry: Registry, schema: Schema): JsonObject {
  const definitions: JsonObject = {};
  const paths: JsonObject = {};
  for (const kind of registry.kinds()) {
    const all: JsonObject = {};
    all[schemaName(kind)] = kindSchema(schema, kind, all);
    Object.assign(definitions, all);
    Object.assign(paths, kindPaths(kind));
  }
  const text = JSON.stringify({ definitions, paths }).replaceAll(REF, "#/definitions/");
  return {
    swagger: "2.0",
    info: { title: "Kubernetes (simulated)", version: "v1.36.3" },
    ...(JSON.parse(text) as JsonObject),
  };
}

function schemaName(kind: Kind): string {
  if (kind.message !== undefined) return messageName(kind.message);
  return `${kind.group.split(".").toReversed().join(".")}.${kind.version}.${kind.kind}`;
}

function messageName(name: string): string {
  return `io.k8s.api.${name}`;
}

function typeOf(kind: Kind): JsonObject {
  return { group: kind.group, version: kind.version, kind: kind.kind };
}

function kindSchema(schema: Schema, kind: Kind, schemas: JsonObject): JsonObject {
  const types: JsonObject = { apiVersion: { type: "string" }, kind: { type: "string" } };
  const gvk = { "x-kubernetes-group-version-kind": [typeOf(kind)] };
  if (kind.message !== undefined) {
    const own = messageSchema(schema, schema.get(kind.message) as MessageType, schemas);
    return { ...own, properties: { ...types, ...objectAt(own, "properties") }, ...gvk };
  }
  const own = clone(kind.structural ?? {});
  const metadata = reference(schema, "ObjectMeta", schemas);
  return { ...own, properties: { ...objectAt(own, "properties"), ...types, metadata }, ...gvk };
}

function messageSchema(schema: Schema, type: MessageType, schemas: JsonObject): JsonObject {
  const properties: JsonObject = {};
  for (const field of type.byName.values())
    properties[field.name] = fieldSchema(schema, field, schemas);
  return {
    type: "object",
    properties,
    ...(type.atomic ? { "x-kubernetes-map-type": "atomic" } : {}),
  };
}

function reference(schema: Schema, name: string, schemas: JsonObject): JsonObject {
  const key = messageName(name);
  if (!isObject(schemas[key])) {
    schemas[key] = {};
    schemas[key] = messageSchema(schema, schema.get(name) as MessageType, schemas);
  }
  return { $ref: `${REF}${key}` };
}

function fieldSchema(schema: Schema, field: Field, schemas: JsonObject): JsonObject {
  const own = typeSchema(schema, field.type, schemas);
  const extensions: JsonObject = {};
  if (field.type.kind === "list") {
    extensions["x-kubernetes-list-type"] = field.listType;
    if (field.listType === "map") extensions["x-kubernetes-list-map-keys"] = [...field.keys];
  }
  if (field.atomic) extensions["x-kubernetes-map-type"] = "atomic";
  if (field.merge) {
    if (field.mergeKey !== "") extensions["x-kubernetes-patch-merge-key"] = field.mergeKey;
    extensions["x-kubernetes-patch-strategy"] = field.retainKeys ? "merge,retainKeys" : "merge";
  } else if (field.retainKeys) extensions["x-kubernetes-patch-strategy"] = "retainKeys";
  if (own["$ref"] === undefined) return { ...own, ...extensions };
  return Object.keys(extensions).length === 0 ? { allOf: [own] } : { allOf: [own], ...extensions };
}

function typeSchema(schema: Schema, type: FieldType, schemas: JsonObject): JsonObject {
  switch (type.kind) {
    case "message":
      return reference(schema, type.name, schemas);
    case "list":
      return { type: "array", items: typeSchema(schema, type.element, schemas) };
    case "map":
      return { type: "object", additionalProperties: typeSchema(schema, type.element, schemas) };
    case "scalar":
      return scalarSchema(type.scalar);
  }
}

function scalarSchema(scalar: ScalarName): JsonObject {
  switch (scalar) {
    case "bool":
      return { type: "boolean" };
    case "int32":
    case "int64":
      return { type: "integer", format: scalar };
    case "double":
      return { type: "number", format: "double" };
    case "time":
    case "microtime":
      return { type: "string", format: "date-time" };
    case "intstr":
      return { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" };
    case "quantity":
      return { oneOf: [{ type: "string" }, { type: "number" }] };
    case "bytes":
      return { type: "string", format: "byte" };
    case "byte":
      return { type: "integer" };
    case "string":
      return { type: "string" };
    case "fieldsv1":
    case "raw":
      return { type: "object" };
    case "json":
    case "schemaorarray":
    case "schemaorbool":
    case "schemaorstrings":
      return {};
  }
}

function kindPaths(kind: Kind): JsonObject {
  const base = `/${pathOf(kind)}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.resource}`;
  const query = (name: string, type: string): JsonObject => ({
    name,
    in: "query",
    schema: { type, uniqueItems: true },
  });
  const operation = (action: string): JsonObject => ({
    parameters: [
      query("dryRun", "string"),
      query("fieldManager", "string"),
      query("fieldValidation", "string"),
      ...(action === "patch" ? [query("force", "boolean")] : []),
    ],
    responses: { "200": { description: "OK" } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": typeOf(kind),
  });
  return {
    [base]: { post: operation("post") },
    [`${base}/{name}`]: { put: operation("put"), patch: operation("patch") },
  };
}
