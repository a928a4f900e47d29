import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { Fault } from "../../../src/core/model/fault.ts";
import type { WatchEvent } from "../../../src/core/reflector/store.ts";
import { linkAt } from "../../../src/core/model/link.ts";
import { linkProof, Reflector, type LinkFacts } from "../../../src/runtime/reflector.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { RecordingStore } from "../../support/recording-store.ts";
import { ScriptedListWatch } from "../../support/scripted-list-watch.ts";

let clock: FakeClock;
let source: ScriptedListWatch<string>;
let store: RecordingStore;
let facts: LinkFacts[];
let abort: AbortController;
let reflector: Reflector<string>;
let outcome: Promise<unknown>;

beforeEach(() => {
  clock = new FakeClock();
  source = new ScriptedListWatch();
  store = new RecordingStore();
  facts = [];
  abort = new AbortController();
  reflector = new Reflector({
    source,
    store,
    clock,
    random: () => 0.5,
    onLink: (link) => facts.push(link),
  });
});

afterEach(async () => {
  abort.abort();
  await outcome;
  if (clock.pending > 0) throw new Error(`${clock.pending} timers were left behind`);
});

function run(): void {
  outcome = reflector.run(abort.signal).then(
    () => "resolved",
    (error: unknown) => error,
  );
}

function put(item: string, resourceVersion: string): WatchEvent<string> {
  return { kind: "put", item, resourceVersion };
}

async function synced(...items: string[]): Promise<void> {
  run();
  source.lastList.answer(items, { resourceVersion: "5", continueToken: "" });
  await settle();
  source.lastWatch.open();
}

test("a list, page by page, then a watch that keeps the store equal", async () => {
  run();
  expect(source.lastList).toMatchObject({ resourceVersion: "", continueToken: "", limit: 500 });
  source.lastList.answer(["a", "b"], { resourceVersion: "5", continueToken: "more" });
  await settle();
  expect(store.completed).toBe(0);
  expect(reflector.link().synced).toBe(false);
  expect(source.lastList.continueToken).toBe("more");
  source.lastList.answer(["c"], { resourceVersion: "5", continueToken: "" });
  await settle();
  expect(store.completed).toBe(1);
  expect(reflector.link()).toMatchObject({ state: "opening", synced: true });
  source.lastWatch.open();
  source.lastWatch.send(put("d", "6"), { kind: "remove", item: "a", resourceVersion: "7" });
  expect([...store.items]).toEqual(["b", "c", "d"]);
  expect(reflector.link()).toMatchObject({ state: "watching", isHealthy: true, lists: 1 });
});

test("a list that fails half way removes nothing and is not synced", async () => {
  await synced("a", "b");
  source.lastWatch.fail(new Fault("gone", "too old"));
  await settle();
  source.lastList.fail(new Fault("connection", "cut"), ["a"]);
  await settle();
  expect([...store.items]).toEqual(["a", "b"]);
  expect(store).toMatchObject({ completed: 1, abandoned: 1 });
  expect(reflector.link()).toMatchObject({ state: "waiting", synced: true, isHealthy: false });
});

test("an interrupted watch resumes where it stood", async () => {
  await synced("a");
  source.lastWatch.send(put("b", "6"), { kind: "bookmark", resourceVersion: "9" });
  source.lastWatch.fail(new Fault("connection", "cut"));
  await clock.advance(125);
  expect(source.lastWatch.resourceVersion).toBe("9");
  expect(reflector.link().watchEnds).toEqual({ connection: 1 });
  expect(reflector.link().lastFault?.message).toBe("cut");
});

test("a silent watch is given up; bytes keep it, even those that make no event", async () => {
  await synced();
  const watch = source.lastWatch;
  for (let i = 0; i < 3; i++) {
    await clock.advance(60_000);
    watch.onBytes();
  }
  await clock.advance(89_000);
  expect(watch.signal.aborted).toBe(false);
  await clock.advance(1_000);
  expect(watch.signal.aborted).toBe(true);
  expect(reflector.link().watchEnds).toEqual({ silence: 1 });
  await clock.advance(125);
  expect(source.lastWatch).not.toBe(watch);
});

test("a watch that is never answered is given up", async () => {
  run();
  source.lastList.answer([], { resourceVersion: "5", continueToken: "" });
  await settle();
  const watch = source.lastWatch;
  await clock.advance(15_000);
  expect(watch.signal.aborted).toBe(true);
});

