import { createGzip } from "node:zlib";
import type { Page } from "../api/list.ts";
import type { JsonObject } from "../json.ts";
import { envelope, fieldHeader } from "../protobuf/envelope.ts";
import type { Stored } from "../store/stored.ts";
import { partialMetadata, table, tableRow } from "../table/table.ts";
import {
  encoderOf,
  listTypeOf,
  objectType,
  storedProtobuf,
  storedProtobufLength,
  storedText,
  type View,
} from "./encoding.ts";
import type { Reply } from "./reply.ts";
import { encodeDocument } from "./respond.ts";

const CHUNK_BYTES = 256 * 1024;
/** Below about this, API servers do not compress. */
const GZIP_BYTES = 128 * 1024;

/** Sends a list in pieces, as fast as the client takes it; compressed when it is long and `gzip` is true. */
export function sendList(reply: Reply, view: View, page: Page, gzip: boolean): void {
  const { format } = view;
  const size = page.items.reduce((sum, stored) => sum + stored.bytes, 0);
  const compress = gzip && size > GZIP_BYTES;
  reply.begin(200, {
    "Cache-Control": "no-cache, private",
    "Content-Type": format.contentType,
    ...(compress ? { "Content-Encoding": "gzip", Vary: "Accept-Encoding" } : {}),
  });
  pump(compress ? compressed(reply) : reply, piecesOf(view, page));
}

function piecesOf(view: View, page: Page): Iterator<Buffer> {
  const { format } = view;
  if (format.encoding === "protobuf") return protobufPieces(view, page);
  if (format.encoding === "yaml" || format.pretty) return [wholeList(view, page)].values();
  return joined(format.as === "table" ? tablePieces(view, page) : listPieces(view, page));
}

/** Joins small texts to pieces of about CHUNK_BYTES. */
function joined(texts: Iterator<string>): Iterator<Buffer> {
  return {
    next: () => {
      const parts: string[] = [];
      let size = 0;
      while (size < CHUNK_BYTES) {
        const next = texts.next();
        if (next.done === true) break;
        parts.push(next.value);
        size += next.value.length;
      }
      return parts.length === 0
        ? { done: true, value: undefined }
        : { done: false, value: Buffer.from(parts.join("")) };
    },
  };
}

function pump(reply: Reply, pieces: Iterator<Buffer>): void {
  const state = { closed: false };
  reply.whenClosed(() => {
    state.closed = true;
  });
  const run = (): void => {
    while (!state.closed) {
      const next = pieces.next();
      if (next.done === true) {
        reply.end();
        return;
      }
      if (!reply.write(next.value)) {
        reply.whenReady(run);
        return;
      }
    }
  };
  run();
}

/** A Reply that compresses what is written to `reply`. */
function compressed(reply: Reply): Reply {
  const gzip = createGzip({ level: 1 });
  gzip.on("data", (chunk: Buffer) => {
    if (reply.write(chunk)) return;
    gzip.pause();
    reply.whenReady(() => gzip.resume());
  });
  gzip.on("end", () => reply.end());
  return {
    begin: (status, headers) => reply.begin(status, headers),
    write: (chunk) => gzip.write(chunk),
    whenReady: (resume) => void gzip.once("drain", resume),
    end: () => void gzip.end(),
    whenClosed: (callback) => reply.whenClosed(callback),
  };
}

/** Items of built-in lists carry no type; those of custom kinds, and metadata alone, do. */
function itemText(view: View, stored: Stored): string {
  const { kind, format } = view;
  if (format.as === "metadata")
    return JSON.stringify(partialMetadata(view.cluster.view(kind, stored)));
  const text = storedText(view, stored);
  if (kind.structural === undefined) return text;
  const { apiVersion, kind: name } = objectType(view);
  return `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(name)},${text.slice(1)}`;
}

function listHead(view: View): JsonObject {
  const { kind, apiVersion } = listTypeOf(view);
  return { kind, apiVersion };
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

function wholeList(view: View, page: Page): Buffer {
  const items = page.items.map((stored) => JSON.parse(itemText(view, stored)) as JsonObject);
  return encodeDocument(view.format, { ...listHead(view), metadata: page.metadata, items });
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

// Lists are `metadata` 1 and `items` 2; the length of everything comes first, so items are measured first.
function* protobufPieces(view: View, page: Page): Generator<Buffer> {
  const metadata = encoderOf(view.cluster).encode("ListMeta", page.metadata);
  const metadataHeader = fieldHeader(1, metadata.length);
  const lengths = page.items.map((stored) => storedProtobufLength(view, stored));
  const raw = lengths.reduce(
    (sum, length) => sum + fieldHeader(2, length).length + length,
    metadataHeader.length + metadata.length,
  );
  const { before, after } = envelope(listTypeOf(view), raw);
  let parts: Buffer[] = [before, metadataHeader, metadata];
  let size = 0;
  for (const [index, stored] of page.items.entries()) {
    const length = lengths[index] as number;
    parts.push(fieldHeader(2, length), storedProtobuf(view, stored));
    size += length;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  parts.push(after);
  yield Buffer.concat(parts);
}
