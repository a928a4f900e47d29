import { metadataOf, stringAt, stringsAt, type JsonObject } from "../json.ts";

/** One version of one object, immutable. What it holds has neither `kind` nor `apiVersion`. */
export interface Stored {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: number;
  readonly labels: Readonly<Record<string, string>>;
  /** About how many bytes it keeps in memory. */
  readonly bytes: number;
  /** The object as JSON text, with its resourceVersion. */
  json(): string;
  /** A copy that the caller may change. */
  object(): JsonObject;
  /** The same object at another revision: what a DELETED event shows. */
  at(revision: number): Stored;
}

/** An object kept as JSON text. */
export class TextObject implements Stored {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly revision: number;
  readonly labels: Readonly<Record<string, string>>;
  private readonly text: string;

  /** Takes what it needs from `object` and keeps no reference to it. */
  constructor(object: JsonObject, revision: number) {
    const metadata = metadataOf(object);
    metadata["resourceVersion"] = String(revision);
    this.namespace = stringAt(metadata, "namespace");
    this.name = stringAt(metadata, "name");
    this.uid = stringAt(metadata, "uid");
    this.revision = revision;
    this.labels = stringsAt(metadata, "labels");
    this.text = JSON.stringify(object);
  }

  get bytes(): number {
    return this.text.length + 300;
  }

  json(): string {
    return this.text;
  }

  object(): JsonObject {
    return JSON.parse(this.text) as JsonObject;
  }

  at(revision: number): Stored {
    return new TextObject(this.object(), revision);
  }
}
