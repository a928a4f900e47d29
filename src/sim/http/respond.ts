import { stringify as toYaml } from "yaml";
import type { Cluster } from "../api/cluster.ts";
import type { ApiError } from "../api/errors.ts";
import { metadataOf, type JsonObject } from "../json.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { wrap } from "../protobuf/envelope.ts";
import { partialMetadata, table, tableRow, type IncludeObject } from "../table/table.ts";
import { encoderOf, objectType, rawProtobuf, type View } from "./encoding.ts";
import { PROTOBUF } from "../api/decode.ts";
import type { Format } from "./negotiate.ts";
import type { Reply } from "./reply.ts";

/** Sends one JSON document that is no object of the API: discovery, OpenAPI, version. */
export function sendDocument(
  reply: Reply,
  document: JsonObject,
  contentType = "application/json",
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(document));
  reply.begin(200, {
    ...headers,
    "Content-Type": contentType,
    "Content-Length": String(body.length),
  });
  reply.write(body);
  reply.end();
}

/** Sends plain text. */
export function sendText(reply: Reply, status: number, text: string): void {
  const body = Buffer.from(text);
  reply.begin(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(body.length),
  });
  reply.write(body);
  reply.end();
}

/** Sends an error as a Status, as protobuf if `accept` prefers that. */
export function sendError(reply: Reply, error: ApiError, cluster: Cluster, accept: string): void {
  const protobuf = accept.startsWith(PROTOBUF);
  const status = error.status();
  const body = protobuf
    ? wrap({ apiVersion: "v1", kind: "Status" }, encoderOf(cluster).encode("Status", status))
    : Buffer.from(`${JSON.stringify(status)}\n`);
  reply.begin(error.code, {
    "Cache-Control": "no-cache, private",
    "Content-Type": protobuf ? PROTOBUF : "application/json",
    "Content-Length": String(body.length),
    ...error.headers,
  });
  reply.write(body);
  reply.end();
}

/** Reads `includeObject`. */
export function includeOf(query: URLSearchParams): IncludeObject {
  const text = query.get("includeObject");
  return text === "None" || text === "Object" ? text : "Metadata";
}

/** Sends one object, or a Status that a write answered with. */
export function sendObject(
  reply: Reply,
  view: View,
  status: number,
  object: JsonObject,
  warnings: readonly string[],
): void {
  const headers: Record<string, string> = {
    "Cache-Control": "no-cache, private",
    "Content-Type": view.format.contentType,
  };
  if (warnings.length > 0)
    headers["Warning"] = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(", ");
  const body =
    view.format.encoding === "protobuf"
      ? protobufDocument(view, object)
      : encodeDocument(view.format, shape(view, object));
  reply.begin(status, { ...headers, "Content-Length": String(body.length) });
  reply.write(body);
  reply.end();
}

function protobufDocument(view: View, object: JsonObject): Buffer {
  if (object["kind"] === "Status")
    return wrap(
      { apiVersion: "v1", kind: "Status" },
      encoderOf(view.cluster).encode("Status", object),
    );
  return wrap(objectType(view), rawProtobuf(view, object));
}

function shape(view: View, object: JsonObject): JsonObject {
  const { kind, format } = view;
  if (object["kind"] === "Status" || object["kind"] === kind.listKind) return object;
  if (format.as === "metadata") return partialMetadata(object);
  if (format.as === "table")
    return table(
      kind,
      [tableRow(kind, object, view.include, view.cluster.now())],
      { resourceVersion: metadataOf(object)["resourceVersion"] ?? "" },
      true,
    );
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), ...object };
}

/** One document as JSON or YAML. */
export function encodeDocument(format: Format, document: JsonObject): Buffer {
  if (format.encoding === "yaml") return Buffer.from(toYaml(document));
  return Buffer.from(
    format.pretty ? JSON.stringify(document, null, 2) : `${JSON.stringify(document)}\n`,
  );
}
