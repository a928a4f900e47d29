import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Fault } from "../../../src/core/model/fault.ts";
import type { WatchEvent } from "../../../src/core/reflector/store.ts";
import { loadCluster, type ClusterAccess } from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { jsonListWatch } from "../../../src/kube/json-list-watch.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import type { ListWatch } from "../../../src/runtime/list-watch.ts";
import { json, NastyServer, refusal, type Answer } from "../../support/nasty-server.ts";

let server: NastyServer;
let access: ClusterAccess;
let source: ListWatch<string>;
let abort: AbortController;
let seen: unknown[];

beforeEach(async () => {
  server = new NastyServer();
  access = await loadCluster({ kind: "explicit", url: await server.listen() }, systemClock);
  abort = new AbortController();
  seen = [];
  source = jsonListWatch(new ApiClient(access, { clock: systemClock }), {
    path: "/api/v1/pods",
    labelSelector: "a=b,c in (d,e)",
    decode: (object) => {
      const { name } = (object as { metadata: { name?: string } }).metadata;
      if (name === undefined) throw new Fault("malformed", "pod.metadata.name is missing");
      return name;
    },
  });
});

afterEach(async () => {
  abort.abort();
  access.close();
  await server.close();
});

async function list(
  more: { resourceVersion?: string; continueToken?: string } = {},
): Promise<unknown> {
  return source
    .list({
      resourceVersion: "",
      continueToken: "",
      limit: 500,
      signal: abort.signal,
      onBytes: () => {},
      onItem: (item) => seen.push(item),
      ...more,
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
      onOpen: () => seen.push("open"),
      onEvent: (event: WatchEvent<string>) => seen.push(event),
    })
    .then(
      () => "ended",
      (error: unknown) => error,
    );
}

function pod(name: string, resourceVersion: string): object {
  return { kind: "Pod", metadata: { name, resourceVersion } };
}

function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** Sends the pieces one packet each, then ends properly, or cuts the connection. */
function pieces(parts: readonly (string | Buffer)[], how: "end" | "cut" | "hang" = "end"): Answer {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const send = (index: number): void => {
      const part = parts[index];
      if (part !== undefined) response.write(part, () => setTimeout(() => send(index + 1), 5));
      else if (how === "end") response.end();
      else if (how === "cut") response.socket?.destroy();
    };
    send(0);
  };
}

describe("a list", () => {
  test("asks for a page, and gives its items, version and token", async () => {
    server.answer = json({
      kind: "PodList",
      metadata: { resourceVersion: "7", continue: "tok" },
      items: [pod("a", "1"), pod("b", "2")],
    });
    expect(await list()).toEqual({ resourceVersion: "7", continueToken: "tok" });
    expect(seen).toEqual(["a", "b"]);
    await list({ resourceVersion: "7" });
    await list({ continueToken: "tok", resourceVersion: "7" });
    const queries = server.requests.map((each) =>
      Object.fromEntries(new URL(each.slice(4), "http://x").searchParams),
    );
    const selector = { labelSelector: "a=b,c in (d,e)", limit: "500" };
    expect(queries).toEqual([
      selector,
      { ...selector, resourceVersion: "7", resourceVersionMatch: "NotOlderThan" },
      { ...selector, continue: "tok" },
    ]);
  });

  test("with items null is empty", async () => {
    server.answer = json({ metadata: { resourceVersion: "7" }, items: null });
    expect(await list()).toEqual({ resourceVersion: "7", continueToken: "" });
    expect(seen).toEqual([]);
  });

  test.each([
    ["nothing", ""],
    ["an empty object", "{}"],
    ["no items", '{"metadata":{"resourceVersion":"7"}}'],
    ["no version", '{"metadata":{},"items":[]}'],
    ["half of it", '{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"na'],
    ["an HTML page", "<html></html>"],
    ["an item without a name", '{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{}}]}'],
  ])("that holds %s is malformed, and never empty", async (_name, body) => {
    server.answer = (_request, response) => void response.writeHead(200).end(body);
    const fault = await list();
    expect(fault).toMatchObject({ name: "Fault", code: "malformed" });
    expect((fault as Fault).message).toMatch(/^list \/api\/v1\/pods: /);
  });

  test("that is cut half way is a fault", async () => {
    const whole = JSON.stringify({ metadata: { resourceVersion: "7" }, items: [pod("a", "1")] });
    server.answer = pieces([whole.slice(0, 30)], "cut");
    expect(await list()).toMatchObject({ code: "connection" });
    server.answer = pieces([whole], "cut");
    expect(await list()).toMatchObject({ code: "connection" });
    expect(seen).toEqual([]);
  });

  test("whose continue token expired is gone", async () => {
    server.answer = refusal(410, "Expired", "The provided continue parameter is too old");
    expect(await list({ continueToken: "tok" })).toMatchObject({ code: "gone", reason: "Expired" });
  });
});