test("a list that drips without end is given up at its deadline", async () => {
  run();
  const list = source.lastList;
  for (let i = 0; i < 6; i++) {
    await clock.advance(10_000);
    list.onBytes();
  }
  expect(list.signal.aborted).toBe(true);
  expect(store.abandoned).toBe(1);
});

test("the owner can have a fresh list; the watch under way is given up for it", async () => {
  reflector.relist();
  await synced("a", "b");
  const watch = source.lastWatch;
  reflector.relist();
  expect(watch.signal.aborted).toBe(true);
  source.lastList.answer(["a"], { resourceVersion: "6", continueToken: "" });
  await settle();
  expect([...store.items]).toEqual(["a"]);
  expect(source.lastWatch.resourceVersion).toBe("6");
  expect(reflector.link().isHealthy).toBe(true);
});

test("what an abandoned request still brings is dropped", async () => {
  await synced("a");
  const old = source.lastWatch;
  await clock.advance(90_000 + 125);
  expect(source.lastWatch).not.toBe(old);
  source.lastWatch.open();
  old.send(put("late", "99"));
  old.fail(new Fault("gone", "late"));
  await settle();
  expect([...store.items]).toEqual(["a"]);
  expect(reflector.link().state).toBe("watching");
});

test.each(["listing", "opening", "watching", "waiting"] as const)(
  "stop while %s ends everything and starts nothing",
  async (state) => {
    run();
    if (state !== "listing") {
      source.lastList.answer([], { resourceVersion: "5", continueToken: "" });
      await settle();
    }
    if (state === "watching" || state === "waiting") source.lastWatch.open();
    if (state === "waiting") {
      source.lastWatch.fail(new Fault("connection", "cut"));
      await settle();
    }
    expect(reflector.link().state).toBe(state);
    const requests = source.requests.length;
    abort.abort();
    expect(await outcome).toBe("resolved");
    await clock.advance(3_600_000);
    expect(source.requests).toHaveLength(requests);
    expect(source.requests.at(-1)?.signal.aborted).toBe(state !== "waiting");
    expect(reflector.link().state).toBe("stopped");
  },
);

test("a signal that aborted before the start starts nothing", async () => {
  abort.abort();
  run();
  expect(await outcome).toBe("resolved");
  expect(source.requests).toHaveLength(0);
});

test("a store that throws on an event stops everything and rejects the run", async () => {
  await synced();
  const bug = new Error("index broken");
  store.put = () => {
    throw bug;
  };
  const watch = source.lastWatch;
  watch.send(put("a", "6"), put("b", "7"));
  expect(await outcome).toBe(bug);
  expect(watch.signal.aborted).toBe(true);
  await clock.advance(600_000);
  expect(source.requests).toHaveLength(2);
});

test("a store that throws at the end of a list rejects the run too", async () => {
  const bug = new Error("index broken");
  store.endList = () => {
    throw bug;
  };
  run();
  source.lastList.answer([], { resourceVersion: "5", continueToken: "" });
  expect(await outcome).toBe(bug);
  expect(source.requests).toHaveLength(1);
});

test("a source that throws something else than a fault is only one more failure", async () => {
  run();
  source.lastList.fail(new TypeError("undefined is not a function"));
  await clock.advance(125);
  expect(source.requests).toHaveLength(2);
  expect(reflector.link().lastFault).toMatchObject({ code: "malformed" });
});

test("a server that was away is followed again within 10 s of its return, also the second time in a minute", async () => {
  await synced("a");
  for (const outageMs of [20_000, 15_000]) {
    const back = clock.monotonic() + outageMs;
    let watch = source.lastWatch;
    watch.fail(new Fault("connection", "away"));
    while (clock.monotonic() < back) {
      await clock.advance(50);
      if (source.lastWatch !== watch) {
        watch = source.lastWatch;
        watch.fail(new Fault("connection", "refused"));
      }
    }
    const waitedFrom = clock.monotonic();
    while (source.lastWatch === watch) await clock.advance(50);
    expect(clock.monotonic() - waitedFrom).toBeLessThan(10_000);
    source.lastWatch.open();
    source.lastWatch.send(put("b", String(clock.monotonic())));
  }
});

