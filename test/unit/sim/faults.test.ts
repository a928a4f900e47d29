import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { startSim, type Sim } from "../../../src/sim/sim.ts";

let sim: Sim;

beforeEach(async () => {
  sim = await startSim({ name: "faults" });
  for (const name of ["a", "b", "c"])
    sim.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } });
});

afterEach(async () => {
  await sim.stop();
});

interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
  /** How it ended: well, or the code of the error. */
  readonly end: string;
}

const MAPS = "/api/v1/namespaces/default/configmaps";

/** Reads a response until it ends in any way, or for `patienceMs`. */
async function read(path: string, patienceMs = 2_000, base = sim.url, ca?: string): Promise<Got> {
  return new Promise((resolve) => {
    const open = base.startsWith("https:") ? httpsGet : httpGet;
    let got: Got = { status: 0, body: "", headers: {}, end: "silence" };
    const timer = setTimeout(() => {
      request.destroy();
      resolve(got);
    }, patienceMs);
    const finish = (end: string): void => {
      clearTimeout(timer);
      resolve({ ...got, end });
    };
    const request = open(
      new URL(path, base),
      { agent: false, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        got = { ...got, status: response.statusCode ?? 0, headers: response.headers };
        response.on("data", (chunk: Buffer) => {
          got = { ...got, body: got.body + chunk.toString() };
        });
        response.on("end", () => finish("well"));
        response.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

function namesOf(got: Got): string[] {
  const list = JSON.parse(got.body) as { items: { metadata: { name: string } }[] };
  return list.items.map((item) => item.metadata.name);
}

test.each([401, 403, 404, 409, 422, 429, 500, 503])("a rule answers %i, twice", async (code) => {
  const rule = sim.faults.add({
    match: { verb: "list", resource: "configmaps" },
    action: { kind: "status", code },
    times: 2,
  });
  expect([await read(MAPS), await read(MAPS), await read(MAPS)].map((got) => got.status)).toEqual([
    code,
    code,
    200,
  ]);
  expect(rule.hits).toBe(2);
  expect(JSON.parse((await read(`${MAPS}/a`)).body)).toMatchObject({ metadata: { name: "a" } });
});

test("429 says when to come back", async () => {
  sim.faults.add({ match: {}, action: { kind: "status", code: 429, retryAfterSeconds: 7 } });
  const got = await read(MAPS);
  expect(got.headers["retry-after"]).toBe("7");
  expect(JSON.parse(got.body)).toMatchObject({ reason: "TooManyRequests", code: 429 });
});

test("a rule can wait for its turn, and be removed", async () => {
  const rule = sim.faults.add({ match: {}, action: { kind: "status", code: 500 }, after: 1 });
  expect((await read(MAPS)).status).toBe(200);
  expect((await read(MAPS)).status).toBe(500);
  rule.remove();
  expect((await read(MAPS)).status).toBe(200);
});

test("a rule meets only what it matches", async () => {
  sim.faults.add({
    match: { verb: ["get", "watch"], name: "a", namespace: "default", url: /configmaps/ },
    action: { kind: "status", code: 503 },
  });
  expect((await read(`${MAPS}/a`)).status).toBe(503);
  expect((await read(`${MAPS}/b`)).status).toBe(200);
  expect((await read(MAPS)).status).toBe(200);
});

test("a dropped connection gives no answer", async () => {
  sim.faults.add({ match: {}, action: { kind: "drop" } });
  const got = await read(MAPS);
  expect(got).toMatchObject({ status: 0, end: "ECONNRESET" });
});

test("a delayed answer comes late", async () => {
  sim.faults.add({ match: {}, action: { kind: "delay", ms: 150 } });
  const start = performance.now();
  expect((await read(MAPS)).status).toBe(200);
  expect(performance.now() - start).toBeGreaterThan(140);
});

test.each([0, 1, 57])("an answer is cut at byte %i by a broken connection", async (at) => {
  const whole = (await read(MAPS)).body;
  sim.faults.add({ match: {}, action: { kind: "truncate", at, ending: "reset" } });
  const got = await read(MAPS);
  expect(got.end).toBe("ECONNRESET");
  expect(got.body).toBe(whole.slice(0, at));
});

test("an answer is cut as if it were whole", async () => {
  const whole = (await read(`${MAPS}/a`)).body;
  sim.faults.add({ match: {}, action: { kind: "truncate", at: 40, ending: "clean" } });
  const got = await read(`${MAPS}/a`);
  expect(got).toMatchObject({ status: 200, end: "well", body: whole.slice(0, 40) });
});

test("an answer stops without an end", async () => {
  sim.faults.add({ match: {}, action: { kind: "stall", at: 10 } });
  const got = await read(MAPS, 300);
  expect(got).toMatchObject({ status: 200, end: "silence" });
  expect(got.body).toHaveLength(10);
});

test("an answer drips", async () => {
  const whole = (await read(MAPS)).body;
  sim.faults.add({ match: {}, action: { kind: "drip", bytes: 100, everyMs: 10 } });
  const start = performance.now();
  const got = await read(MAPS, 10_000);
  expect(got.body).toBe(whole);
  expect(performance.now() - start).toBeGreaterThan(Math.floor(whole.length / 100) * 10 * 0.9);
});

test("a list is empty, then full", async () => {
  sim.faults.add({ match: { verb: "list" }, action: { kind: "empty-list" }, times: 1 });
  expect(namesOf(await read(MAPS))).toEqual([]);
  expect(namesOf(await read(MAPS))).toEqual(["a", "b", "c"]);
});

test("a list comes twice, and backwards", async () => {
  sim.faults.add({ match: { verb: "list" }, action: { kind: "reorder" } });
  sim.faults.add({ match: { verb: "list" }, action: { kind: "duplicate" }, times: 1 });
  expect(namesOf(await read(MAPS))).toEqual(["c", "c", "b", "b", "a", "a"]);
  expect(namesOf(await read(MAPS))).toEqual(["c", "b", "a"]);
});

function eventsOf(got: Got): string[] {
  return got.body
    .trimEnd()
    .split("\n")
    .map(
      (line) =>
        JSON.parse(line) as {
          type: string;
          object: { metadata: { name?: string }; code?: number };
        },
    )
    .map(({ type, object }) => `${type} ${object.metadata.name ?? object.code ?? ""}`.trimEnd());
}

const WATCH = `${MAPS}?watch=1&resourceVersion=0&timeoutSeconds=1`;

test("events come twice", async () => {
  sim.faults.add({ match: { verb: "watch" }, action: { kind: "duplicate" } });
  expect(eventsOf(await read(WATCH))).toEqual([
    "ADDED a",
    "ADDED a",
    "ADDED b",
    "ADDED b",
    "ADDED c",
    "ADDED c",
  ]);
});

test("events come in another order", async () => {
  sim.faults.add({ match: { verb: "watch" }, action: { kind: "reorder" } });
  expect(eventsOf(await read(WATCH))).toEqual(["ADDED b", "ADDED a", "ADDED c"]);
});

test("a version expires: by status, by event, and by compaction", async () => {
  const rule = sim.faults.add({
    match: { verb: "watch" },
    action: { kind: "expire", as: "status" },
  });
  expect(await read(WATCH)).toMatchObject({ status: 410 });
  rule.remove();
  const { resourceVersion } = (
    JSON.parse((await read(MAPS)).body) as { metadata: { resourceVersion: string } }
  ).metadata;
  sim.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "d", namespace: "default" } });
  const again = `${MAPS}?watch=1&resourceVersion=${resourceVersion}&timeoutSeconds=1`;
  expect(eventsOf(await read(again))).toEqual(["ADDED d"]);
  sim.compact();
  expect(eventsOf(await read(again))).toEqual(["ERROR 410"]);
  sim.faults.add({ match: { verb: "watch" }, action: { kind: "expire", as: "event" } });
  expect(eventsOf(await read(WATCH))).toEqual(["ERROR 410"]);
});

test("a skewed clock shows in objects and headers", async () => {
  sim.skewClock(-3_600_000);
  const got = await read(MAPS);
  expect(Date.now() - Date.parse(got.headers.date ?? "")).toBeGreaterThan(3_590_000);
  const made = sim.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "old", namespace: "default" },
  });
  const { creationTimestamp } = made["metadata"] as { creationTimestamp: string };
  expect(Date.now() - Date.parse(creationTimestamp)).toBeGreaterThan(3_590_000);
});

