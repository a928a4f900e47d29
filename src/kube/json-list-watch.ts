import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { ListPage, WatchEvent } from "../core/reflector/store.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import type { ApiClient } from "./api-client.ts";
import { listQuery, watchQuery, type Selectors } from "./collection-query.ts";
import { asObject, asText, type JsonObject } from "./json.ts";
import { statusFault } from "./status.ts";

/** Which collection, and what its objects become. */
export interface JsonListWatchOptions<T> {
  /** The collection, e.g. `/api/v1/pods` or `/apis/crd.projectcalico.org/v1/globalnetworksets`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** One object in JSON to what is kept of it. Throws a Fault `malformed`, which fails the whole page or watch. */
  readonly decode: (object: unknown) => T;
  /** A longer page is a fault. @default 256 MiB */
  readonly maxPageBytes?: number;
}

const MAX_PAGE_BYTES = 256 * 1024 * 1024;
/** etcd holds objects of 1.5 MiB; JSON can make several times that of it. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** A collection read as JSON. What cannot be understood is a Fault `malformed`, never skipped. */
export function jsonListWatch<T>(
  client: ApiClient,
  options: JsonListWatchOptions<T>,
): ListWatch<T> {
  const { path, decode, maxPageBytes } = options;
  const listed = `list ${path}`;
  const watched = `watch ${path}`;

  return {
    async probe({ signal }) {
      return probeVersion(client, path, options, signal);
    },

    async list(request) {
      const body = new JsonListBody(listed, decode, maxPageBytes);
      await client.stream({
        path,
        query: listQuery(options, request, String(request.limit)),
        signal: request.signal,
        onOpen: request.onBytes,
        onPiece: (piece) => {
          request.onBytes();
          body.push(piece);
        },
      });
      return body.end(request.onItem);
    },

    async watch(request) {
      const body = new JsonWatchBody(watched, decode, request.onEvent);
      await client.stream({
        path,
        query: watchQuery(options, request),
        signal: request.signal,
        onOpen: request.onOpen,
        onPiece: (piece) => {
          request.onBytes();
          body.push(piece);
        },
      });
      body.end();
    },
  };
}

/** What `ListWatch.probe` of the collection at `path` answers. */
export async function probeVersion(
  client: ApiClient,
  path: string,
  { labelSelector, fieldSelector }: Selectors,
  signal: AbortSignal,
): Promise<{ readonly resourceVersion: string }> {
  // With the selectors of the list: an authorizer may allow nothing wider.
  const query = { labelSelector, fieldSelector, limit: "1" };
  const { body } = await client.request({ method: "GET", path, query, signal });
  const probed = `probe ${path}`;
  itemsOf(probed, body);
  return { resourceVersion: pageOf(probed, body).resourceVersion };
}

/** A page of a collection in JSON, which is held whole before it is decoded. */
export class JsonListBody<T> {
  readonly #what: string;
  readonly #decode: (object: unknown) => T;
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  /** Faults (`malformed`) begin with `what`. */
  constructor(what: string, decode: (object: unknown) => T, maxBytes: number = MAX_PAGE_BYTES) {
    this.#what = what;
    this.#decode = decode;
    this.#maxBytes = maxBytes;
  }

  push(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) {
      throw malformed(this.#what, `page exceeds ${this.#maxBytes} bytes`);
    }
    this.#pieces.push(piece);
  }

