import { stringify as toYaml } from "yaml";
import { metadataOf, type JsonObject } from "../json.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Cluster } from "../api/cluster.ts";
import type { ApiError } from "../api/errors.ts";
import { listType, type Page } from "../api/list.ts";
import type { WatchEvent, WatchSink } from "../api/watch.ts";
import type { Stored } from "../store/stored.ts";
import { partialMetadata, table, tableRow, type IncludeObject } from "../table/table.ts";
import type { Format } from "./negotiate.ts";
import type { Reply } from "./reply.ts";

const CHUNK_BYTES = 256 * 1024;

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

/** Sends an error as a Status. */
export function sendError(reply: Reply, error: ApiError): void {
  const body = Buffer.from(`${JSON.stringify(error.status())}\n`);
  reply.begin(error.code, {
    "Cache-Control": "no-cache, private",
    "Content-Type": "application/json",
    "Content-Length": String(body.length),
    ...error.headers,
  });
  reply.write(body);
  reply.end();
}

/** What responses need to know of the request. */
export interface View {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly format: Format;
  readonly include: IncludeObject;
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
  const body = encodeDocument(view.format, shape(view, object));
  reply.begin(status, { ...headers, "Content-Length": String(body.length) });
  reply.write(body);
  reply.end();
}

function shape(view: View, object: JsonObject): JsonObject {
  const { kind, format } = view;
  if (object["kind"] === "Status") return object;
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

function encodeDocument(format: Format, document: JsonObject): Buffer {
  if (format.encoding === "yaml") return Buffer.from(toYaml(document));
  return Buffer.from(
    format.pretty ? JSON.stringify(document, null, 2) : `${JSON.stringify(document)}\n`,
  );
}

/** Sends a list in pieces, as fast as the client takes it. */
export function sendList(reply: Reply, view: View, page: Page): void {
  const { format } = view;
  reply.begin(200, {
    "Cache-Control": "no-cache, private",
    "Content-Type": format.contentType,
    "Transfer-Encoding": "chunked",
  });
  let pieces: Iterator<string>;
  if (format.as === "table") pieces = tablePieces(view, page);
  else if (format.encoding === "yaml" || format.pretty) pieces = wholePieces(view, page);
  else pieces = listPieces(view, page);
  pump(reply, pieces);
}

function pump(reply: Reply, pieces: Iterator<string>): void {
  const state = { closed: false };
  reply.whenClosed(() => {
    state.closed = true;
  });
  const run = (): void => {
    let buffered: string[] = [];
    let size = 0;
    while (!state.closed) {
      const next = pieces.next();
      if (next.done !== true) {
        buffered.push(next.value);
        size += next.value.length;
        if (size < CHUNK_BYTES) continue;
      }
      const ready = size === 0 || reply.write(Buffer.from(buffered.join("")));
      buffered = [];
      size = 0;
      if (next.done === true) {
        reply.end();
        return;
      }
      if (!ready) {
        reply.whenReady(run);
        return;
      }
    }
  };
  run();
}

function itemText(view: View, stored: Stored): string {
  const { kind, format } = view;
  if (format.as === "metadata")
    return JSON.stringify(partialMetadata(view.cluster.view(kind, stored)));
  const text =
    kind.fromStorage === undefined
      ? stored.json()
      : JSON.stringify(view.cluster.view(kind, stored));
  // Items of built-in lists carry no type; those of custom kinds do.
  return kind.structural === undefined
    ? text
    : `{"apiVersion":${JSON.stringify(apiVersionOf(kind))},"kind":${JSON.stringify(kind.kind)},${text.slice(1)}`;
}

function listHead(view: View): JsonObject {
  return view.format.as === "metadata"
    ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
    : listType(view.kind);
}

function* listPieces(view: View, page: Page): Generator<string> {
  const head = JSON.stringify({ ...listHead(view), metadata: page.metadata });
  yield `${head.slice(0, -1)},"items":[`;
  let first = true;
  for (const stored of page.items) {
    yield first ? itemText(view, stored) : `,${itemText(view, stored)}`;
    first = false;
  }
  yield "]}\n";
}

function* wholePieces(view: View, page: Page): Generator<string> {
  const items = page.items.map((stored) => JSON.parse(itemText(view, stored)) as JsonObject);
  yield encodeDocument(view.format, {
    ...listHead(view),
    metadata: page.metadata,
    items,
  }).toString();
}

function* tablePieces(view: View, page: Page): Generator<string> {
  const { kind, cluster } = view;
  const head = JSON.stringify(table(kind, [], page.metadata, true));
  yield head.slice(0, -2);
  let first = true;
  for (const stored of page.items) {
    const row = tableRow(kind, cluster.view(kind, stored), view.include, cluster.now());
    yield first ? JSON.stringify(row) : `,${JSON.stringify(row)}`;
    first = false;
  }
  yield "]}\n";
}

/** A WatchSink that writes JSON events to `reply`. The response must have begun. */
export function watchSink(reply: Reply, view: View): WatchSink {
  let columns = true;
  return {
    send: (event) => {
      const data = encodeEvent(view, event, columns);
      if (event.type !== "BOOKMARK" && event.type !== "ERROR") columns = false;
      return reply.write(data);
    },
    whenReady: (resume) => reply.whenReady(resume),
    end: () => reply.end(),
  };
}

function encodeEvent(view: View, event: WatchEvent, columns: boolean): Buffer {
  const { format, kind } = view;
  if (event.type === "ERROR") return line({ type: "ERROR", object: event.error.status() });
  if (event.type === "BOOKMARK") return line({ type: "BOOKMARK", object: bookmark(view, event) });
  if (format.as === "object" && event.change !== undefined) {
    const key = `json ${kind.version} ${kind.group}`;
    let data = event.change.encoded.get(key);
    if (data === undefined) {
      data = eventLine(view, event.type, event.stored);
      event.change.encoded.set(key, data);
    }
    return data;
  }
  if (format.as === "object") return eventLine(view, event.type, event.stored);
  const object = view.cluster.view(kind, event.stored);
  if (format.as === "metadata") return line({ type: event.type, object: partialMetadata(object) });
  const row = tableRow(kind, object, view.include, view.cluster.now());
  const shown = table(kind, [row], { resourceVersion: String(event.stored.revision) }, columns);
  if (!columns) shown["columnDefinitions"] = null;
  return line({ type: event.type, object: shown });
}

function eventLine(view: View, type: string, stored: Stored): Buffer {
  const { kind } = view;
  const text =
    kind.fromStorage === undefined
      ? stored.json()
      : JSON.stringify(view.cluster.view(kind, stored));
  return Buffer.from(
    `{"type":"${type}","object":{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},${text.slice(1)}}\n`,
  );
}

function bookmark(
  view: View,
  event: { readonly revision: number; readonly initialEnd: boolean },
): JsonObject {
  const metadata: JsonObject = { resourceVersion: String(event.revision) };
  if (event.initialEnd) metadata["annotations"] = { "k8s.io/initial-events-end": "true" };
  const { kind, format } = view;
  if (format.as === "metadata")
    return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
  if (format.as === "table") return table(kind, [], metadata, false);
  return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
}

function line(value: JsonObject): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
