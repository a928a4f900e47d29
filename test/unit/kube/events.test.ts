import { beforeEach, expect, test } from "@jest/globals";
import { Fault } from "../../../src/core/model/fault.ts";
import type { ApiRequest } from "../../../src/kube/api-client.ts";
import { EventRecorder, type EventFacts } from "../../../src/kube/events.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

interface Sent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly series?: { readonly count: number };
  readonly note: string;
}

let clock: FakeClock;
let asked: ApiRequest[];
let faults: (Fault | undefined)[];
let drops: string[];
let recorder: EventRecorder;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  faults = [];
  drops = [];
  recorder = new EventRecorder({
    api: {
      request: async (request) => {
        asked.push(request);
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        return {};
      },
    },
    clock,
    reportingInstance: "pod-1",
    onDropped: (reason, why) => drops.push(`${reason}: ${why}`),
  });
});

function about(name: string, over: Partial<EventFacts> = {}): EventFacts {
  return {
    regarding: { apiVersion: "projectcalico.org/v3", kind: "GlobalNetworkSet", name, uid: "u" },
    type: "Normal",
    reason: "SetUpdated",
    note: "2 nets added, 1 removed",
    ...over,
  };
}

const bodies = (): Sent[] => asked.map(({ body }) => body as Sent);

test("an event is sent at once, as events.k8s.io/v1 wants it", async () => {
  recorder.record(about("set-a"));
  await settle();
  expect(asked).toEqual([
    expect.objectContaining({
      method: "POST",
      path: "/apis/events.k8s.io/v1/namespaces/default/events",
      body: {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: expect.stringMatching(/^set-a\.[0-9a-f]+$/), namespace: "default" },
        eventTime: "2026-01-01T00:00:00.000000Z",
        type: "Normal",
        reason: "SetUpdated",
        action: "SetUpdated",
        note: "2 nets added, 1 removed",
        regarding: about("set-a").regarding,
        reportingController: "wayleave.dev/operator",
        reportingInstance: "pod-1",
      },
    }),
  ]);
  expect(recorder.counts().created).toBe(1);
});

test("an event about a namespaced object goes to its namespace", async () => {
  const regarding = { apiVersion: "v1", kind: "Pod", name: "p", namespace: "shop" };
  recorder.record(about("", { regarding }));
  await settle();
  expect(asked[0]?.path).toBe("/apis/events.k8s.io/v1/namespaces/shop/events");
});

test("the same again only raises the count of the one that is there, in one request a while", async () => {
  recorder.record(about("a"));
  await settle();
  for (let i = 0; i < 50; i++) recorder.record(about("a"));
  await clock.advance(29_999);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect(asked[1]).toMatchObject({
    method: "PATCH",
    path: `/apis/events.k8s.io/v1/namespaces/default/events/${bodies()[0]?.metadata.name}`,
    contentType: "application/merge-patch+json",
    body: { series: { count: 51, lastObservedTime: expect.stringMatching(/Z$/) } },
  });
  await clock.advance(600_000);
  expect(asked).toHaveLength(2);
  expect(recorder.counts()).toMatchObject({ created: 1, folded: 50 });
});

test("after a long quiet the same is a new event", async () => {
  recorder.record(about("a"));
  await clock.advance(360_000);
  recorder.record(about("a"));
  await settle();
  expect(bodies().map(({ series }) => series)).toEqual([undefined, undefined]);
  expect(bodies()[0]?.metadata.name).not.toBe(bodies()[1]?.metadata.name);
});

test("too many about one object are counted on the last of their kind, and hinder no other object", async () => {
  for (let i = 0; i < 25; i++) recorder.record(about("busy", { note: `change ${i}` }));
  recorder.record(about("busy", { reason: "Other" }));
  recorder.record(about("calm"));
  await clock.advance(30_000);
  const notes = bodies().map(({ note }) => note);
  expect(notes.slice(0, 11)).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `change ${i}`),
    "2 nets added, 1 removed",
  ]);
  // The tenth is followed by fifteen like it; they went along when it was sent.
  expect(bodies()[9]?.series?.count).toBe(16);
  expect(drops).toEqual(["rate: too many events"]);
  expect(recorder.counts()).toMatchObject({ created: 11, folded: 15, dropped: { rate: 1 } });
  await clock.advance(60_000);
  recorder.record(about("busy", { reason: "Other" }));
  await settle();
  expect(recorder.counts().created).toBe(12);
});

