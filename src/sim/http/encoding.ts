import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Cluster } from "../api/cluster.ts";
import type { JsonObject } from "../json.ts";
import { ProtobufEncoder } from "../protobuf/encode.ts";
import type { TypeMeta } from "../protobuf/envelope.ts";
import type { Stored } from "../store/stored.ts";
import { bytesOf, writesItself } from "../store/written.ts";
import type { IncludeObject } from "../table/table.ts";
import type { Format } from "./negotiate.ts";

/** What responses need to know of the request. */
export interface View {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly format: Format;
  readonly include: IncludeObject;
}

const METADATA: TypeMeta = { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata" };

const encoders = new WeakMap<Cluster, ProtobufEncoder>();

/** The encoder of a cluster, made once. */
export function encoderOf(cluster: Cluster): ProtobufEncoder {
  let encoder = encoders.get(cluster);
  if (encoder === undefined) encoders.set(cluster, (encoder = new ProtobufEncoder(cluster.schema)));
  return encoder;
}

/** The type of one object in the response. */
export function objectType(view: View): TypeMeta {
  return view.format.as === "metadata"
    ? METADATA
    : { apiVersion: apiVersionOf(view.kind), kind: view.kind.kind };
}

/** The type of a list in the response. */
export function listTypeOf(view: View): TypeMeta {
  return view.format.as === "metadata"
    ? { ...METADATA, kind: "PartialObjectMetadataList" }
    : { apiVersion: apiVersionOf(view.kind), kind: view.kind.listKind };
}

/** The raw protobuf of an object of the response. */
export function rawProtobuf(view: View, object: JsonObject): Buffer {
  const message =
    view.format.as === "metadata" ? "PartialObjectMetadata" : (view.kind.message as string);
  return encoderOf(view.cluster).encode(message, object);
}

/** The raw protobuf of a stored object, as the response shows it. */
export function storedProtobuf(view: View, stored: Stored): Buffer {
  if (view.format.as === "object" && writesItself(stored)) return bytesOf(stored, "protobuf");
  return rawProtobuf(view, view.cluster.view(view.kind, stored));
}

/** The JSON text of a stored object in the version of the response, without its type. */
export function storedText(view: View, stored: Stored): string {
  return view.kind.fromStorage === undefined
    ? stored.json()
    : JSON.stringify(view.cluster.view(view.kind, stored));
}
