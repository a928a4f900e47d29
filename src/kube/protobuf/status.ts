import type { JsonObject } from "../json.ts";
import { openEnvelope } from "./envelope.ts";
import { WireReader } from "./wire.ts";

/**
 * A metav1 Status in protobuf, envelope included, in the shape that it has in JSON, as far as `statusFault` reads it:
 * code, reason, message, details.retryAfterSeconds, and the reasons of details.causes.
 * Throws a Fault `malformed`, which begins with `what`, when the bytes are none.
 */
export function statusFromProtobuf(what: string, bytes: Buffer): JsonObject {
  const { kind, start, end } = openEnvelope(what, bytes, 0, bytes.length);
  const reader = new WireReader(what);
  if (kind !== "Status") throw reader.malformed(`a ${kind || "nameless kind"} and no Status`);
  reader.over(bytes, start, end);
  let message = "";
  let reason = "";
  let details: JsonObject = {};
  let code = 0;
  for (;;) {
    const tag = reader.tag();
    switch (tag >>> 3) {
      case 0:
        return { kind, message, reason, details, code };
      case 3:
        message = reader.text(tag);
        break;
      case 4:
        reason = reader.text(tag);
        break;
      case 5: {
        const outer = reader.enter(tag);
        details = readDetails(reader);
        reader.leave(outer);
        break;
      }
      case 6:
        code = reader.int32(tag);
        break;
      default:
        reader.skip(tag);
    }
  }
}

function readDetails(reader: WireReader): JsonObject {
  const causes: JsonObject[] = [];
  let retryAfterSeconds = 0;
  for (;;) {
    const tag = reader.tag();
    if (tag === 0) return { causes, retryAfterSeconds };
    if (tag >>> 3 === 4) {
      const outer = reader.enter(tag);
      causes.push(readCause(reader));
      reader.leave(outer);
    } else if (tag >>> 3 === 5) retryAfterSeconds = reader.int32(tag);
    else reader.skip(tag);
  }
}

function readCause(reader: WireReader): JsonObject {
  let reason = "";
  for (;;) {
    const tag = reader.tag();
    if (tag === 0) return { reason };
    if (tag >>> 3 === 1) reason = reader.text(tag);
    else reader.skip(tag);
  }
}
