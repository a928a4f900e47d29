import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { PodRecord } from "../../../src/core/model/pod.ts";
import type { WatchEvent } from "../../../src/core/reflector/store.ts";
import { loadCluster, type ClusterAccess } from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { podListWatch } from "../../../src/kube/pod-list-watch.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { ListWatch } from "../../../src/runtime/list-watch.ts";
import {
  encode,
  envelope,
  frame,
  podList,
  watchFrame,
  type Fields,
} from "../../support/kube-protobuf.ts";
import { json, NastyServer, type Answer } from "../../support/nasty-server.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const BOTH = `${PROTOBUF}, application/json`;

let server: NastyServer;
let access: ClusterAccess;
let source: ListWatch<PodRecord>;
let abort: AbortController;
let names: string[];
let events: WatchEvent<PodRecord>[];

beforeEach(async () => {
  server = new NastyServer();
  access = await loadCluster({ kind: "explicit", url: await server.listen() }, systemClock);
  abort = new AbortController();
  names = [];
  events = [];
  source = podListWatch(new ApiClient(access, { clock: systemClock }), {
    labelSelector: "a=b",
    keepAnnotations: new Set(["set"]),
  });
});

afterEach(async () => {
  abort.abort();
  access.close();
  await server.close();
});

async function list(continueToken = "", resourceVersion = ""): Promise<unknown> {
  return source
    .list({
      resourceVersion,
      continueToken,
      limit: 500,
      signal: abort.signal,
      onBytes: () => {},
      onItem: (item) => names.push(item.name),
    })
    .catch((error: unknown) => error);
}

async function watch(): Promise<unknown> {
  return source
    .watch({
      resourceVersion: "5",
      timeoutSeconds: 301,
      signal: abort.signal,
      onBytes: () => {},
      onOpen: () => {},
      onEvent: (event) => events.push(event),
    })
    .then(
      () => "ended",
      (error: unknown) => error,
    );
}

function pod(name: string, resourceVersion = "6"): Fields {
  return { metadata: { name, namespace: "default", resourceVersion, labels: { a: "b" } } };
}

function bytes(body: Buffer, status = 200, contentType = PROTOBUF): Answer {
  return (_request, response) => {
    response.writeHead(status, { "content-type": contentType });
    response.end(body);
  };
}

/** What `url`'s query holds of the parameters. */
function asked(index: number): Record<string, string> {
  const url = new URL(server.requests[index]?.split(" ")[1] ?? "", "http://server");
  return Object.fromEntries(url.searchParams);
}

describe("a list of pods", () => {
  test("asks for protobuf and for everything at once", async () => {
    server.answer = bytes(podList([pod("a"), pod("b")], { resourceVersion: "7" }));
    expect(await list()).toEqual({ resourceVersion: "7", continueToken: "" });
    expect(names).toEqual(["a", "b"]);
    expect(server.headers[0]?.accept).toBe(BOTH);
    expect(asked(0)).toEqual({ labelSelector: "a=b" });
  });

  test("comes in pages after an answer that did not come whole, until one did", async () => {
    const whole = podList([pod("a"), pod("b")], { resourceVersion: "7" });
    server.answer = (_request, response) => {
      response.writeHead(200, { "content-type": PROTOBUF, "content-length": whole.length });
      response.write(whole.subarray(0, whole.length - 10), () => response.socket?.destroy());
    };
    expect(await list("", "4")).toMatchObject({ code: "connection" });
    server.answer = bytes(podList([pod("a")], { resourceVersion: "7", continue: "more" }));
    expect(await list("", "4")).toEqual({ resourceVersion: "7", continueToken: "more" });
    server.answer = bytes(podList([pod("b")], { resourceVersion: "7" }));
    expect(await list("more")).toEqual({ resourceVersion: "7", continueToken: "" });
    await list();
    expect([0, 1, 2, 3].map((n) => asked(n)["limit"])).toEqual([
      undefined,
      "5000",
      "5000",
      undefined,
    ]);
    expect(asked(1)).toMatchObject({ resourceVersion: "4", resourceVersionMatch: "NotOlderThan" });
    expect(asked(2)).toEqual({ labelSelector: "a=b", limit: "5000", continue: "more" });
  });

  test.each([
    ["refuses protobuf", (accept: string) => (accept === BOTH ? 406 : 200)],
    ["answers JSON all the same", () => 200],
  ])("comes in pages of JSON when the server %s", async (_how, status) => {
    const body = { metadata: { resourceVersion: "7" }, items: [pod("a")] };
    server.answer = (request, response) => {
      json(body, status(request.headers.accept ?? ""))(request, response);
    };
    expect(await list()).toEqual({ resourceVersion: "7", continueToken: "" });
    await list();
    expect(names).toEqual(["a", "a"]);
    expect([0, 1, 2].map((n) => asked(n)["limit"])).toEqual([undefined, "500", "500"]);
    expect(server.headers.map((each) => each.accept)).toEqual([
      BOTH,
      "application/json",
      "application/json",
    ]);
  });

  test("that is refused in protobuf says why", async () => {
    const status = encode("Status", {
      status: "Failure",
      message: "Timeout: Too large resource version: 9, current: 3",
      reason: "Timeout",
      code: 504,
      details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 },
    });
    server.answer = bytes(envelope("Status", status), 504);
    expect(await list()).toMatchObject({
      code: "timeout",
      reason: "ResourceVersionTooLarge",
      retryAfterMs: 1_000,
      message: expect.stringContaining("Too large resource version: 9"),
    });
  });

  test.each<[string, Answer, string]>([
    ["of another kind", bytes(envelope("NodeList", Buffer.alloc(0))), '"NodeList"'],
    ["without a version", bytes(podList([pod("a")], {})), "metadata.resourceVersion"],
    ["of no protobuf", bytes(Buffer.from("hello world")), "does not begin as Kubernetes protobuf"],
    ["that is empty", bytes(Buffer.alloc(0)), "cut off"],
    ["of HTML", bytes(Buffer.from("<html>"), 200, "text/html"), "text/html"],
    [
      "with a pod without a name",
      bytes(podList([{ metadata: { namespace: "x" } }], { resourceVersion: "7" })),
      "metadata.name",
    ],
    [
      "in an encoding on top",
      bytes(
        Buffer.concat([
          podList([], { resourceVersion: "7" }),
          encode("Unknown", { contentEncoding: "gzip" }),
        ]),
      ),
      '"gzip"',
    ],
    [
      "of two lists",
      bytes(
        Buffer.concat([
          podList([], { resourceVersion: "7" }),
          encode("Unknown", { raw: encode("PodList", { metadata: { resourceVersion: "8" } }) }),
        ]),
      ),
      "second list",
    ],
  ])("%s is a fault", async (_what, answer, why) => {
    server.answer = answer;
    expect(await list()).toMatchObject({
      code: "malformed",
      message: expect.stringContaining(why),
    });
  });
});

