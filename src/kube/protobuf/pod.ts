import type { ContainerPort, PodPhase, PodRecord, Protocol } from "../../core/model/pod.ts";
import { Interner } from "./interner.ts";
import { WireReader } from "./wire.ts";

const PHASES: ReadonlyMap<string, PodPhase> = new Map([
  ["", "Pending"],
  ["Pending", "Pending"],
  ["Running", "Running"],
  ["Succeeded", "Succeeded"],
  ["Failed", "Failed"],
]);
const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ["", "TCP"],
  ["TCP", "TCP"],
  ["UDP", "UDP"],
  ["SCTP", "SCTP"],
]);

type Texts = Readonly<Record<string, string>>;

const NO_TEXTS: Texts = Object.freeze({});
const NO_PORTS: readonly ContainerPort[] = Object.freeze([]);
const NO_IPS: readonly string[] = Object.freeze([]);

/** Tag of ObjectMeta.labels: field 11, a message. */
const LABELS_TAG = (11 << 3) | 2;

/**
 * Decodes v1 Pods in protobuf (k8s.io/api/core/v1/generated.proto) into PodRecords: only the fields of a record are
 * read, the rest is skipped. Gives the same record as `podFromJson` of the same Pod, except that a deletion time of
 * zero, which JSON cannot express, is a deletion time.
 * Label sets and texts that many pods share are shared by their records.
 */
export class PodDecoder {
  readonly #reader: WireReader;
  readonly #keep: readonly Buffer[];
  readonly #texts = new Interner<string>(4_096, 256);
  readonly #labelSets = new Interner<Texts>(8_192, 1_024);
  readonly #portSet = new Interner<ContainerPort | undefined>(1_024, 256);
  readonly #makeText = (start: number, end: number): string => this.#reader.textAt(start, end);
  readonly #makePort = (start: number, end: number): ContainerPort | undefined =>
    this.#port(start, end);
  readonly #makeLabels = (start: number, end: number): Texts => this.#labelSet(start, end);

  #name = "";
  #namespace = "";
  #uid = "";
  #versionStart = 0;
  #versionEnd = 0;
  #labels: Texts = NO_TEXTS;
  #annotations: Texts = NO_TEXTS;
  #terminating = false;
  #nodeName = "";
  #hostNetwork = false;
  #phase = "";
  #podIp = "";
  #ips: string[] | undefined;
  #ports: ContainerPort[] | undefined;
  #initPorts: ContainerPort[] | undefined;

  /** Faults begin with `what`. */
  constructor(what: string, keepAnnotations: ReadonlySet<string>) {
    this.#reader = new WireReader(what);
    this.#keep = [...keepAnnotations].map((key) => Buffer.from(key));
  }

