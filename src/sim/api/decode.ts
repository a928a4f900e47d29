import { parse as parseYaml } from "yaml";
import { isObject, metadataOf, objectAt, stringAt, type Json, type JsonObject } from "../json.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import { ProtobufError, decodeProtobuf, unwrap } from "../protobuf/decode.ts";
import { DecodeError, decodeMessage } from "../schema/decode.ts";
import type { Schema } from "../schema/parse.ts";
import { prune } from "../schema/structural.ts";
import { ApiError, badRequest } from "./errors.ts";

/** An object that was read, and what a client may be warned of. */
export interface ReadObject {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

/** How strict a read is (`fieldValidation`). */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Reads the parameter `fieldValidation`; throws 422 for a value that it cannot have. */
export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const text = query.get("fieldValidation") ?? "";
  if (text === "") return "Warn";
  if (text === "Ignore" || text === "Warn" || text === "Strict") return text;
  throw badRequest(
    `fieldValidation: Unsupported value: "${text}": supported values: "Ignore", "Strict", "Warn"`,
  );
}

/** Parses a body as JSON, or as YAML when the content type says so. Throws 400 or 415. */
export function parseBody(
  schema: Schema,
  kind: Kind,
  contentType: string,
  body: Buffer,
): JsonObject {
  const type = contentType.split(";")[0]?.trim() ?? "";
  if (type === PROTOBUF && kind.message !== undefined)
    return fromProtobuf(schema, kind.message, body);
  const text = body.toString("utf8");
  let value: unknown;
  if (type === "" || type === "application/json" || type === "*/*") {
    try {
      value = JSON.parse(text);
    } catch {
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: ${goJsonError(text)} (${shorten(text)})`,
      );
    }
  } else if (type === "application/yaml") {
    value = readYaml(kind, text);
  } else {
    throw unsupportedMediaType(type);
  }
  if (!isObject(value as Json))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (${shorten(text)})`,
    );
  return value as JsonObject;
}

/** The media type of Kubernetes protobuf. */
export const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** Reads a protobuf document as the JSON that it stands for, `kind` and `apiVersion` included. Throws 400. */
export function fromProtobuf(schema: Schema, message: string, body: Buffer): JsonObject {
  try {
    const { type, raw } = unwrap(body);
    return {
      apiVersion: type.apiVersion,
      kind: type.kind,
      ...decodeProtobuf(schema, message, raw),
    };
  } catch (error) {
    if (error instanceof ProtobufError) throw badRequest(error.message);
    throw error;
  }
}

/** Parses YAML as one object. Throws 400. */
export function readYaml(kind: Kind, text: string): JsonObject {
  let value: Json;
  try {
    // Go programs read YAML 1.1, where `y` is true.
    value = parseYaml(text, { version: "1.1" }) as Json;
  } catch (error) {
    throw badRequest(
      `error decoding YAML: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
    );
  }
  if (!isObject(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind})`);
  return value;
}

/** 415. */
export function unsupportedMediaType(type: string): ApiError {
  return new ApiError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf; found ${type}`,
  );
}

/**
 * Turns a parsed body into an object of `kind`: checks `kind` and `apiVersion`, drops what the kind does not have.
 * Throws 400 for another kind, a value of the wrong type and, when `validation` is Strict, an unknown field.
 */
export function readObject(
  schema: Schema,
  kind: Kind,
  input: JsonObject,
  validation: FieldValidation,
): ReadObject {
  checkType(kind, input);
  let object: JsonObject;
  let problems: readonly string[];
  if (kind.message === undefined) {
    object = input;
    delete object["kind"];
    delete object["apiVersion"];
    const metadata = decodeMetadata(schema, kind, object);
    problems = [
      ...metadata,
      ...(kind.structural === undefined ? [] : prune(kind.structural, object)).map(
        (path) => `unknown field "${path}"`,
      ),
    ];
  } else {
    try {
      const decoded = decodeMessage(schema, kind.message, input);
      object = decoded.object;
      problems = decoded.strict;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw badRequest(
        `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`,
      );
    }
  }
  if (problems.length > 0 && validation === "Strict")
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(", ")}`,
    );
  return { object, warnings: validation === "Warn" ? problems : [] };
}

/** Reads the metadata of a custom object by the type that all objects share. */
function decodeMetadata(schema: Schema, kind: Kind, object: JsonObject): readonly string[] {
  metadataOf(object);
  try {
    const decoded = decodeMessage(schema, "PartialObjectMetadata", {
      metadata: object["metadata"] as Json,
    });
    object["metadata"] = objectAt(decoded.object, "metadata");
    return decoded.strict;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${error.message}`,
    );
  }
}

function checkType(kind: Kind, input: JsonObject): void {
  const wanted = apiVersionOf(kind);
  const found = stringAt(input, "apiVersion");
  const name = stringAt(input, "kind");
  if (kind.message === undefined) {
    if (name === "") {
      const text = JSON.stringify(input);
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing in '${text}' (${shorten(text)})`,
      );
    }
    if (name !== kind.kind || found !== wanted)
      throw badRequest(
        found === wanted || found === ""
          ? `${name} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting to ${kind.kind}: unknown conversion`
          : `the API version in the data (${found}) does not match the expected API version (${wanted})`,
      );
    return;
  }
  if (found !== "" && found !== wanted)
    throw badRequest(
      `${name} in version "${found}" cannot be handled as a ${kind.kind}: no kind "${name}" is registered for version "${found}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  if (name !== "" && name !== kind.kind)
    throw badRequest(
      `${name} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (${kind.version}.${name}) to (core.${kind.kind}): unknown conversion`,
    );
}

/** What Go's JSON decoder says of the first character that does not fit. */
function goJsonError(text: string): string {
  const trimmed = text.trimStart();
  if (trimmed === "") return "unexpected end of JSON input";
  const first = trimmed[0] as string;
  if (first === "{") {
    const second = trimmed.slice(1).trimStart()[0];
    if (second !== undefined && second !== '"' && second !== "}")
      return `invalid character '${second}' looking for beginning of object key string`;
  } else if (!/[[{"\d\-tfn]/.test(first))
    return `invalid character '${first}' looking for beginning of value`;
  return "unexpected end of JSON input";
}

function shorten(text: string): string {
  return text.length > 30 ? `${text.slice(0, 30)} ...` : text;
}
