import type { Stored } from "./stored.ts";

/** An object that knows its own protobuf form, and how long it is without writing it. */
export interface ProtobufStored extends Stored {
  protobufLength(): number;
  /** Writes the raw message (no envelope) into `target` at `at`. */
  writeProtobuf(target: Buffer, at: number): void;
}

/** Whether `stored` writes its own protobuf. */
export function writesProtobuf(stored: Stored): stored is ProtobufStored {
  return "writeProtobuf" in stored;
}