  /** The Pod in these bytes. Throws a Fault `malformed` when they are none. */
  decode(bytes: Buffer, start: number, end: number): PodRecord {
    this.#read(bytes, start, end);
    if (this.#name === "") throw this.#reader.malformed("a pod has no metadata.name");
    if (this.#namespace === "") {
      throw this.#reader.malformed(`pod "${this.#name}" has no metadata.namespace`);
    }
    return {
      namespace: this.#namespace,
      name: this.#name,
      uid: this.#uid,
      labels: this.#labels,
      annotations: this.#annotations,
      ips: this.#ips ?? (this.#podIp === "" ? NO_IPS : [this.#podIp]),
      phase: PHASES.get(this.#phase) ?? "Unknown",
      hostNetwork: this.#hostNetwork,
      nodeName: this.#nodeName,
      terminating: this.#terminating,
      ports: this.#allPorts(),
    };
  }

  /** The metadata.resourceVersion of the Pod in these bytes, which may have nothing else (a bookmark); "" for none. */
  readVersion(bytes: Buffer, start: number, end: number): string {
    this.#read(bytes, start, end);
    return this.version();
  }

  /** The metadata.resourceVersion of the Pod last decoded, as long as its bytes are there. */
  version(): string {
    return this.#reader.textAt(this.#versionStart, this.#versionEnd);
  }

  #read(bytes: Buffer, start: number, end: number): void {
    this.#name = "";
    this.#namespace = "";
    this.#uid = "";
    this.#versionStart = 0;
    this.#versionEnd = 0;
    this.#labels = NO_TEXTS;
    this.#annotations = NO_TEXTS;
    this.#terminating = false;
    this.#nodeName = "";
    this.#hostNetwork = false;
    this.#phase = "";
    this.#podIp = "";
    this.#ips = undefined;
    this.#ports = undefined;
    this.#initPorts = undefined;
    const reader = this.#reader;
    reader.over(bytes, start, end);
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) return;
      const field = tag >>> 3;
      if (field > 3) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter(tag);
      if (field === 1) this.#metadata();
      else if (field === 2) this.#spec();
      else this.#status();
      reader.leave(outer);
    }
  }

  #metadata(): void {
    const reader = this.#reader;
    for (;;) {
      const tag = reader.tag();
      switch (tag >>> 3) {
        case 0:
          return;
        case 1:
          this.#name = reader.text(tag);
          break;
        case 3:
          this.#namespace = this.#shared(tag);
          break;
        case 5:
          this.#uid = reader.text(tag);
          break;
        case 6: {
          const length = reader.length(tag);
          this.#versionStart = reader.pos;
          reader.pos += length;
          this.#versionEnd = reader.pos;
          break;
        }
        case 9:
          reader.leave(reader.enter(tag));
          this.#terminating = true;
          break;
        case 11:
          this.#labelEntries(tag);
          break;
        case 12:
          this.#annotation(tag);
          break;
        default:
          reader.skip(tag);
      }
    }
  }

  /** All label entries that follow one another, which are all of them in what an API server writes. */
  #labelEntries(first: number): void {
    const reader = this.#reader;
    const { bytes } = reader;
    const start = reader.pos - 1;
    if (bytes[start] !== LABELS_TAG) {
      // The tag is written in more bytes than it needs.
      const outer = reader.enter(first);
      const entry = this.#entry();
      reader.leave(outer);
      this.#addLabels(Object.fromEntries([entry]));
      return;
    }
    reader.skip(first);
    while (reader.pos < reader.end && bytes[reader.pos] === LABELS_TAG) {
      reader.pos++;
      reader.skip(LABELS_TAG);
    }
    this.#addLabels(this.#labelSets.of(bytes, start, reader.pos, this.#makeLabels));
  }

  #addLabels(found: Texts): void {
    this.#labels = this.#labels === NO_TEXTS ? found : { ...this.#labels, ...found };
  }

  /** The label entries between `start` and the reader's position `end`. */
  #labelSet(start: number, end: number): Texts {
    const reader = this.#reader;
    const entries: [string, string][] = [];
    const outer = reader.end;
    reader.end = end;
    reader.pos = start;
    while (reader.pos < end) {
      const entry = reader.enter(reader.tag());
      entries.push(this.#entry());
      reader.leave(entry);
    }
    reader.end = outer;
    return Object.fromEntries(entries);
  }

  /** The entry of a map of texts that the reader stands in. */
  #entry(): [key: string, value: string] {
    const reader = this.#reader;
    let key = "";
    let value = "";
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) return [key, value];
      if (tag >>> 3 === 1) key = this.#shared(tag);
      else if (tag >>> 3 === 2) value = this.#shared(tag);
      else reader.skip(tag);
    }
  }

  #annotation(tag: number): void {
    const reader = this.#reader;
    const outer = reader.enter(tag);
    let key: Buffer | undefined;
    let valueStart = 0;
    let valueEnd = 0;
    for (;;) {
      const inner = reader.tag();
      if (inner === 0) break;
      if (inner >>> 3 === 1) {
        const length = reader.length(inner);
        key = this.#kept(length);
        reader.pos += length;
      } else if (inner >>> 3 === 2) {
        const length = reader.length(inner);
        valueStart = reader.pos;
        valueEnd = reader.pos += length;
      } else reader.skip(inner);
    }
    reader.leave(outer);
    if (key !== undefined) {
      const value = reader.textAt(valueStart, valueEnd);
      this.#annotations = {
        ...this.#annotations,
        ...Object.fromEntries([[key.toString(), value]]),
      };
    }
  }

  /** Which of the annotations to keep has the key of `length` bytes that the reader stands at. */
  #kept(length: number): Buffer | undefined {
    const { bytes, pos } = this.#reader;
    for (const key of this.#keep) {
      if (key.length === length && key.compare(bytes, pos, pos + length) === 0) return key;
    }
    return undefined;
  }

  #spec(): void {
    const reader = this.#reader;
    for (;;) {
      const tag = reader.tag();
      switch (tag >>> 3) {
        case 0:
          return;
        case 2:
          this.#ports = this.#container(tag, this.#ports, false);
          break;
        case 10:
          this.#nodeName = this.#shared(tag);
          break;
        case 11:
          this.#hostNetwork = reader.flag(tag);
          break;
        case 20:
          this.#initPorts = this.#container(tag, this.#initPorts, true);
          break;
        default:
          reader.skip(tag);
      }
    }
  }

  /** Adds the ports of a container, if it is an init container only those of one that restarts (KEP-753). */
  #container(
    tag: number,
    before: ContainerPort[] | undefined,
    isInit: boolean,
  ): ContainerPort[] | undefined {
    const reader = this.#reader;
    const outer = reader.enter(tag);
    const count = before?.length ?? 0;
    let ports = before;
    let restarts = !isInit;
    for (;;) {
      const inner = reader.tag();
      if (inner === 0) break;
      if (inner >>> 3 === 6) {
        const length = reader.length(inner);
        const start = reader.pos;
        const port = this.#portSet.of(reader.bytes, start, start + length, this.#makePort);
        reader.pos = start + length;
        if (port !== undefined) (ports ??= []).push(port);
      } else if (isInit && inner >>> 3 === 24) {
        restarts = this.#shared(inner) === "Always";
      } else reader.skip(inner);
    }
    reader.leave(outer);
    if (!restarts && ports !== undefined) ports.length = count;
    return ports;
  }

  /** Undefined for a protocol that no policy can name. */
  #port(start: number, end: number): ContainerPort | undefined {
    const reader = this.#reader;
    const outer = reader.end;
    reader.pos = start;
    reader.end = end;
    let name = "";
    let port = 0;
    let protocol = "";
    for (;;) {
      const tag = reader.tag();
      if (tag === 0) break;
      if (tag >>> 3 === 1) name = this.#shared(tag);
      else if (tag >>> 3 === 3) port = reader.int32(tag);
      else if (tag >>> 3 === 4) protocol = this.#shared(tag);
      else reader.skip(tag);
    }
    reader.end = outer;
    const known = PROTOCOLS.get(protocol);
    return known === undefined ? undefined : { name, port, protocol: known };
  }

  #status(): void {
    const reader = this.#reader;
    for (;;) {
      const tag = reader.tag();
      switch (tag >>> 3) {
        case 0:
          return;
        case 1:
          this.#phase = this.#shared(tag);
          break;
        case 6:
          this.#podIp = reader.text(tag);
          break;
        case 12:
          this.#ip(tag);
          break;
        default:
          reader.skip(tag);
      }
    }
  }

  #ip(tag: number): void {
    const reader = this.#reader;
    const outer = reader.enter(tag);
    let ip = "";
    for (;;) {
      const inner = reader.tag();
      if (inner === 0) break;
      if (inner >>> 3 === 1) ip = reader.text(inner);
      else reader.skip(inner);
    }
    reader.leave(outer);
    if (ip !== "") (this.#ips ??= []).push(ip);
  }

  #shared(tag: number): string {
    const reader = this.#reader;
    const length = reader.length(tag);
    const start = reader.pos;
    reader.pos = start + length;
    return this.#texts.of(reader.bytes, start, reader.pos, this.#makeText);
  }

  #allPorts(): readonly ContainerPort[] {
    if (this.#initPorts === undefined) return this.#ports ?? NO_PORTS;
    return [...(this.#ports ?? NO_PORTS), ...this.#initPorts];
  }
}
