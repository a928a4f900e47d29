import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Fault } from "../../../src/core/model/fault.ts";
import { loadCluster, type ClusterAccess } from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { discoverResources } from "../../../src/kube/discovery.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { json, NastyServer, refusal } from "../../support/nasty-server.ts";

let server: NastyServer;
let access: ClusterAccess;
let client: ApiClient;

beforeEach(async () => {
  server = new NastyServer();
  const url = await server.listen();
  access = await loadCluster({ kind: "explicit", url }, systemClock);
  client = new ApiClient(access, { clock: systemClock, timeoutMs: 2_000, connectTimeoutMs: 500 });
});

afterEach(async () => {
  access.close();
  await server.close();
});

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  return work.then(
    (value) => {
      throw new Error(`it worked: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error as Fault,
  );
}

const get = { method: "GET", path: "/api/v1/pods" } as const;

describe("requests", () => {
  test("send JSON, and give the parsed answer; all over one connection", async () => {
    server.answer = (request, response) => {
      let text = "";
      request.on("data", (piece: Buffer) => (text += piece.toString()));
      request.on("end", () =>
        json({ got: JSON.parse(text) as unknown, type: request.headers["content-type"] }, 201)(
          request,
          response,
        ),
      );
    };
    for (let i = 0; i < 5; i++) {
      const answer = await client.request({
        method: "PATCH",
        path: "/apis/x/v1/things/a",
        query: { fieldManager: "a b", dryRun: undefined },
        body: { n: i },
        contentType: "application/merge-patch+json",
      });
      expect(answer).toMatchObject({
        status: 201,
        body: { got: { n: i }, type: "application/merge-patch+json" },
      });
    }
    expect(server.connections).toBe(1);
    expect(server.requests[0]).toBe("PATCH /apis/x/v1/things/a?fieldManager=a+b");
  });

  test("keep the path that a server's URL already has", async () => {
    server.answer = json({});
    const url = `http://127.0.0.1:${server.port}/k8s/clusters/c-1/`;
    const nested = await loadCluster({ kind: "explicit", url }, systemClock);
    await new ApiClient(nested, { clock: systemClock }).request(get);
    expect(server.requests).toEqual(["GET /k8s/clusters/c-1/api/v1/pods"]);
    nested.close();
  });

  test.each([
    [400, "BadRequest", "bad-request"],
    [401, "Unauthorized", "unauthorized"],
    [403, "Forbidden", "forbidden"],
    [404, "NotFound", "not-found"],
    [405, "MethodNotAllowed", "bad-request"],
    [409, "AlreadyExists", "already-exists"],
    [409, "Conflict", "conflict"],
    [410, "Expired", "gone"],
    [422, "Invalid", "invalid"],
    [429, "TooManyRequests", "too-many-requests"],
    [500, "InternalError", "server-error"],
    [502, "", "unavailable"],
    [503, "ServiceUnavailable", "unavailable"],
    [504, "Timeout", "timeout"],
  ])("status %i %s is the fault %s, with the server's words", async (status, reason, code) => {
    server.answer = refusal(status, reason, "because of the moon");
    const fault = await faultOf(client.request(get));
    expect(fault).toMatchObject({ name: "Fault", code, status });
    expect(fault.message).toBe(`GET /api/v1/pods: status ${status}: because of the moon`);
    expect(fault.reason).toBe(reason === "" ? undefined : reason);
  });

  test("a refusal that is not JSON is a fault by its status", async () => {
    server.answer = (_request, response) => void response.writeHead(503).end("<html>");
    expect(await faultOf(client.request(get))).toMatchObject({ code: "unavailable", status: 503 });
  });

  test("Retry-After comes in seconds, as a date, or in the Status", async () => {
    server.answer = json({}, 429, { "retry-after": "7" });
    expect((await faultOf(client.request(get))).retryAfterMs).toBe(7_000);
    server.answer = json({}, 503, {
      "retry-after": new Date(Date.now() + 20_000).toUTCString(),
    });
    const { retryAfterMs } = await faultOf(client.request(get));
    expect(retryAfterMs).toBeGreaterThan(15_000);
    expect(retryAfterMs).toBeLessThanOrEqual(20_000);
    server.answer = refusal(429, "TooManyRequests", "x", { details: { retryAfterSeconds: 3 } });
    expect((await faultOf(client.request(get))).retryAfterMs).toBe(3_000);
  });

  test("a version that the server has not reached is told by its cause", async () => {
    server.answer = refusal(504, "Timeout", "Too large resource version: 9, current: 5", {
      details: { causes: [{ reason: "ResourceVersionTooLarge", message: "x" }] },
    });
    expect(await faultOf(client.request(get))).toMatchObject({
      code: "timeout",
      reason: "ResourceVersionTooLarge",
    });
  });

  test("a redirect is refused, not followed", async () => {
    server.answer = json({}, 302, { location: "https://login.example/" });
    const fault = await faultOf(client.request(get));
    expect(fault).toMatchObject({ code: "malformed", status: 302 });
    expect(fault.message).toContain("https://login.example/");
    expect(server.requests).toHaveLength(1);
  });

  test("a login page is a malformed answer", async () => {
    server.answer = (_request, response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in");
    const fault = await faultOf(client.request(get));
    expect(fault.code).toBe("malformed");
    expect(fault.message).toContain("text/html");
  });

  test("a body that is cut short is a connection fault", async () => {
    server.answer = (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"kind":"PodList"}');
      setTimeout(() => response.socket?.destroy(), 20);
    };
    const fault = await faultOf(client.request(get));
    expect(fault.code).toBe("connection");
    expect(fault.message).toContain("closed the connection mid-way");
  });

  test("a chunked body without its end is a connection fault, although its JSON is whole", async () => {
    server.answer = (_request, response) => {
      response.writeHead(200);
      response.write('{"kind":"PodList"}');
      setTimeout(() => response.socket?.end(), 20);
    };
    expect((await faultOf(client.request(get))).code).toBe("connection");
  });

  test("an answer that never comes, and one that never ends, are timeouts", async () => {
    server.answer = () => {};
    expect(await faultOf(client.request({ ...get, timeoutMs: 100 }))).toMatchObject({
      code: "timeout",
      message: "GET /api/v1/pods: no answer within 100 ms",
    });
    server.answer = (_request, response) => void response.writeHead(200).write("{");
    expect((await faultOf(client.request({ ...get, timeoutMs: 100 }))).code).toBe("timeout");
  });

  test("an answer larger than the limit is refused", async () => {
    server.answer = json("x".repeat(2_000));
    const small = new ApiClient(access, { clock: systemClock, maxBodyBytes: 1_000 });
    expect((await faultOf(small.request(get))).message).toContain("larger than 1000 bytes");
  });

  test("abort rejects with the code aborted, before and during the request", async () => {
    server.answer = () => {};
    const abort = new AbortController();
    const pending = faultOf(client.request({ ...get, signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    expect((await pending).code).toBe("aborted");
    expect((await faultOf(client.request({ ...get, signal: abort.signal }))).code).toBe("aborted");
    expect(server.requests).toHaveLength(1);
  });

  test("nobody listening, a name that does not resolve, TLS towards plain HTTP", async () => {
    const at = async (url: string): Promise<Fault> => {
      const other = await loadCluster({ kind: "explicit", url }, systemClock);
      const fault = await faultOf(new ApiClient(other, { clock: systemClock }).request(get));
      other.close();
      return fault;
    };
    const closed = new NastyServer();
    const url = await closed.listen();
    await closed.close();
    expect(await at(url)).toMatchObject({ code: "connection" });
    expect((await at(url)).message).toContain("refuses connections (ECONNREFUSED)");
    expect((await at("http://nowhere.invalid")).message).toContain("name does not resolve");
    expect((await at(`https://127.0.0.1:${server.port}`)).message).toContain("does not speak TLS");
  });

  test("a GET on a kept connection that the server closed is sent again", async () => {
    server.answer = json({});
    await client.request(get);
    // The server drops the second request without an answer, as one that just timed the connection out.
    let dropped = 0;
    server.answer = (request, response) => {
      if (dropped++ === 0) request.socket.destroy();
      else json({ again: true })(request, response);
    };
    expect((await client.request(get)).body).toEqual({ again: true });
    dropped = 0;
    expect((await faultOf(client.request({ method: "POST", path: "/x", body: {} }))).code).toBe(
      "connection",
    );
  });
});

describe("discovery", () => {
  test("tells a group that is not served from one that cannot be asked", async () => {
    server.answer = json({
      kind: "APIResourceList",
      resources: [
        { name: "globalnetworksets", kind: "GlobalNetworkSet", namespaced: false, verbs: ["get"] },
      ],
    });
    const served = await discoverResources(client, "projectcalico.org", "v3");
    expect(served?.get("globalnetworksets")).toMatchObject({ kind: "GlobalNetworkSet" });
    expect(server.requests).toEqual(["GET /apis/projectcalico.org/v3"]);
    server.answer = refusal(404, "NotFound", "no such group");
    expect(await discoverResources(client, "projectcalico.org", "v3")).toBeUndefined();
    server.answer = refusal(503, "ServiceUnavailable", "aggregated server is away");
    expect((await faultOf(discoverResources(client, "projectcalico.org", "v3"))).code).toBe(
      "unavailable",
    );
    server.answer = json({});
    expect((await faultOf(discoverResources(client, "projectcalico.org", "v3"))).code).toBe(
      "malformed",
    );
  });
});

describe("a fenced client", () => {
  test("asks before a write is sent, again for each, and lets reads pass", async () => {
    const seen: string[] = [];
    server.answer = (request, response) => {
      seen.push(request.method ?? "");
      json({})(request, response);
    };
    let leads = false;
    const fenced = new ApiClient(access, { clock: systemClock, mayWrite: () => leads });
    const put = { method: "PUT", path: "/api/v1/things/a", body: {} } as const;
    const fault = await faultOf(fenced.request(put));
    expect(fault).toMatchObject({
      code: "aborted",
      message: "PUT /api/v1/things/a: not sent, we do not lead",
    });
    await fenced.request(get);
    leads = true;
    await fenced.request(put);
    leads = false;
    // Over a connection that is used again.
    expect((await faultOf(fenced.request(put))).code).toBe("aborted");
    expect(seen).toEqual(["GET", "PUT"]);
  });

  test("asks once it is connected, not when it was called", async () => {
    let leads = true;
    let asked = 0;
    const fenced = new ApiClient(access, {
      clock: systemClock,
      mayWrite: () => {
        asked++;
        return leads;
      },
    });
    const sent = faultOf(fenced.request({ method: "DELETE", path: "/api/v1/things/a" }));
    leads = false;
    expect((await sent).code).toBe("aborted");
    expect(asked).toBe(1);
  });
});
