import { describe, expect, test } from "@jest/globals";
import { apiRoutes, isLoopbackPeer } from "../../../src/operator/api.ts";
import type { Views } from "../../../src/operator/views.ts";

test.each([
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:7f00:1", true],
  ["10.0.0.1", false],
  ["128.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["::2", false],
  // Not mapped: an address of its own, whatever its last bytes.
  ["::127.0.0.1", false],
  ["fe80::1%eth0", false],
  ["", false],
])("peer %j is loopback: %p", (peer, expected) => {
  expect(isLoopbackPeer(peer)).toBe(expected);
});

describe("the routes", () => {
  const asked: (string | undefined)[] = [];
  const views = {
    status: () => ({ kind: "Status" }),
    sets: (name?: string) => {
      asked.push(name);
      return { kind: "NetworkSetList", items: [] };
    },
  } as unknown as Views;
  const routes = apiRoutes(views);
  const get = async (path: string, peer: string, query = "") =>
    routes[path]?.({ query: new URLSearchParams(query), peer });

  test("answer JSON to loopback", async () => {
    expect(await get("/api/v1/status", "127.0.0.1")).toEqual({
      status: 200,
      contentType: "application/json",
      body: '{"kind":"Status"}\n',
    });
    await get("/api/v1/sets", "::1");
    await get("/api/v1/sets", "::1", "name=aws-shop-front");
    expect(asked).toEqual([undefined, "aws-shop-front"]);
  });

  test.each(["/api/v1/status", "/api/v1/sets"])("%s tells others why not", async (path) => {
    const answer = await get(path, "10.0.0.1");
    expect(answer?.status).toBe(403);
    expect(answer?.body).toMatch(/^forbidden to 10\.0\.0\.1: .*loopback/);
  });
});