  /** The answer ended: gives its items and answers the page. Throws a Fault unless it is whole. */
  end(onItem: (item: T) => void): ListPage {
    const body = parseJson(this.#what, Buffer.concat(this.#pieces, this.#length));
    const page = pageOf(this.#what, body);
    for (const item of itemsOf(this.#what, body)) onItem(decoded(this.#what, this.#decode, item));
    return page;
  }
}

/** A watch in JSON: an event on each line. */
export class JsonWatchBody<T> {
  readonly #what: string;
  readonly #decode: (object: unknown) => T;
  readonly #onEvent: (event: WatchEvent<T>) => void;
  readonly #lines: LineSplitter;

  /** Faults (`malformed`) begin with `what`; an ERROR event is the Fault of its Status. */
  constructor(
    what: string,
    decode: (object: unknown) => T,
    onEvent: (event: WatchEvent<T>) => void,
  ) {
    this.#what = what;
    this.#decode = decode;
    this.#onEvent = onEvent;
    this.#lines = new LineSplitter(what);
  }

  push(piece: Buffer): void {
    this.#lines.push(piece, (line) =>
      this.#onEvent(eventOf(this.#what, parseJson(this.#what, line), this.#decode)),
    );
  }

  /** The server ended the stream. Throws a Fault within a line. */
  end(): void {
    this.#lines.end();
  }
}

/** Cuts a stream of pieces at newlines. */
class LineSplitter {
  readonly #what: string;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(what: string) {
    this.#what = what;
  }

  push(piece: Buffer, onLine: (line: Buffer) => void): void {
    let from = 0;
    for (;;) {
      const end = piece.indexOf(NEWLINE, from);
      if (end === -1) break;
      const tail = piece.subarray(from, end);
      const line = this.#restBytes === 0 ? tail : Buffer.concat([...this.#rest, tail]);
      this.#rest = [];
      this.#restBytes = 0;
      from = end + 1;
      if (line.length > 0) onLine(line);
    }
    if (from === piece.length) return;
    this.#rest.push(piece.subarray(from));
    this.#restBytes += piece.length - from;
    if (this.#restBytes > MAX_EVENT_BYTES) {
      throw malformed(this.#what, `an event exceeds ${MAX_EVENT_BYTES} bytes`);
    }
  }

  end(): void {
    if (this.#restBytes > 0) throw malformed(this.#what, "the stream ended inside an event");
  }
}

function pageOf(what: string, body: unknown): ListPage {
  const metadata = asObject(asObject(body)?.["metadata"]);
  const resourceVersion = asText(metadata?.["resourceVersion"]);
  if (metadata === undefined || resourceVersion === "") {
    throw malformed(what, "the answer is no list: metadata.resourceVersion is missing");
  }
  return { resourceVersion, continueToken: asText(metadata["continue"]) };
}

function itemsOf(what: string, body: unknown): readonly unknown[] {
  const items = asObject(body)?.["items"];
  // Go writes an empty slice that was never made as null.
  if (items === null) return [];
  if (!Array.isArray(items)) throw malformed(what, "the answer is no list: items is missing");
  return items;
}

function eventOf<T>(what: string, line: unknown, decode: (object: unknown) => T): WatchEvent<T> {
  const event = asObject(line);
  const type = asText(event?.["type"]);
  const object = asObject(event?.["object"]);
  if (object === undefined) throw malformed(what, `event "${type}" has no object`);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
      return {
        kind: "put",
        item: decoded(what, decode, object),
        resourceVersion: versionOf(what, type, object),
      };
    case "DELETED":
      return {
        kind: "remove",
        item: decoded(what, decode, object),
        resourceVersion: versionOf(what, type, object),
      };
    case "BOOKMARK":
      return { kind: "bookmark", resourceVersion: versionOf(what, type, object) };
    case "ERROR":
      throw statusFault(what, typeof object["code"] === "number" ? object["code"] : 500, object);
    default:
      throw malformed(what, `event of unknown type "${type}"`);
  }
}

function versionOf(what: string, type: string, object: JsonObject): string {
  const version = asText(asObject(object["metadata"])?.["resourceVersion"]);
  if (version === "") throw malformed(what, `event "${type}" has no metadata.resourceVersion`);
  return version;
}

function decoded<T>(what: string, decode: (object: unknown) => T, object: unknown): T {
  try {
    return decode(object);
  } catch (error) {
    if (faultCode(error) !== undefined) throw malformed(what, errorText(error), error);
    throw error;
  }
}

function parseJson(what: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw malformed(what, `not JSON: ${errorText(error)}`, error);
  }
}

function malformed(what: string, why: string, cause?: unknown): Fault {
  return new Fault("malformed", `${what}: ${why}`, { cause });
}
