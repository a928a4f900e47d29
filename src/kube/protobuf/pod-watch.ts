import type { PodRecord } from "../../core/model/pod.ts";
import type { WatchEvent } from "../../core/reflector/store.ts";
import { statusFault } from "../status.ts";
import { openEnvelope } from "./envelope.ts";
import type { PodDecoder } from "./pod.ts";
import { Splitter, type Cutter } from "./splitter.ts";
import { statusFromProtobuf } from "./status.ts";
import { WireReader } from "./wire.ts";

/** etcd holds objects of 1.5 MiB; whatever else a server adds to one, this is none. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;
const HEAD_BYTES = 4;

/**
 * A watch of pods in protobuf: frames of a four byte length, big-endian, and a metav1.WatchEvent.
 * What is no event is a Fault `malformed` that begins with `what`; an ERROR event is the Fault of its Status.
 */
export class PodWatchBody implements Cutter {
  readonly #what: string;
  readonly #pods: PodDecoder;
  readonly #onEvent: (event: WatchEvent<PodRecord>) => void;
  readonly #reader: WireReader;
  readonly #splitter: Splitter;

  constructor(what: string, pods: PodDecoder, onEvent: (event: WatchEvent<PodRecord>) => void) {
    this.#what = what;
    this.#pods = pods;
    this.#onEvent = onEvent;
    this.#reader = new WireReader(what);
    this.#splitter = new Splitter(what, MAX_FRAME_BYTES, this);
  }

  push(piece: Buffer): void {
    this.#splitter.push(piece);
  }

  /** The server ended the stream. Throws a Fault within a frame. */
  end(): void {
    if (this.#splitter.pending > 0) {
      throw this.#reader.malformed("the stream ended inside an event");
    }
  }

  sizeAt(bytes: Buffer, start: number, end: number): number {
    return end - start < HEAD_BYTES ? 0 : HEAD_BYTES + bytes.readUInt32BE(start);
  }

  take(bytes: Buffer, start: number, end: number): void {
    const reader = this.#reader;
    reader.over(bytes, start + HEAD_BYTES, end);
    let type = "";
    let objectStart = end;
    let objectEnd = end;
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) break;
      if (tag >>> 3 === 1) type = reader.text(tag);
      else if (tag >>> 3 === 2) {
        const outer = reader.enter(tag);
        for (;;) {
          const inner = reader.tag();
          if (inner === 0) break;
          if (inner >>> 3 === 1) {
            const length = reader.length(inner);
            objectStart = reader.pos;
            objectEnd = reader.pos += length;
          } else reader.skip(inner);
        }
        reader.leave(outer);
      } else reader.skip(tag);
    }
    this.#onEvent(this.#event(type, bytes, objectStart, objectEnd));
  }

  #event(type: string, bytes: Buffer, start: number, end: number): WatchEvent<PodRecord> {
    if (type === "ERROR") {
      const status = statusFromProtobuf(this.#what, bytes.subarray(start, end));
      const code = status["code"];
      throw statusFault(this.#what, typeof code === "number" && code > 0 ? code : 500, status);
    }
    if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK") {
      throw this.#reader.malformed(`event of unknown type "${type}"`);
    }
    if (start === end) throw this.#reader.malformed(`event "${type}" has no object`);
    const object = openEnvelope(this.#what, bytes, start, end);
    if (object.kind !== "Pod") {
      throw this.#reader.malformed(`event "${type}" is of no Pod but "${object.kind}"`);
    }
    if (type === "BOOKMARK") {
      const resourceVersion = this.#pods.readVersion(bytes, object.start, object.end);
      return { kind: "bookmark", resourceVersion: this.#checked(type, resourceVersion) };
    }
    const item = this.#pods.decode(bytes, object.start, object.end);
    const resourceVersion = this.#checked(type, this.#pods.version());
    return { kind: type === "DELETED" ? "remove" : "put", item, resourceVersion };
  }

  #checked(type: string, resourceVersion: string): string {
    if (resourceVersion === "") {
      throw this.#reader.malformed(`event "${type}" has no metadata.resourceVersion`);
    }
    return resourceVersion;
  }
}
