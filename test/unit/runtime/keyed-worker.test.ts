import { beforeEach, expect, test } from "@jest/globals";
import { KeyedWorker, type WorkResult } from "../../../src/runtime/keyed-worker.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

let clock: FakeClock;
let runs: { key: string; at: number }[];
let results: WorkResult[];
let bugs: unknown[];
let hold: Promise<void> | undefined;
let worker: KeyedWorker<string>;

beforeEach(() => {
  clock = new FakeClock();
  runs = [];
  results = [];
  bugs = [];
  hold = undefined;
  worker = new KeyedWorker({
    work: async (key) => {
      runs.push({ key, at: clock.monotonic() });
      await hold;
      return results.shift() ?? { kind: "done" };
    },
    clock,
    random: () => 1,
    concurrency: 2,
    windowMs: 50,
    backoff: { minMs: 100, maxMs: 1000 },
    onBug: (_key, error) => bugs.push(error),
  });
});

test("the first request runs at once, those within the window run once at its end", async () => {
  worker.add("a");
  await settle();
  expect(runs).toEqual([{ key: "a", at: 0 }]);
  worker.add("a");
  worker.add("a");
  await clock.advance(49);
  expect(runs).toHaveLength(1);
  await clock.advance(1);
  expect(runs).toEqual([
    { key: "a", at: 0 },
    { key: "a", at: 50 },
  ]);
});

test("a request during a run leads to one more run", async () => {
  let release = (): void => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  worker.add("a");
  await settle();
  worker.add("a");
  worker.add("a");
  release();
  await clock.advance(1000);
  expect(runs).toHaveLength(2);
});

test("failures back off by doubling up to the maximum, and success forgets them", async () => {
  results = Array.from({ length: 6 }, () => ({ kind: "retry" }) as const);
  worker.add("a");
  await clock.advance(10_000);
  expect(runs.map((run) => run.at)).toEqual([0, 100, 300, 700, 1500, 2500, 3500]);
  results = [{ kind: "retry" }];
  worker.add("a");
  await clock.advance(10_000);
  expect(runs.at(-1)?.at).toBe(10_100);
});

test("a server that asks for a longer wait gets it", async () => {
  results = [{ kind: "retry", atLeastMs: 5000 }];
  worker.add("a");
  await clock.advance(6000);
  expect(runs.map((run) => run.at)).toEqual([0, 5000]);
});

test("one failing key does not hold another", async () => {
  results = [{ kind: "retry" }];
  worker.add("a");
  await settle();
  worker.add("b");
  await settle();
  expect(runs.map((run) => run.key)).toEqual(["a", "b"]);
});

test("a key that asks to be looked at again is, and a change meanwhile does not wait for that", async () => {
  results = [
    { kind: "again", delayMs: 60_000 },
    { kind: "again", delayMs: 60_000 },
  ];
  worker.add("a");
  await clock.advance(1000);
  worker.add("a");
  await settle();
  expect(runs).toHaveLength(1);
  await clock.advance(0);
  expect(runs.map((run) => run.at)).toEqual([0, 1000]);
  await clock.advance(60_000);
  expect(runs.map((run) => run.at)).toEqual([0, 1000, 61_000]);
});

test("nothing is remembered of keys that are done", async () => {
  worker.add("a");
  await clock.advance(100);
  expect(worker.depth).toBe(0);
  expect(clock.pending).toBe(0);
});

test("work that throws is told and tried again", async () => {
  const broken = new KeyedWorker<string>({
    work: async () => {
      runs.push({ key: "x", at: clock.monotonic() });
      return Promise.reject(new Error("bug"));
    },
    clock,
    random: () => 0,
    concurrency: 1,
    windowMs: 0,
    backoff: { minMs: 100, maxMs: 100 },
    onBug: (_key, error) => bugs.push(error),
  });
  broken.add("x");
  await clock.advance(50);
  expect(bugs).toHaveLength(2);
  await broken.stop();
});

test("stop waits for the run under way and starts no other", async () => {
  let release = (): void => {};
  hold = new Promise((resolve) => {
    release = resolve;
  });
  worker.add("a");
  await settle();
  worker.add("b");
  worker.add("c");
  let stopped = false;
  const stopping = (async () => {
    await worker.stop();
    stopped = true;
  })();
  await settle();
  expect(stopped).toBe(false);
  release();
  await stopping;
  worker.add("d");
  await clock.advance(1000);
  expect(runs.map((run) => run.key)).toEqual(["a", "b"]);
});
