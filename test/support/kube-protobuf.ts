import protobuf from "protobufjs";
import type { PodRecord } from "../../src/core/model/pod.ts";
import { podFromJson } from "../../src/kube/pod.ts";

/**
 * Field numbers and types as in k8s.io/api/core/v1/generated.proto and k8s.io/apimachinery, cut down to what a PodRecord
 * is made of and to some of each kind of field that is skipped. `x…` stand for fields of a later Kubernetes.
 */
const SCHEMA = `
syntax = "proto2";
message Time { optional int64 seconds = 1; optional int32 nanos = 2; }
message FieldsV1 { optional bytes Raw = 1; }
message ManagedFieldsEntry {
  optional string manager = 1; optional string operation = 2; optional string apiVersion = 3;
  optional Time time = 4; optional string fieldsType = 6; optional FieldsV1 fieldsV1 = 7;
}
message OwnerReference { optional string kind = 1; optional string name = 3; optional string uid = 4; optional bool controller = 6; }
message ObjectMeta {
  optional string name = 1; optional string generateName = 2; optional string namespace = 3; optional string selfLink = 4;
  optional string uid = 5; optional string resourceVersion = 6; optional int64 generation = 7;
  optional Time creationTimestamp = 8; optional Time deletionTimestamp = 9; optional int64 deletionGracePeriodSeconds = 10;
  map<string, string> labels = 11; map<string, string> annotations = 12;
  repeated OwnerReference ownerReferences = 13; repeated string finalizers = 14; repeated ManagedFieldsEntry managedFields = 17;
  optional int64 xNumber = 1000; optional double xDouble = 1001; optional fixed32 xFixed = 1002; optional bytes xBytes = 1003;
}
message ContainerPort {
  optional string name = 1; optional int32 hostPort = 2; optional int32 containerPort = 3; optional string protocol = 4; optional string hostIP = 5;
  optional fixed64 xFixed = 1000;
}
message EnvVar { optional string name = 1; optional string value = 2; }
message VolumeMount { optional string name = 1; optional bool readOnly = 2; optional string mountPath = 3; }
message Container {
  optional string name = 1; optional string image = 2; repeated string command = 3; repeated string args = 4; optional string workingDir = 5;
  repeated ContainerPort ports = 6; repeated EnvVar env = 7; repeated VolumeMount volumeMounts = 9;
  optional string imagePullPolicy = 14; optional bool tty = 18; optional string restartPolicy = 24;
  optional float xFloat = 1000; repeated sint64 xPacked = 1001 [packed = true];
}
message Volume { optional string name = 1; }
message Toleration { optional string key = 1; optional string operator = 2; optional string effect = 4; optional int64 tolerationSeconds = 5; }
message PodSpec {
  repeated Volume volumes = 1; repeated Container containers = 2; optional string restartPolicy = 3;
  optional int64 terminationGracePeriodSeconds = 4; optional string dnsPolicy = 6; map<string, string> nodeSelector = 7;
  optional string serviceAccountName = 8; optional string nodeName = 10; optional bool hostNetwork = 11; optional bool hostPID = 12;
  repeated Container initContainers = 20; repeated Toleration tolerations = 22; optional int32 priority = 25;
  optional bytes xBytes = 1000;
}
message PodIP { optional string ip = 1; optional uint64 xNumber = 1000; }
message PodCondition { optional string type = 1; optional string status = 2; optional Time lastTransitionTime = 4; }
message ContainerStatus { optional string name = 1; optional bool ready = 4; optional int32 restartCount = 5; optional string image = 6; }
message PodStatus {
  optional string phase = 1; repeated PodCondition conditions = 2; optional string message = 3; optional string reason = 4;
  optional string hostIP = 5; optional string podIP = 6; optional Time startTime = 7; repeated ContainerStatus containerStatuses = 8;
  optional string qosClass = 9; repeated PodIP podIPs = 12; optional int64 observedGeneration = 17;
}
message Pod { optional ObjectMeta metadata = 1; optional PodSpec spec = 2; optional PodStatus status = 3; optional int32 xNumber = 1000; }
message ListMeta { optional string selfLink = 1; optional string resourceVersion = 2; optional string continue = 3; optional int64 remainingItemCount = 4; }
message PodList { optional ListMeta metadata = 1; repeated Pod items = 2; optional bytes xBytes = 1000; }
message StatusCause { optional string reason = 1; optional string message = 2; optional string field = 3; }
message StatusDetails { optional string name = 1; optional string kind = 3; repeated StatusCause causes = 4; optional int32 retryAfterSeconds = 5; }
message Status {
  optional ListMeta metadata = 1; optional string status = 2; optional string message = 3; optional string reason = 4;
  optional StatusDetails details = 5; optional int32 code = 6;
}
message TypeMeta { optional string apiVersion = 1; optional string kind = 2; }
message Unknown { optional TypeMeta typeMeta = 1; optional bytes raw = 2; optional string contentEncoding = 3; optional string contentType = 4; }
message RawExtension { optional bytes raw = 1; }
message WatchEvent { optional string type = 1; optional RawExtension object = 2; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

/** Fields by their names in the schema. */
export type Fields = Readonly<Record<string, unknown>>;

/** A message of the schema's type `type`. */
export function encode(type: string, fields: Fields): Buffer {
  const found = root.lookupType(type);
  return Buffer.from(found.encode(found.fromObject(fields)).finish());
}

/** The fields of a message, as the library sees them: absent ones are absent, numbers of 64 bits are texts. */
export function decode(type: string, bytes: Uint8Array): Fields {
  const found = root.lookupType(type);
  return found.toObject(found.decode(bytes), { longs: String });
}

/** An object as a server answers it: magic number, runtime.Unknown. */
export function envelope(kind: string, raw: Uint8Array): Buffer {
  const unknown = encode("Unknown", { typeMeta: { apiVersion: "v1", kind }, raw, contentType: "" });
  return Buffer.concat([Buffer.from("k8s\0"), unknown]);
}

/** A watch frame: its length, and an event with the object. */
export function watchFrame(type: string, kind: string, object: Uint8Array): Buffer {
  return frame(encode("WatchEvent", { type, object: { raw: envelope(kind, object) } }));
}

/** Its length in four bytes, and the body. */
export function frame(body: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

/** The answer to a list. */
export function podList(pods: readonly Fields[], metadata: Fields): Buffer {
  return envelope("PodList", encode("PodList", { metadata, items: pods }));
}

/** The record of a Pod's bytes by way of the library, and of JSON: what our decoder is held against. */
export function referenceRecord(bytes: Uint8Array, keep: ReadonlySet<string>): PodRecord {
  return podFromJson(asJson(decode("Pod", bytes)), keep);
}

/** A decoded Pod as the API writes it in JSON: a time is a text, and a container port is always there. */
export function asJson(pod: Fields): unknown {
  return JSON.parse(JSON.stringify(pod), (key, value: unknown) => {
    if (key === "deletionTimestamp") return "2026-01-01T00:00:00Z";
    if (key === "ports" && Array.isArray(value)) {
      return value.map((port: object) => ({ containerPort: 0, ...port }));
    }
    return value;
  });
}
