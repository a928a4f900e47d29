import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { ListPage, WatchEvent } from "../core/reflector/store.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import type { ApiClient } from "./api-client.ts";
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
  const { path, decode, maxPageBytes = MAX_PAGE_BYTES } = options;
  const selectors = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
  const listed = `list ${path}`;
  const watched = `watch ${path}`;
  const probed = `probe ${path}`;

  return {
    async list({ resourceVersion, continueToken, limit, signal, onBytes, onItem }) {
      const pieces: Buffer[] = [];
      let length = 0;
      // A continue token holds the version; the API refuses both together.
      const version = continueToken === "" && resourceVersion !== "" ? resourceVersion : undefined;
      await client.stream({
        path,
        query: {
          ...selectors,
          limit: String(limit),
          continue: continueToken === "" ? undefined : continueToken,
          resourceVersion: version,
          resourceVersionMatch: version === undefined ? undefined : "NotOlderThan",
        },
        signal,
        onOpen: onBytes,
        onPiece: (piece) => {
          onBytes();
          length += piece.length;
          if (length > maxPageBytes) throw malformed(listed, `page exceeds ${maxPageBytes} bytes`);
          pieces.push(piece);
        },
      });
      const body = parseJson(listed, Buffer.concat(pieces, length));
      const page = pageOf(listed, body);
      for (const item of itemsOf(listed, body)) onItem(decoded(listed, decode, item));
      return page;
    },

    async probe({ signal }) {
      // With the selectors of the list: an authorizer may allow nothing wider.
      const query = { ...selectors, limit: "1" };
      const { body } = await client.request({ method: "GET", path, query, signal });
      itemsOf(probed, body);
      return { resourceVersion: pageOf(probed, body).resourceVersion };
    },

    async watch({ resourceVersion, timeoutSeconds, signal, onBytes, onOpen, onEvent }) {
      const lines = new LineSplitter(watched);
      await client.stream({
        path,
        query: {
          ...selectors,
          watch: "true",
          allowWatchBookmarks: "true",
          resourceVersion,
          timeoutSeconds: String(timeoutSeconds),
        },
        signal,
        onOpen,
        onPiece: (piece) => {
          onBytes();
          lines.push(piece, (line) => onEvent(eventOf(watched, parseJson(watched, line), decode)));
        },
      });
      lines.end();
    },
  };
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
