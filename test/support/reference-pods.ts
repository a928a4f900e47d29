import protobuf from "protobufjs";
import type { PodRecord } from "../../src/core/model/pod.ts";
import { podFromJson } from "../../src/kube/pod.ts";

/** The fields of a message that are read, by number: their name in JSON, and what they are. */
type Table = Readonly<Record<number, readonly [name: string, what: What]>>;
type What = "text" | "int32" | "flag" | "map" | "present" | Message;
interface Message {
  readonly table: Table;
  readonly repeated?: boolean;
}

const ENTRY: Table = { 1: ["key", "text"], 2: ["value", "text"] };
const PORT: Table = {
  1: ["name", "text"],
  3: ["containerPort", "int32"],
  4: ["protocol", "text"],
};
const CONTAINER: Table = {
  6: ["ports", { table: PORT, repeated: true }],
  24: ["restartPolicy", "text"],
};
const METADATA: Table = {
  1: ["name", "text"],
  3: ["namespace", "text"],
  5: ["uid", "text"],
  9: ["deletionTimestamp", "present"],
  11: ["labels", "map"],
  12: ["annotations", "map"],
};
const SPEC: Table = {
  2: ["containers", { table: CONTAINER, repeated: true }],
  10: ["nodeName", "text"],
  11: ["hostNetwork", "flag"],
  20: ["initContainers", { table: CONTAINER, repeated: true }],
};
const STATUS: Table = {
  1: ["phase", "text"],
  6: ["podIP", "text"],
  12: ["podIPs", { table: { 1: ["ip", "text"] }, repeated: true }],
};
const POD: Table = {
  1: ["metadata", { table: METADATA }],
  2: ["spec", { table: SPEC }],
  3: ["status", { table: STATUS }],
};
const LIST: Table = { 2: ["items", { table: POD, repeated: true }] };
const ENVELOPE: Table = { 2: ["raw", { table: LIST }] };

type Values = Record<string, unknown>;

/**
 * The pods of a list's answer, read in the plainest way: by a table, over a library's reader, with a message that comes
 * twice merged as protobuf asks. For answers that are well-formed as far as the table goes; throws for others.
 */
export function referencePods(answer: Buffer, keep: ReadonlySet<string>): readonly PodRecord[] {
  const envelope = read(ENVELOPE, new protobuf.Reader(answer.subarray(4)), {});
  const items = (envelope["raw"] as Values | undefined)?.["items"];
  return ((items ?? []) as Values[]).map((pod) => podFromJson(pod, keep));
}

function read(table: Table, reader: protobuf.Reader, into: Values): Values {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const field = table[tag >>> 3];
    if (field === undefined) reader.skipType(tag & 7);
    else take(field, reader, into);
  }
  return into;
}

function take([name, what]: readonly [string, What], reader: protobuf.Reader, into: Values): void {
  switch (what) {
    case "text":
      into[name] = reader.string();
      return;
    case "int32":
      into[name] = reader.int32();
      return;
    case "flag":
      into[name] = reader.bool();
      return;
    case "present":
      reader.bytes();
      into[name] = "2026-01-01T00:00:00Z";
      return;
    case "map": {
      const { key = "", value = "" } = read(ENTRY, nested(reader), {}) as Record<string, string>;
      into[name] = { ...(into[name] as object), ...Object.fromEntries([[key, value]]) };
      return;
    }
    default: {
      const before = into[name];
      // The API writes a container's port number in JSON even if it is none.
      const start: Values = what.table === PORT ? { containerPort: 0 } : {};
      if (what.repeated !== true)
        into[name] = read(what.table, nested(reader), (before as Values | undefined) ?? start);
      else
        into[name] = [
          ...((before as Values[] | undefined) ?? []),
          read(what.table, nested(reader), start),
        ];
    }
  }
}

function nested(reader: protobuf.Reader): protobuf.Reader {
  return new protobuf.Reader(reader.bytes());
}