test("the owner hears of states and faults, not of each event", async () => {
  await synced();
  const heard = facts.length;
  source.lastWatch.send(put("a", "6"), put("b", "7"));
  expect(facts).toHaveLength(heard);
  expect(reflector.link().proofOfLifeAt).toBe(clock.now());
  expect(facts.map((link) => link.state)).toEqual(["listing", "opening", "watching"]);
});

test("a quiet watch is proven alive by a probe every 15 s, and stays open", async () => {
  await synced("a");
  const watch = source.lastWatch;
  for (let i = 1; i <= 3; i++) {
    await clock.advance(15_000);
    expect(source.probes).toHaveLength(i);
    const before = reflector.link().proofOfLifeAt;
    source.lastProbe.answer("5");
    await settle();
    expect(reflector.link().proofOfLifeAt).toBe((before ?? 0) + 15_000);
    expect(reflector.link().proofOfLifeMonotonic).toBe(clock.monotonic());
  }
  expect(source.lastWatch).toBe(watch);
  expect(watch.signal.aborted).toBe(false);
  await clock.advance(5_000);
  const limits = { staleAfterMs: 16_000, expireAfterMs: undefined };
  const proof = linkProof(reflector.link(), false);
  expect(linkAt(proof, limits, clock.monotonic())).toEqual({ state: "Synced", ageMs: 5_000 });
  expect(facts.map((link) => link.state)).toEqual(["listing", "opening", "watching"]);
});

test("a watch that speaks is not probed", async () => {
  await synced();
  for (let i = 6; i < 12; i++) {
    await clock.advance(14_000);
    source.lastWatch.send({ kind: "bookmark", resourceVersion: String(i) });
  }
  expect(source.probes).toHaveLength(0);
});

test("a probe's answer does not keep alive a watch whose line is dead", async () => {
  await synced();
  const watch = source.lastWatch;
  for (let i = 0; i < 5; i++) {
    await clock.advance(15_000);
    source.lastProbe.answer("5");
    await settle();
  }
  await clock.advance(15_000);
  expect(watch.signal.aborted).toBe(true);
  expect(reflector.link().watchEnds).toEqual({ silence: 1 });
  expect(source.lastProbe.signal.aborted).toBe(true);
});

test("a probe that fails is told and tried again; one that is not answered is given up", async () => {
  await synced();
  await clock.advance(15_000);
  source.lastProbe.fail(new Fault("forbidden", "not any more"));
  await settle();
  expect(reflector.link()).toMatchObject({ state: "watching", isHealthy: false });
  expect(facts.at(-1)?.lastFault).toMatchObject({ code: "forbidden" });
  await clock.advance(125);
  expect(source.probes).toHaveLength(2);
  await clock.advance(10_000);
  expect(source.lastProbe.signal.aborted).toBe(true);
  expect(facts.at(-1)?.lastFault).toMatchObject({ code: "timeout" });
  await clock.advance(125);
  expect(source.probes).toHaveLength(3);
  source.lastProbe.answer("6");
  await settle();
  expect(facts.at(-1)).toMatchObject({ state: "watching", isHealthy: true });
});

test("a server that went back is noticed at once after it returns, and listed whole", async () => {
  await synced("a", "b");
  source.lastWatch.fail(new Fault("connection", "away"));
  await clock.advance(125);
  source.lastWatch.open();
  const watch = source.lastWatch;
  source.lastProbe.answer("3");
  await settle();
  expect(watch.signal.aborted).toBe(true);
  expect(source.lastList).toMatchObject({ resourceVersion: "", continueToken: "" });
  expect([...store.items]).toEqual(["a", "b"]);
  expect(facts.at(-1)).toMatchObject({
    state: "listing",
    isHealthy: false,
    lastFault: { code: "gone", reason: "VersionWentBack" },
    watchEnds: { connection: 1, "went-back": 1 },
  });
  source.lastList.answer(["a"], { resourceVersion: "3", continueToken: "" });
  await settle();
  expect([...store.items]).toEqual(["a"]);
  expect(source.lastWatch.resourceVersion).toBe("3");
  expect(reflector.link().isHealthy).toBe(true);
});

test("what an abandoned probe still brings is dropped", async () => {
  await synced("a");
  await clock.advance(15_000);
  const probe = source.lastProbe;
  source.lastWatch.end();
  await settle();
  expect(probe.signal.aborted).toBe(true);
  probe.answer("1");
  await settle();
  expect(reflector.link().state).toBe("opening");
  expect(reflector.link().watchEnds).toEqual({ ended: 1 });
});
