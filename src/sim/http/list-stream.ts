import { createGzip } from "node:zlib";
import type { Page } from "../api/list.ts";
import type { JsonObject } from "../json.ts";
import { envelope, fieldHeader } from "../protobuf/envelope.ts";
import type { Stored } from "../store/stored.ts";
import { writesItself } from "../store/written.ts";
import { partialMetadata, table, tableRow } from "../table/table.ts";
import {
  encoderOf,
  listTypeOf,
  objectType,
  storedProtobuf,
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
  return format.as === "table" ? joined(tablePieces(view, page)) : listPieces(view, page);
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
    destroy: () => reply.destroy(),
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

function* listPieces(view: View, page: Page): Generator<Buffer> {
  const plain = view.format.as === "object" && view.kind.structural === undefined;
  // Lists of custom kinds always say whether they continue.
  const metadata =
    view.format.as === "object" && !plain ? { continue: "", ...page.metadata } : page.metadata;
  const head = JSON.stringify({ ...listHead(view), metadata });
  yield Buffer.from(`${head.slice(0, -1)},"items":[`);
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let at = 0;
  let first = true;
  for (const stored of page.items) {
    const fast = plain && writesItself(stored) ? stored : undefined;
    const text = fast === undefined ? itemText(view, stored) : "";
    const length = fast === undefined ? Buffer.byteLength(text) : fast.lengthAs("json");
    if (at + length + 1 > chunk.length) {
      yield chunk.subarray(0, at);
      chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, length + 1));
      at = 0;
    }
    if (!first) chunk[at++] = COMMA;
    first = false;
    if (fast === undefined) chunk.write(text, at, length, "utf8");
    else fast.write("json", chunk, at);
    at += length;
  }
  yield chunk.subarray(0, at);
  yield Buffer.from("]}\n");
}

const COMMA = 0x2c;

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
  const lengths = new Uint32Array(page.items.length);
  let raw = metadataHeader.length + metadata.length;
  for (const [index, stored] of page.items.entries()) {
    const length = protobufLength(view, stored);
    lengths[index] = length;
    raw += 1 + varintLength(length) + length;
  }
  const { before, after } = envelope(listTypeOf(view), raw);
  yield Buffer.concat([before, metadataHeader, metadata]);
  for (let index = 0; index < page.items.length;) {
    let size = 0;
    let end = index;
    while (end < page.items.length && size < CHUNK_BYTES) {
      const length = lengths[end++] as number;
      size += 1 + varintLength(length) + length;
    }
    const chunk = Buffer.allocUnsafe(size);
    let at = 0;
    for (; index < end; index++) {
      const length = lengths[index] as number;
      at = writeItemHeader(chunk, at, length);
      writeItem(view, page.items[index] as Stored, chunk, at);
      at += length;
    }
    yield chunk;
  }
  yield after;
}

function protobufLength(view: View, stored: Stored): number {
  return view.format.as === "object" && writesItself(stored)
    ? stored.lengthAs("protobuf")
    : storedProtobuf(view, stored).length;
}

function writeItem(view: View, stored: Stored, target: Buffer, at: number): void {
  if (view.format.as === "object" && writesItself(stored)) stored.write("protobuf", target, at);
  else target.set(storedProtobuf(view, stored), at);
}

const ITEMS_TAG = 0x12;

function writeItemHeader(target: Buffer, start: number, length: number): number {
  let at = start;
  target[at++] = ITEMS_TAG;
  let rest = length;
  for (; rest > 127; rest >>>= 7) target[at++] = (rest & 127) | 128;
  target[at++] = rest;
  return at;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest >>>= 7) length++;
  return length;
}