test("a restart breaks watches and begins with other data, at a version of its own", async () => {
  const watching = read(`${MAPS}?watch=1&timeoutSeconds=30`, 5_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  sim.restart({
    resourceVersion: 50,
    fill: (fresh) =>
      void fresh.put({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "z", namespace: "default" },
      }),
  });
  expect((await watching).end).toBe("ECONNRESET");
  const got = await read(MAPS);
  expect(namesOf(got)).toEqual(["z"]);
  expect(JSON.parse(got.body)).toMatchObject({ metadata: { resourceVersion: "55" } });
});

test("a certificate changes", async () => {
  const secure = await startSim({ name: "tls", tls: true });
  try {
    const first = secure.certificate?.ca ?? "";
    expect((await read("/healthz", 2_000, secure.url, first)).status).toBe(200);
    const second = await secure.changeCertificate();
    expect((await read("/healthz", 2_000, secure.url, first)).end).toMatch(/CERT|VERIFY/);
    expect((await read("/healthz", 2_000, secure.url, second.ca)).status).toBe(200);
  } finally {
    await secure.stop();
  }
});

test("nonsense is refused when a rule is added", () => {
  const add = (action: Parameters<Sim["faults"]["add"]>[0]["action"]): unknown =>
    sim.faults.add({ match: {}, action });
  expect(() => add({ kind: "truncate", at: -1, ending: "reset" })).toThrow(/action.at is -1/);
  expect(() => add({ kind: "drip", bytes: 0, everyMs: 1 })).toThrow(/action.bytes is 0/);
  expect(() => add({ kind: "status", code: 200 })).toThrow(/action.code is 200/);
});
