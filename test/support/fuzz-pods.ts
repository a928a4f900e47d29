import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { errorText, faultCode } from "../../src/core/model/fault.ts";
import { PodListBody } from "../../src/kube/protobuf/pod-list.ts";
import { PodWatchBody } from "../../src/kube/protobuf/pod-watch.ts";
import { PodDecoder } from "../../src/kube/protobuf/pod.ts";
import { arbitraryPod } from "./arbitrary-pods.ts";
import { encode, podList, watchFrame } from "./kube-protobuf.ts";
import { referencePods } from "./reference-pods.ts";

/** What a run of the fuzzer saw. */
export interface FuzzReport {
  readonly runs: number;
  /** Answers that were refused, of `runs`. */
  readonly refused: number;
  /** The longest that one answer took, in milliseconds. */
  readonly slowestMs: number;
}

interface Outcome {
  readonly values: readonly unknown[];
  readonly fault: string | undefined;
}

const KEEP = new Set(["set", "net"]);
const TOO_SLOW_MS = 2_000;

/**
 * Decodes damaged lists and watches of pods for `durationMs`. Throws, with the seed and the bytes, at the first answer
 * that does not end as it must: with a Fault or with values, the same however it is cut, in reasonable time, and, if
 * a list is accepted, with the records that a plain decoder reads.
 */
export function fuzzPods(seed: number, durationMs: number): FuzzReport {
  const random = generator(seed);
  const corpus = seeds(seed);
  const decoder = new PodDecoder("fuzz", KEEP);
  const until = performance.now() + durationMs;
  let runs = 0;
  let refused = 0;
  let slowestMs = 0;
  while (performance.now() < until) {
    const { isList, bytes: original } = pick(corpus, random);
    const bytes = damaged(original, pick(corpus, random).bytes, random);
    const decode = isList ? list : watch;
    const begun = performance.now();
    const whole = decode(decoder, [bytes], seed);
    const tookMs = performance.now() - begun;
    const cut = decode(decoder, pieces(bytes, random), seed);
    slowestMs = Math.max(slowestMs, tookMs);
    runs++;
    if (whole.fault !== undefined) refused++;
    if (tookMs > TOO_SLOW_MS) throw finding(`took ${tookMs} ms`, seed, bytes);
    if (!isDeepStrictEqual(whole, cut)) throw finding("differs when cut", seed, bytes);
    if (isList && whole.fault === undefined) {
      const wanted = referencePods(bytes, KEEP);
      if (!isDeepStrictEqual(whole.values, wanted)) {
        throw finding("differs from the plain decoder", seed, bytes);
      }
    }
  }
  return { runs, refused, slowestMs };
}

function list(decoder: PodDecoder, parts: readonly Buffer[], seed: number): Outcome {
  const values: unknown[] = [];
  const body = new PodListBody("fuzz", decoder, (pod) => values.push(pod));
  return outcome(body, parts, values, seed);
}

function watch(decoder: PodDecoder, parts: readonly Buffer[], seed: number): Outcome {
  const values: unknown[] = [];
  const body = new PodWatchBody("fuzz", decoder, (event) => values.push(event));
  return outcome(body, parts, values, seed);
}

function outcome(
  body: { push(piece: Buffer): void; end(): unknown },
  parts: readonly Buffer[],
  values: readonly unknown[],
  seed: number,
): Outcome {
  try {
    for (const part of parts) body.push(part);
    body.end();
    return { values, fault: undefined };
  } catch (error) {
    if (faultCode(error) !== "malformed")
      throw finding(errorText(error), seed, Buffer.concat(parts), error);
    return { values, fault: errorText(error) };
  }
}

function finding(what: string, seed: number, bytes: Buffer, cause?: unknown): Error {
  return new Error(`${what}; seed ${seed}, bytes ${bytes.toString("base64")}`, { cause });
}

interface Sample {
  readonly isList: boolean;
  readonly bytes: Buffer;
}

function seeds(seed: number): readonly Sample[] {
  const pods = fc.sample(arbitraryPod, { seed, numRuns: 300 });
  return pods.flatMap((pod, n) => [
    {
      isList: true,
      bytes: podList(pods.slice(n, n + (n % 4)), { resourceVersion: "7", continue: "more" }),
    },
    {
      isList: false,
      bytes: Buffer.concat([
        watchFrame("ADDED", "Pod", encode("Pod", pod)),
        watchFrame("BOOKMARK", "Pod", encode("Pod", { metadata: { resourceVersion: "8" } })),
      ]),
    },
  ]);
}

type Random = (below: number) => number;

/** Numbers of a linear congruential generator with a mixed output, equal for equal seeds. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) % below;
  };
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[random(from.length)] as T;
}

/** Bytes that mean something to a decoder: tags, ends and continuations of numbers, group brackets, magic. */
const MEANINGFUL = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0a, 0x0b, 0x0c, 0x12, 0x5a, 0x62, 0x7f, 0x80, 0xff,
];

function damaged(original: Buffer, other: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original);
  const count = 1 + random(4);
  for (let n = 0; n < count && bytes.length > 0; n++) {
    const at = random(bytes.length);
    const length = 1 + random(Math.min(64, bytes.length - at));
    const before = bytes.subarray(0, at);
    const after = bytes.subarray(at);
    switch (random(8)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = pick(MEANINGFUL, random);
        break;
      case 2:
        bytes[at] = ((bytes[at] as number) + random(5) - 2) & 0xff;
        break;
      case 3:
        bytes = Buffer.concat([before, after.subarray(length)]);
        break;
      case 4:
        bytes = Buffer.concat([before, after.subarray(0, length), after]);
        break;
      case 5:
        bytes = Buffer.concat([before, Buffer.from([pick(MEANINGFUL, random)]), after]);
        break;
      case 6: {
        const from = random(other.length);
        bytes = Buffer.concat([before, other.subarray(from, from + length), after]);
        break;
      }
      default:
        if (random(4) === 0) bytes = Buffer.from(before);
        else other.copy(bytes, at, random(other.length), other.length);
    }
  }
  return bytes;
}

function pieces(bytes: Buffer, random: Random): readonly Buffer[] {
  const parts: Buffer[] = [];
  const longest = pick([1, 3, 17, 200, 5_000], random);
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random(longest));
    parts.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return parts;
}