describe("a probe", () => {
  const probe = async (): Promise<unknown> =>
    source.probe({ signal: abort.signal }).catch((error: unknown) => error);

  test("asks for one object of the most recent state, and gives the version alone", async () => {
    server.answer = json({
      kind: "PodList",
      metadata: { resourceVersion: "7", continue: "tok" },
      items: [{ metadata: {} }],
    });
    expect(await probe()).toEqual({ resourceVersion: "7" });
    const [asked = ""] = server.requests;
    expect(Object.fromEntries(new URL(asked.slice(4), "http://x").searchParams)).toEqual({
      labelSelector: "a=b,c in (d,e)",
      limit: "1",
    });
  });

  test.each([
    ["nothing", ""],
    ["half of it", '{"metadata":{"resourceVersion":"7"},"items":['],
    ["no version", '{"metadata":{},"items":[]}'],
    ["one object instead of a list", '{"metadata":{"resourceVersion":"7"}}'],
  ])("that is answered with %s is malformed", async (_name, body) => {
    server.answer = (_request, response) => void response.writeHead(200).end(body);
    expect(await probe()).toMatchObject({ name: "Fault", code: "malformed" });
  });

  test("that is refused, or given up, is a fault", async () => {
    server.answer = refusal(403, "Forbidden", "not you");
    expect(await probe()).toMatchObject({ code: "forbidden" });
    server.answer = () => abort.abort();
    expect(await probe()).toMatchObject({ code: "aborted" });
  });
});

describe("a watch", () => {
  test("asks for bookmarks and a time, and hands on events, however the bytes are cut", async () => {
    const text = [
      line("ADDED", pod("a", "6")),
      line("MODIFIED", pod("ä🦊", "7")),
      line("DELETED", pod("a", "8")),
      line("BOOKMARK", { metadata: { resourceVersion: "9" } }),
    ].join("");
    const bytes = Buffer.from(text);
    const cut: Buffer[] = [];
    for (let i = 0; i < bytes.length; i += 7) cut.push(bytes.subarray(i, i + 7));
    for (const parts of [[text], cut]) {
      seen = [];
      server.answer = pieces(parts);
      expect(await watch()).toBe("ended");
      expect(seen).toEqual([
        "open",
        { kind: "put", item: "a", resourceVersion: "6" },
        { kind: "put", item: "ä🦊", resourceVersion: "7" },
        { kind: "remove", item: "a", resourceVersion: "8" },
        { kind: "bookmark", resourceVersion: "9" },
      ]);
    }
    const query = Object.fromEntries(
      new URL(server.requests[0]?.slice(4) ?? "", "http://x").searchParams,
    );
    expect(query).toEqual({
      labelSelector: "a=b,c in (d,e)",
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: "5",
      timeoutSeconds: "301",
    });
  });

  test.each([
    ["a line that is not JSON", [line("ADDED", pod("a", "6")), "oops\n"], "not JSON"],
    ["an end inside an event", [line("ADDED", pod("a", "6")), '{"type":"ADD'], "inside an event"],
    ["an end before the newline", [line("ADDED", pod("a", "6")).trim()], "inside an event"],
    ["an unknown type", [line("RENAMED", pod("a", "6"))], 'unknown type "RENAMED"'],
    ["no object", ['{"type":"ADDED"}\n'], "has no object"],
    ["no version", [line("ADDED", { metadata: { name: "a" } })], "no metadata.resourceVersion"],
    [
      "an object that is none of ours",
      [line("ADDED", { metadata: { resourceVersion: "6" } })],
      "pod.metadata.name is missing",
    ],
  ])("with %s is malformed, and nothing is dropped silently", async (_name, parts, words) => {
    server.answer = pieces(parts);
    const fault = await watch();
    expect(fault).toMatchObject({ name: "Fault", code: "malformed" });
    expect((fault as Fault).message).toContain(words);
  });

  test("from a version too old is gone, by status and by event", async () => {
    server.answer = refusal(410, "Expired", "too old resource version: 5 (100)");
    expect(await watch()).toMatchObject({ code: "gone" });
    expect(seen).toEqual([]);
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    server.answer = pieces([line("ERROR", status)], "hang");
    expect(await watch()).toMatchObject({ code: "gone" });
  });

  test("with another ERROR is that fault, at once", async () => {
    const status = { kind: "Status", code: 500, reason: "InternalError", message: "etcd is away" };
    server.answer = pieces([line("ERROR", status)], "hang");
    expect(await watch()).toMatchObject({ code: "server-error" });
  });

  test("whose connection breaks is a connection fault", async () => {
    server.answer = pieces([line("ADDED", pod("a", "6"))], "cut");
    expect(await watch()).toMatchObject({ code: "connection" });
  });

  test("is given up by its signal, also while it is silent", async () => {
    server.answer = pieces([], "hang");
    const pending = watch();
    setTimeout(() => abort.abort(), 50);
    expect(await pending).toMatchObject({ code: "aborted" });
  });
});
