import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import protobuf from "protobufjs";
import { errorText } from "../../../src/core/model/fault.ts";
import type { PodRecord } from "../../../src/core/model/pod.ts";
import type { ListPage, WatchEvent } from "../../../src/core/reflector/store.ts";
import { PodListBody } from "../../../src/kube/protobuf/pod-list.ts";
import { PodWatchBody } from "../../../src/kube/protobuf/pod-watch.ts";
import { PodDecoder } from "../../../src/kube/protobuf/pod.ts";
import { arbitraryPod } from "../../support/arbitrary-pods.ts";
import { encode, podList, referenceRecord, watchFrame } from "../../support/kube-protobuf.ts";

const KEEP = new Set(["set", "net"]);
const DECODER = new PodDecoder("pod", KEEP);

interface Listed {
  readonly pods: readonly PodRecord[];
  readonly page: ListPage;
}

function list(pieces: readonly Buffer[]): Listed {
  const pods: PodRecord[] = [];
  const body = new PodListBody("list", DECODER, (pod) => pods.push(pod));
  for (const piece of pieces) body.push(piece);
  return { pods, page: body.end() };
}

function watch(pieces: readonly Buffer[]): readonly WatchEvent<PodRecord>[] {
  const events: WatchEvent<PodRecord>[] = [];
  const body = new PodWatchBody("watch", DECODER, (event) => events.push(event));
  for (const piece of pieces) body.push(piece);
  body.end();
  return events;
}

function messageOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    return errorText(error);
  }
}

/** Each piece in memory of its own, as the next one would overwrite it. */
function inPieces(bytes: Buffer, size: number): readonly Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, n) =>
    Buffer.from(bytes.subarray(n * size, (n + 1) * size)),
  );
}

/** The fields of a message in another order; those of one number keep theirs, as their order has a meaning. */
function reordered(message: Buffer, order: (field: number) => number): Buffer {
  const reader = new protobuf.Reader(message);
  const fields: { readonly number: number; readonly bytes: Buffer }[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7);
    fields.push({ number: tag >>> 3, bytes: message.subarray(start, reader.pos) });
  }
  fields.sort((a, b) => order(a.number) - order(b.number));
  return Buffer.concat(fields.map(({ bytes }) => bytes));
}

describe("pods in protobuf", () => {
  test("become the records that a protobuf library and JSON make of them", () => {
    fc.assert(
      fc.property(arbitraryPod, (pod) => {
        const bytes = encode("Pod", pod);
        expect(DECODER.decode(bytes, 0, bytes.length)).toEqual(referenceRecord(bytes, KEEP));
      }),
      { numRuns: 400 },
    );
  });

  test("do so whatever the order of their fields", () => {
    fc.assert(
      fc.property(arbitraryPod, fc.infiniteStream(fc.nat(1_000)), (pod, numbers) => {
        const orders = new Map<number, number>();
        const order = (field: number): number => {
          const known = orders.get(field);
          if (known !== undefined) return known;
          const drawn = numbers.next().value as number;
          orders.set(field, drawn);
          return drawn;
        };
        const part = (name: string, type: string): Buffer =>
          reordered(encode(type, (pod[name] ?? {}) as Record<string, unknown>), order);
        const parts = encode("Pod", {});
        const write = (field: number, body: Buffer): Buffer => {
          const writer = protobuf.Writer.create().uint32((field << 3) | 2);
          return Buffer.from(writer.bytes(body).finish());
        };
        const bytes = reordered(
          Buffer.concat([
            parts,
            write(1, part("metadata", "ObjectMeta")),
            write(2, part("spec", "PodSpec")),
            write(3, part("status", "PodStatus")),
          ]),
          order,
        );
        expect(DECODER.decode(bytes, 0, bytes.length)).toEqual(referenceRecord(bytes, KEEP));
      }),
      { numRuns: 200 },
    );
  });

  test("are listed the same however the answer is cut", () => {
    const decoder = fc.tuple(
      fc.array(arbitraryPod, { maxLength: 4 }),
      fc.string({ unit: "grapheme-ascii", minLength: 1 }),
      fc.string({ unit: "grapheme-ascii" }),
    );
    fc.assert(
      fc.property(decoder, ([pods, resourceVersion, token]) => {
        const bytes = podList(pods, { resourceVersion, continue: token, remainingItemCount: 7 });
        const whole = list([bytes]);
        expect(whole.page).toEqual({ resourceVersion, continueToken: token });
        expect(whole.pods).toEqual(pods.map((pod) => referenceRecord(encode("Pod", pod), KEEP)));
        for (const size of [1, 2, 3, 7, 64, 1_000]) {
          expect(list(inPieces(bytes, size))).toEqual(whole);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("are watched the same however the stream is cut", () => {
    const types = fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK");
    const event = fc.tuple(types, arbitraryPod, fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 4 }), (events) => {
        const pods = events.map(([type, pod, resourceVersion]) => ({
          type,
          resourceVersion,
          bytes: encode("Pod", {
            ...pod,
            metadata: { ...(pod["metadata"] as object), resourceVersion },
          }),
        }));
        const bytes = Buffer.concat(
          pods.map(({ type, bytes: pod }) => watchFrame(type, "Pod", pod)),
        );
        const wanted = pods.map(({ type, resourceVersion, bytes: pod }) =>
          type === "BOOKMARK"
            ? { kind: "bookmark", resourceVersion }
            : {
                kind: type === "DELETED" ? "remove" : "put",
                resourceVersion,
                item: referenceRecord(pod, KEEP),
              },
        );
        for (const size of [1, 2, 3, 5, 64, 1_000, bytes.length + 1]) {
          expect(watch(inPieces(bytes, size))).toEqual(wanted);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("a list or watch cut off at any byte is a fault, after records that are true", () => {
    fc.assert(
      fc.property(fc.array(arbitraryPod, { minLength: 1, maxLength: 2 }), (pods) => {
        const records = pods.map((pod) => referenceRecord(encode("Pod", pod), KEEP));
        const bytes = podList(pods, { resourceVersion: "5" });
        // The last two bytes are an empty content type, which a server may leave out.
        let count = 0;
        for (let cut = 0; cut < bytes.length - 2; cut++) {
          const seen: PodRecord[] = [];
          const body = new PodListBody("list", DECODER, (pod) => seen.push(pod));
          body.push(bytes.subarray(0, cut));
          if (!/cut off/.test(messageOf(() => body.end()))) throw new Error(`whole after ${cut}`);
          if (seen.length !== count) expect(seen).toEqual(records.slice(0, seen.length));
          count = seen.length;
        }
        const event = watchFrame("ADDED", "Pod", encode("Pod", { ...pods[0] }));
        for (let cut = 1; cut < event.length; cut++) {
          const message = messageOf(() => watch([event.subarray(0, cut)]));
          if (!/inside an event/.test(message)) throw new Error(`whole after ${cut}`);
        }
      }),
      { numRuns: 10 },
    );
  });
});
