import type { WatchEvent, WatchSink } from "../api/watch.ts";
import { emptyObject } from "../api/managed.ts";
import type { JsonObject } from "../json.ts";
import { watchFrame, wrap } from "../protobuf/envelope.ts";
import type { Stored } from "../store/stored.ts";
import { partialMetadata, table, tableRow } from "../table/table.ts";
import {
  encoderOf,
  objectType,
  rawProtobuf,
  storedProtobuf,
  storedText,
  type View,
} from "./encoding.ts";
import type { Reply } from "./reply.ts";

/** A WatchSink that writes events to `reply`. The response must have begun. */
export function watchSink(reply: Reply, view: View): WatchSink {
  const encode = view.format.encoding === "protobuf" ? protobufEvents(view) : jsonEvents(view);
  return {
    send: (event) => reply.write(encode(event)),
    whenReady: (resume) => reply.whenReady(resume),
    end: () => reply.end(),
  };
}

/** The Content-Type of a watch. */
export function watchContentType(view: View): string {
  const { contentType, encoding } = view.format;
  return encoding === "protobuf" ? `${contentType};stream=watch` : contentType;
}

/** Encodes through the cache of the change, so that many watchers share the work. */
function shared(view: View, event: WatchEvent, encode: (stored: Stored) => Buffer): Buffer {
  if (!("stored" in event)) throw new Error("watch: only changes are shared");
  const cache = event.change?.encoded;
  if (view.format.as !== "object" || cache === undefined) return encode(event.stored);
  const key = `${view.format.encoding} ${view.kind.group} ${view.kind.version}`;
  let data = cache.get(key);
  if (data === undefined) cache.set(key, (data = encode(event.stored)));
  return data;
}

function protobufEvents(view: View): (event: WatchEvent) => Buffer {
  return (event) => {
    switch (event.type) {
      case "ERROR": {
        const status = encoderOf(view.cluster).encode("Status", event.error.status());
        return watchFrame("ERROR", wrap({ apiVersion: "v1", kind: "Status" }, status));
      }
      case "BOOKMARK":
        return watchFrame(
          "BOOKMARK",
          wrap(objectType(view), rawProtobuf(view, { metadata: bookmarkMetadata(event) })),
        );
      case "ADDED":
      case "MODIFIED":
      case "DELETED":
        return shared(view, event, (stored) =>
          watchFrame(event.type, wrap(objectType(view), storedProtobuf(view, stored))),
        );
    }
  };
}

function jsonEvents(view: View): (event: WatchEvent) => Buffer {
  const { kind, format, cluster, include } = view;
  let first = true;
  return (event) => {
    if (event.type === "ERROR") return line({ type: "ERROR", object: event.error.status() });
    if (event.type === "BOOKMARK") {
      const shown = bookmark(view, bookmarkMetadata(event), first);
      first = false;
      return line({ type: "BOOKMARK", object: shown });
    }
    if (format.as === "object")
      return shared(view, event, (stored) => eventLine(view, event.type, stored));
    const object = cluster.view(kind, event.stored);
    if (format.as === "metadata")
      return line({ type: event.type, object: partialMetadata(object) });
    const row = tableRow(kind, object, include, cluster.now());
    const metadata = { resourceVersion: String(event.stored.revision) };
    const shown = table(kind, [row], metadata, first);
    // Only the first event of a stream says what the columns are.
    if (!first) shown["columnDefinitions"] = null;
    first = false;
    return line({ type: event.type, object: shown });
  };
}

function eventLine(view: View, type: string, stored: Stored): Buffer {
  const { kind, apiVersion } = objectType(view);
  const text = storedText(view, stored);
  return Buffer.from(
    `{"type":"${type}","object":{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},${text.slice(1)}}\n`,
  );
}

function bookmarkMetadata(event: {
  readonly revision: number;
  readonly initialEnd: boolean;
}): JsonObject {
  const metadata: JsonObject = { resourceVersion: String(event.revision) };
  if (event.initialEnd) metadata["annotations"] = { "k8s.io/initial-events-end": "true" };
  return metadata;
}

/** A bookmark shows an object that has nothing but its version. */
function bookmark(view: View, metadata: JsonObject, first: boolean): JsonObject {
  const { kind, apiVersion } = objectType(view);
  const empty: JsonObject = { ...emptyObject(view.cluster, view.kind), metadata };
  if (view.format.as === "metadata") return { kind, apiVersion, metadata };
  if (view.format.as === "object") return { kind, apiVersion, ...empty };
  const row = tableRow(view.kind, empty, view.include, view.cluster.now());
  const version = { resourceVersion: metadata["resourceVersion"] ?? "" };
  const shown = table(view.kind, [row], version, first);
  return first ? shown : { ...shown, columnDefinitions: null };
}

function line(value: JsonObject): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