test("too many in all are dropped and counted; memory and queue are bounded", async () => {
  for (let i = 0; i < 5_000; i++) recorder.record(about(`set-${i}`));
  await settle();
  expect(recorder.counts().dropped.rate).toBe(4_900);
  await clock.advance(2_000);
  for (let i = 0; i < 100; i++) recorder.record(about(`later-${i}`));
  await settle();
  expect(recorder.counts()).toMatchObject({ created: 110, dropped: { rate: 4_990, queue: 0 } });
});

test("what cannot wait is dropped", async () => {
  const small = new EventRecorder({
    api: { request: async () => new Promise(() => {}) },
    clock,
    reportingInstance: "x",
    limits: { queue: 3 },
  });
  for (let i = 0; i < 6; i++) small.record(about(`set-${i}`));
  await settle();
  expect(small.counts().dropped.queue).toBe(2);
});

test("a server that is away is asked again, some times; then the event is dropped and the next one tried", async () => {
  faults = [new Fault("connection", "away"), new Fault("unavailable", "away")];
  recorder.record(about("a"));
  await clock.advance(3_000);
  expect(asked).toHaveLength(3);
  expect(recorder.counts().created).toBe(1);
  faults = Array.from({ length: 4 }, () => new Fault("timeout", "away"));
  recorder.record(about("b"));
  recorder.record(about("c"));
  await clock.advance(60_000);
  expect(drops).toEqual(["unsent: away"]);
  expect(bodies().at(-1)?.metadata.name).toMatch(/^c\./);
});

test("a server that denies events is left alone for a minute", async () => {
  faults = [new Fault("forbidden", "no")];
  recorder.record(about("a"));
  recorder.record(about("b"));
  await settle();
  recorder.record(about("c"));
  expect(asked).toHaveLength(1);
  expect(recorder.counts().dropped.refused).toBe(3);
  await clock.advance(60_000);
  recorder.record(about("a"));
  await settle();
  expect(asked).toHaveLength(2);
  expect(recorder.counts().created).toBe(1);
});

test("an event that the server has forgotten is made anew with its count", async () => {
  recorder.record(about("a"));
  await settle();
  recorder.record(about("a"));
  faults = [new Fault("not-found", "gone")];
  await clock.advance(30_000);
  expect(asked.map(({ method }) => method)).toEqual(["POST", "PATCH", "POST"]);
  expect(bodies()[2]).toMatchObject({ series: { count: 2 }, note: "2 nets added, 1 removed" });
});

test("stopping sends what waits and the counts, and no longer than its patience", async () => {
  recorder.record(about("a"));
  await settle();
  recorder.record(about("a"));
  recorder.record(about("b"));
  await recorder.stop();
  expect(asked.map(({ method }) => method)).toEqual(["POST", "POST", "PATCH"]);
  recorder.record(about("c"));
  expect(recorder.counts().dropped.refused).toBe(1);

  faults = Array.from({ length: 9 }, () => new Fault("connection", "away"));
  const other = new EventRecorder({
    api: {
      request: async () => {
        throw new Fault("connection", "away");
      },
    },
    clock,
    reportingInstance: "x",
  });
  other.record(about("a"));
  other.record(about("b"));
  const stopped = other.stop(500);
  await clock.advance(500);
  await stopped;
  expect(other.counts().dropped.unsent).toBe(2);
  expect(clock.pending).toBe(0);
});

test("names and notes fit what the server takes", async () => {
  recorder.record(
    about(`${"x".repeat(199)}.-${"y".repeat(60)}`, {
      note: "ä".repeat(600),
      reason: "R".repeat(200),
    }),
  );
  recorder.record(about("System:Node"));
  await settle();
  const [long, odd] = asked.map(({ body }) => body as Sent & { reason: string });
  expect(long?.metadata.name).toMatch(/^x{199}\.[0-9a-f]+$/);
  expect(Buffer.byteLength(long?.note ?? "")).toBeLessThanOrEqual(1_024);
  expect(long?.note).toMatch(/^ä+…$/);
  expect(long?.reason).toHaveLength(128);
  expect(odd?.metadata.name).toMatch(/^system-node\./);
});