describe("a watch of pods", () => {
  test("gives what happens, in protobuf", async () => {
    const object = (name: string, version: string): Buffer => encode("Pod", pod(name, version));
    server.answer = bytes(
      Buffer.concat([
        watchFrame("ADDED", "Pod", object("a", "6")),
        watchFrame("MODIFIED", "Pod", object("a", "7")),
        watchFrame("DELETED", "Pod", object("a", "8")),
        watchFrame("BOOKMARK", "Pod", encode("Pod", { metadata: { resourceVersion: "9" } })),
      ]),
      200,
      `${PROTOBUF};stream=watch`,
    );
    expect(await watch()).toBe("ended");
    expect(events.map(({ kind, resourceVersion }) => [kind, resourceVersion])).toEqual([
      ["put", "6"],
      ["put", "7"],
      ["remove", "8"],
      ["bookmark", "9"],
    ]);
    expect(asked(0)).toEqual({
      labelSelector: "a=b",
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "5",
      timeoutSeconds: "301",
    });
  });

  test("is read as JSON where the server answers so", async () => {
    server.answer = bytes(
      Buffer.from(`${JSON.stringify({ type: "ADDED", object: pod("a") })}\n`),
      200,
      "application/json",
    );
    expect(await watch()).toBe("ended");
    expect(events).toMatchObject([{ kind: "put", resourceVersion: "6", item: { name: "a" } }]);
  });

  test("that is too old is a fault `gone`, told by an event or by the answer", async () => {
    const status = encode("Status", { message: "too old", reason: "Expired", code: 410 });
    const gone = { code: "gone", reason: "Expired" };
    server.answer = bytes(watchFrame("ERROR", "Status", status));
    expect(await watch()).toMatchObject(gone);
    server.answer = bytes(envelope("Status", status), 410);
    expect(await watch()).toMatchObject(gone);
  });

  test.each<[string, Buffer, string]>([
    ["of unknown type", watchFrame("NEWS", "Pod", Buffer.alloc(0)), '"NEWS"'],
    ["of another kind", watchFrame("ADDED", "Node", Buffer.alloc(0)), '"Node"'],
    ["without object", frame(encode("WatchEvent", { type: "ADDED" })), "has no object"],
    ["that is empty", frame(Buffer.alloc(0)), '""'],
    [
      "without a version",
      watchFrame("ADDED", "Pod", encode("Pod", pod("a", ""))),
      "metadata.resourceVersion",
    ],
    ["of endless length", Buffer.from([0xff, 0xff, 0xff, 0xff, 0]), "are allowed"],
    ["that is cut off", watchFrame("ADDED", "Pod", Buffer.alloc(9)).subarray(0, 20), "inside"],
  ])("an event %s is a fault", async (_what, body, why) => {
    server.answer = bytes(body);
    expect(await watch()).toMatchObject({
      code: "malformed",
      message: expect.stringContaining(why),
    });
    expect(events).toEqual([]);
  });
});
