import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { FaultCode } from "../../../src/core/model/fault.ts";
import { loadCluster, type ClusterAccess } from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { jsonListWatch } from "../../../src/kube/json-list-watch.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { Reflector } from "../../../src/runtime/reflector.ts";
import { eventually } from "../../support/eventually.ts";
import { json, NastyServer, refusal, type Answer } from "../../support/nasty-server.ts";
import { RecordingStore } from "../../support/recording-store.ts";

// Real time: a busy machine may take its own.
jest.setTimeout(30_000);

const PATH = "/api/v1/pods";
const LIMITS = {
  listSilenceMs: 150,
  pageDeadlineMs: 400,
  openDeadlineMs: 150,
  probeAfterMs: 50,
  probeDeadlineMs: 150,
};

let server: NastyServer;
let access: ClusterAccess;
let reflector: Reflector<string>;
let store: RecordingStore;
let abort: AbortController;
let done: Promise<void>;

beforeEach(async () => {
  server = new NastyServer();
  access = await loadCluster({ kind: "explicit", url: await server.listen() }, systemClock);
  store = new RecordingStore();
  abort = new AbortController();
  reflector = new Reflector({
    source: jsonListWatch(new ApiClient(access, { clock: systemClock }), {
      path: PATH,
      decode: (object) => (object as { metadata: { name: string } }).metadata.name,
    }),
    store,
    clock: systemClock,
    limits: LIMITS,
  });
  server.answer = holding("7", "a", "b");
  done = reflector.run(abort.signal);
  await eventually(() => expect(reflector.link().state).toBe("watching"));
  expect([...store.items]).toEqual(["a", "b"]);
});

afterEach(async () => {
  abort.abort();
  await done;
  access.close();
  await server.close();
});

function listOf(version: string, names: readonly string[], more: object = {}): object {
  return {
    metadata: { resourceVersion: version, ...more },
    items: names.map((name) => ({ metadata: { name, resourceVersion: version } })),
  };
}

/** A healthy server with these pods, and a watch that stays open. */
function holding(version: string, ...names: readonly string[]): Answer {
  return (request, response) => {
    if (request.url?.includes("watch=true") === true) response.writeHead(200).flushHeaders();
    else json(listOf(version, names))(request, response);
  };
}

const whole = JSON.stringify(listOf("9", ["a"]));

const TROUBLES: readonly (readonly [string, FaultCode, Answer])[] = [
  ["401", "unauthorized", refusal(401, "Unauthorized", "who are you")],
  ["403", "forbidden", refusal(403, "Forbidden", "not you")],
  ["404", "not-found", refusal(404, "NotFound", "no such resource")],
  ["429", "too-many-requests", refusal(429, "TooManyRequests", "later")],
  ["500", "server-error", refusal(500, "InternalError", "etcd is away")],
  ["503", "unavailable", refusal(503, "ServiceUnavailable", "starting")],
  ["a redirect", "malformed", (_, response) => void response.writeHead(302).end()],
  ["a login page", "malformed", (_, response) => void response.writeHead(200).end("<html>")],
  ["nothing at all", "malformed", (_, response) => void response.writeHead(200).end()],
  ["an empty object", "malformed", json({})],
  ["items without a version", "malformed", json({ metadata: {}, items: [] })],
  ["a version without items", "malformed", json({ metadata: { resourceVersion: "9" } })],
  ["half a body, properly ended", "malformed", (_, r) => void r.end(whole.slice(0, 60))],
  [
    "half a body, then a cut",
    "connection",
    (_, response) =>
      void response.write(whole.slice(0, 60), () => setTimeout(() => response.destroy(), 5)),
  ],
  [
    "a body shorter than promised",
    "connection",
    (_, response) => {
      response.writeHead(200, { "content-length": whole.length + 10 });
      response.write(whole, () => setTimeout(() => response.destroy(), 5));
    },
  ],
  ["a hang-up", "connection", (request) => void request.socket.destroy()],
  ["silence", "timeout", () => {}],
  ["silence after the head", "timeout", (_, response) => response.writeHead(200).flushHeaders()],
  [
    "a drip without end",
    "timeout",
    (_, response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    },
  ],
  [
    "a first page, and then no second",
    "server-error",
    (request, response) => {
      const isSecond = request.url?.includes("continue=") === true;
      const answer = isSecond
        ? refusal(500, "InternalError", "etcd is away")
        : json(listOf("9", ["a"], { continue: "more" }));
      answer(request, response);
    },
  ],
];

describe.each(TROUBLES)("%s", (_name, code, trouble) => {
  test("for a list removes nothing, is told, and heals", async () => {
    server.answer = trouble;
    reflector.relist();
    await eventually(() => expect(reflector.link().lastFault?.code).toBe(code));
    await eventually(() => expect(store.abandoned).toBeGreaterThan(1));
    expect([...store.items]).toEqual(["a", "b"]);
    expect(store.completed).toBe(1);
    await eventually(() =>
      expect(reflector.link()).toMatchObject({ synced: true, isHealthy: false }),
    );
    expect(reflector.link().lastFault?.message).not.toBe("");
    server.answer = holding("12", "b", "c");
    await eventually(() => expect([...store.items].toSorted()).toEqual(["b", "c"]));
    await eventually(() =>
      expect(reflector.link()).toMatchObject({ state: "watching", isHealthy: true }),
    );
  });
});

test.each(TROUBLES.filter(([name]) => name !== "a first page, and then no second"))(
  "%s for a probe leaves watch and store alone, is told, and heals",
  async (_name, code, trouble) => {
    server.answer = trouble;
    await eventually(() => expect(reflector.link().lastFault?.code).toBe(code));
    expect(reflector.link()).toMatchObject({ state: "watching", isHealthy: false, lists: 1 });
    expect([...store.items]).toEqual(["a", "b"]);
    server.answer = holding("12", "b", "c");
    await eventually(() => expect(reflector.link().isHealthy).toBe(true));
    expect(reflector.link()).toMatchObject({ state: "watching", lists: 1, watchEnds: {} });
  },
);

test("a server that is gone, and another on its port, hold what is known until a list is whole", async () => {
  const { port } = server;
  await server.close();
  await eventually(() => expect(reflector.link().lastFault?.code).toBe("connection"));
  await eventually(() => expect(reflector.link().state).toBe("waiting"));
  expect([...store.items]).toEqual(["a", "b"]);
  server = new NastyServer();
  server.answer = holding("3", "c");
  await server.listen(port);
  await eventually(() => expect([...store.items]).toEqual(["c"]));
  expect(reflector.link().watchEnds["went-back"]).toBe(1);
});
