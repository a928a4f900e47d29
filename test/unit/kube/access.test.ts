import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { stringify } from "yaml";
import type { Fault } from "../../../src/core/model/fault.ts";
import {
  loadCluster,
  SERVER_CHANGED,
  type ClusterAccess,
  type ClusterSource,
} from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { ExecCredentials } from "../../../src/kube/exec-plugin.ts";
import { createPki, type Pki } from "../../support/control-plane/pki.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { json, NastyServer, refusal } from "../../support/nasty-server.ts";
import { systemClock } from "../../../src/runtime/clock.ts";

let folder: string;
let server: NastyServer;
let url: string;
const opened: ClusterAccess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wayleave-access-"));
  server = new NastyServer();
  server.answer = json({ ok: true });
  url = await server.listen();
});

afterEach(async () => {
  for (const access of opened.splice(0)) access.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function open(source: ClusterSource, clock = new FakeClock()): Promise<ApiClient> {
  const access = await loadCluster(source, clock);
  opened.push(access);
  return new ApiClient(access, { clock: systemClock });
}

async function get(client: ApiClient): Promise<unknown> {
  return client
    .request({ method: "GET", path: "/x" })
    .then(({ body }) => body)
    .catch((error: unknown) => error);
}

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** An executable that the tests' exec plugins run. */
async function program(script: string): Promise<string> {
  const path = await file("plugin", `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function kubeconfig(user: object, cluster: object = {}): Promise<string> {
  return file(
    "kubeconfig",
    stringify({
      "current-context": "a",
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      clusters: [{ name: "a", cluster: { server: url, ...cluster } }],
      users: [{ name: "a", user }],
    }),
  );
}

describe("a token file", () => {
  test("is trimmed, and read again after a minute", async () => {
    const clock = new FakeClock();
    const path = await file("token", "first\n");
    const client = await open({ kind: "explicit", url, token: { file: path } }, clock);
    await get(client);
    await writeFile(path, "second\n");
    await get(client);
    await clock.advance(60_000);
    await get(client);
    const sent = server.headers.map((headers) => headers.authorization);
    expect(sent).toEqual(["Bearer first", "Bearer first", "Bearer second"]);
  });

  test("is read again at once after a 401, and the request is sent again", async () => {
    const path = await file("token", "old");
    const client = await open({ kind: "explicit", url, token: { file: path } });
    await get(client);
    await writeFile(path, "new");
    server.answer = (request, response) =>
      (request.headers.authorization === "Bearer new"
        ? json({ ok: true })
        : refusal(401, "Unauthorized", "who are you"))(request, response);
    expect(await get(client)).toEqual({ ok: true });
  });

  test("that says the same after a 401 makes one request, not a loop", async () => {
    const path = await file("token", "bad");
    server.answer = refusal(401, "Unauthorized", "who are you");
    const client = await open({ kind: "explicit", url, token: { file: path } });
    expect(await get(client)).toMatchObject({ code: "unauthorized" });
    expect(server.requests).toHaveLength(1);
  });

  test("that is missing, or holds no token, is a credentials fault that names it", async () => {
    const path = join(folder, "nothing");
    const client = await open({ kind: "explicit", url, token: { file: path } });
    expect(await get(client)).toMatchObject({ code: "credentials" });
    expect(((await get(client)) as Fault).message).toContain(`read token file "${path}": ENOENT`);
    for (const content of ["two words", "", "\n"]) {
      await writeFile(path, content);
      expect(((await get(client)) as Fault).message).toContain(`token file "${path}"`);
    }
    expect(server.requests).toHaveLength(0);
    await writeFile(path, "whole");
    expect(await get(client)).toEqual({ ok: true });
  });

  test("that vanishes for a moment leaves the last token in use", async () => {
    const clock = new FakeClock();
    const path = await file("token", "kept");
    const client = await open({ kind: "explicit", url, token: { file: path } }, clock);
    await get(client);
    await rm(path);
    await clock.advance(61_000);
    expect(await get(client)).toEqual({ ok: true });
  });
});

test("a kubeconfig that changes is followed; one that names another server is refused", async () => {
  const clock = new FakeClock();
  const path = await kubeconfig({ token: "one" });
  const client = await open({ kind: "kubeconfig", path }, clock);
  await get(client);
  await kubeconfig({ token: "two" });
  await clock.advance(60_000);
  await get(client);
  expect(server.headers.map((headers) => headers.authorization)).toEqual([
    "Bearer one",
    "Bearer two",
  ]);
  await writeFile(path, "");
  await clock.advance(60_000);
  expect(await get(client)).toMatchObject({ code: "credentials" });
  await kubeconfig({ token: "three" });
  expect(await get(client)).toEqual({ ok: true });
  await kubeconfig({ token: "two" }, { server: "http://127.0.0.1:1" });
  await clock.advance(60_000);
  const fault = (await get(client)) as Fault;
  expect(fault).toMatchObject({ code: "credentials", reason: SERVER_CHANGED });
  expect(fault.message).toContain("restart to follow it");
  await kubeconfig({ token: "two" });
  await clock.advance(60_000);
  expect(await get(client)).toEqual({ ok: true });
});

test("in a cluster the address comes from the environment; without it, a clear fault", async () => {
  const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  const access = await loadCluster({ kind: "in-cluster", environment, folder }, new FakeClock());
  expect(access.server.href).toBe("https://[fd00::1]/");
  await expect(access.connection()).rejects.toMatchObject({ code: "credentials" });
  const nowhere = loadCluster({ kind: "in-cluster", environment: {} }, new FakeClock());
  await expect(nowhere).rejects.toMatchObject({ code: "credentials" });
});

describe("a credential plugin", () => {
  const credential = (status: object): string =>
    JSON.stringify({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      status,
    });

  test("runs once for many requests, is told who asks, and again when its token ends", async () => {
    const log = join(folder, "runs");
    const expiry = new Date(new FakeClock().now() + 3_600_000).toISOString();
    const command = await program(
      `echo "$KUBERNETES_EXEC_INFO" >> ${log}; echo '${credential({ token: "t", expirationTimestamp: expiry })}'`,
    );
    const clock = new FakeClock();
    const path = await kubeconfig({ exec: { command, env: [{ name: "A", value: "b" }] } });
    const client = await open({ kind: "kubeconfig", path }, clock);
    await Promise.all([get(client), get(client), get(client)]);
    await get(client);
    expect(server.headers.map((headers) => headers.authorization)).toEqual(
      Array(4).fill("Bearer t"),
    );
    const runs = async (): Promise<string[]> => {
      const { readFile } = await import("node:fs/promises");
      return (await readFile(log, "utf8")).trim().split("\n");
    };
    expect((await runs()).map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        spec: { interactive: false },
      },
    ]);
    await clock.advance(3_590_000);
    await get(client);
    expect(await runs()).toHaveLength(2);
  });

  test.each([
    ["fails", "echo 'not logged in' >&2; exit 3", "exit code 3: not logged in"],
    ["prints no JSON", "echo hello", "did not print JSON"],
    ["prints something else", "echo '{}'", "did not print an ExecCredential"],
    ["gives nothing", `echo '${credential({})}'`, "printed neither a token nor a certificate"],
    [
      "gives half a pair",
      `echo '${credential({ clientCertificateData: "x" })}'`,
      "certificate without key",
    ],
    [
      "gives a time that is none",
      `echo '${credential({ token: "t", expirationTimestamp: "soon" })}'`,
      'expirationTimestamp "soon"',
    ],
  ])("that %s is a credentials fault", async (_name, script, words) => {
    const path = await kubeconfig({ exec: { command: await program(script) } });
    const fault = (await get(await open({ kind: "kubeconfig", path }))) as Fault;
    expect(fault.code).toBe("credentials");
    expect(fault.message).toContain(words);
    expect(server.requests).toHaveLength(0);
  });

  test("that does not exist is a credentials fault with the hint", async () => {
    const exec = { command: "/no/such/plugin", installHint: "install it" };
    const path = await kubeconfig({ exec });
    const fault = (await get(await open({ kind: "kubeconfig", path }))) as Fault;
    expect(fault.code).toBe("credentials");
    expect(fault.message).toMatch(/"\/no\/such\/plugin": .*ENOENT.*\(install it\)/);
  });

  test("that hangs, even with a child that holds its pipes, is given up", async () => {
    const command = await program("sleep 30 & sleep 30");
    const plugin = {
      apiVersion: "client.authentication.k8s.io/v1",
      command,
      args: [],
      env: {},
      installHint: "",
      clusterInfo: undefined,
    };
    const credentials = new ExecCredentials(plugin, new FakeClock(), 200);
    const before = Date.now();
    await expect(credentials.read()).rejects.toMatchObject({
      code: "credentials",
      message: expect.stringContaining("gave no answer within 200 ms"),
    });
    expect(Date.now() - before).toBeLessThan(2_000);
  });
});

/** A JWT with these claims; nobody checks its signature here. */
function jwt(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
}

describe("the end of the credentials", () => {
  async function expiry(source: ClusterSource): Promise<number | undefined> {
    const access = await loadCluster(source, new FakeClock());
    opened.push(access);
    expect(access.expiresAt()).toBeUndefined();
    await access.connection();
    return access.expiresAt();
  }

  test.each<[string, string, number | undefined]>([
    ["a JWT's exp", jwt({ sub: "a", exp: 2_000_000_000 }), 2_000_000_000_000],
    ["no exp", jwt({ sub: "a" }), undefined],
    ["an exp that is a text", jwt({ exp: "2000000000" }), undefined],
    ["claims that are no object", jwt(7), undefined],
    ["no JWT", "abcdef.0123456789abcdef", undefined],
    ["three parts that are no JSON", "a.b.c", undefined],
  ])("of a token: %s", async (_name, content, endsAt) => {
    expect(await expiry({ kind: "explicit", url, token: { content } })).toBe(endsAt);
  });

  test("of a plugin's credential: its own time, or its token's if that is sooner", async () => {
    const status = (token: string): string =>
      JSON.stringify({
        kind: "ExecCredential",
        status: { token, expirationTimestamp: "2033-05-18T03:33:20Z" },
      });
    const of = async (token: string): Promise<number | undefined> => {
      const exec = { command: await program(`echo '${status(token)}'`) };
      return expiry({ kind: "kubeconfig", path: await kubeconfig({ exec }) });
    };
    expect(await of("opaque")).toBe(2_000_000_000_000);
    expect(await of(jwt({ exp: 2_100_000_000 }))).toBe(2_000_000_000_000);
    expect(await of(jwt({ exp: 1_900_000_000 }))).toBe(1_900_000_000_000);
  });

  test("of a client certificate: its notAfter, or the token's end if that is sooner", async () => {
    const { admin } = await createPki("one");
    const of = async (user: object): Promise<number | undefined> => {
      const path = await kubeconfig(
        {
          "client-certificate-data": Buffer.from(admin.cert).toString("base64"),
          "client-key-data": Buffer.from(admin.key).toString("base64"),
          ...user,
        },
        { server: "https://127.0.0.1:1" },
      );
      return expiry({ kind: "kubeconfig", path });
    };
    const notAfter = Date.parse(new X509Certificate(admin.cert).validTo);
    expect(notAfter).toBeGreaterThan(Date.now());
    expect(await of({})).toBe(notAfter);
    expect(await of({ token: jwt({ exp: 1_000 }) })).toBe(1_000_000);
    expect(await of({ token: jwt({ exp: 99_000_000_000 }) })).toBe(notAfter);
  });

  test("follows a token that is replaced in its file", async () => {
    const clock = new FakeClock();
    const path = await file("token", jwt({ exp: 1_000 }));
    const access = await loadCluster({ kind: "explicit", url, token: { file: path } }, clock);
    opened.push(access);
    await access.connection();
    expect(access.expiresAt()).toBe(1_000_000);
    await writeFile(path, jwt({ exp: 5_000 }));
    await clock.advance(60_000);
    await access.connection();
    expect(access.expiresAt()).toBe(5_000_000);
  });
});

describe("TLS", () => {
  let pki: Pki;
  let other: Pki;
  let secure: NastyServer;

  beforeAll(async () => {
    [pki, other] = await Promise.all([createPki("one"), createPki("two")]);
  }, 60_000);

  beforeEach(async () => {
    secure = new NastyServer(pki.server);
    secure.answer = json({ ok: true });
    await secure.listen();
  });

  afterEach(async () => {
    await secure.close();
  });

  let streamed: Promise<void>;
  const at = (host: string): string => `https://${host}:${secure.port}`;

  test("one connection carries all requests", async () => {
    const client = await open({
      kind: "explicit",
      url: at("127.0.0.1"),
      ca: { content: pki.caCert },
    });
    for (let i = 0; i < 20; i++) expect(await get(client)).toEqual({ ok: true });
    expect(secure.connections).toBe(1);
  });

  test("a server of another CA, or of none that is known, is a certificate fault", async () => {
    const wrong = await open({
      kind: "explicit",
      url: at("127.0.0.1"),
      ca: { content: other.caCert },
    });
    expect(await get(wrong)).toMatchObject({ code: "certificate" });
    const system = await open({ kind: "explicit", url: at("127.0.0.1") });
    const fault = (await get(system)) as Fault;
    expect(fault.code).toBe("certificate");
    expect(fault.message).toContain(
      `server 127.0.0.1:${secure.port} shows a certificate that is not trusted`,
    );
    expect(secure.requests).toHaveLength(0);
  });

  test("a certificate for another name is refused; tls-server-name says which name it must have", async () => {
    const ca = { "certificate-authority-data": Buffer.from(pki.caCert).toString("base64") };
    const connect = async (cluster: object): Promise<unknown> => {
      const path = await kubeconfig({}, { server: at("127.0.0.1"), ...ca, ...cluster });
      return get(await open({ kind: "kubeconfig", path }));
    };
    expect(await connect({ "tls-server-name": "localhost" })).toEqual({ ok: true });
    expect(await connect({ "tls-server-name": "elsewhere" })).toMatchObject({
      code: "certificate",
    });
    expect(
      await connect({ "tls-server-name": "elsewhere", "insecure-skip-tls-verify": true }),
    ).toEqual({ ok: true });
  });

  test("a CA file that is replaced is taken up by the next attempt", async () => {
    const path = await file("ca.crt", other.caCert);
    const client = await open({ kind: "explicit", url: at("127.0.0.1"), ca: { file: path } });
    expect(await get(client)).toMatchObject({ code: "certificate" });
    await writeFile(path, pki.caCert);
    expect(await get(client)).toEqual({ ok: true });
  });

  test("a client certificate is shown, and one that changes is shown anew", async () => {
    const seen: string[] = [];
    const stranger = await createPki("three");
    await secure.close();
    secure = new NastyServer({
      ...pki.server,
      ca: [pki.caCert, other.caCert],
      requestCert: true,
      rejectUnauthorized: true,
    });
    secure.answer = (request, response) => {
      seen.push((request.socket as TLSSocket).getPeerCertificate().fingerprint256);
      json({ ok: true })(request, response);
    };
    await secure.listen();
    const clock = new FakeClock();
    const present = async (keys: Pki["admin"]): Promise<object> => ({
      "client-certificate": await file("me.crt", keys.cert),
      "client-key": await file("me.key", keys.key),
    });
    const path = await kubeconfig(await present(pki.admin), {
      server: at("127.0.0.1"),
      "certificate-authority": await file("ca.crt", pki.caCert),
    });
    const client = await open({ kind: "kubeconfig", path }, clock);
    for (const keys of [pki.admin, other.admin]) {
      await present(keys);
      await clock.advance(60_000);
      expect(await get(client)).toEqual({ ok: true });
    }
    expect(new Set(seen).size).toBe(2);
    await present(stranger.admin);
    await clock.advance(60_000);
    // Node's server hangs up without an alert; a kube-apiserver would answer 401.
    expect(await get(client)).toMatchObject({ name: "Fault", code: "connection" });
  });

  test("a stream under way outlives a change of the files it was opened with", async () => {
    const path = await file("ca.crt", pki.caCert);
    const clock = new FakeClock();
    const client = await open(
      { kind: "explicit", url: at("127.0.0.1"), ca: { file: path } },
      clock,
    );
    let end = (): void => {};
    secure.answer = (request, response) => {
      if (request.url === "/x") json({ ok: true })(request, response);
      else response.writeHead(200).write("first");
      end = () => void response.end("last");
    };
    let text = "";
    const hasOpened = new Promise<unknown>((resolve) => {
      const { signal } = new AbortController();
      const onPiece = (piece: Buffer): void => void (text += piece.toString());
      streamed = client.stream({ path: "/watch", query: {}, signal, onOpen: resolve, onPiece });
    });
    await hasOpened;
    const endStream = end;
    await writeFile(path, `${pki.caCert}${other.caCert}`);
    await clock.advance(60_000);
    expect(await get(client)).toEqual({ ok: true });
    expect(secure.connections).toBe(2);
    endStream();
    await streamed;
    expect(text).toBe("firstlast");
  });

  test("a CA file without a certificate is a credentials fault that names it", async () => {
    const path = await file("ca.crt", "not yet written");
    const client = await open({ kind: "explicit", url: at("127.0.0.1"), ca: { file: path } });
    const fault = (await get(client)) as Fault;
    expect(fault).toMatchObject({ code: "credentials" });
    expect(fault.message).toContain(`CA file "${path}" holds no PEM certificate`);
    await writeFile(path, pki.caCert);
    expect(await get(client)).toEqual({ ok: true });
  });

  test("a key that is not the certificate's is a credentials fault", async () => {
    const user = {
      "client-certificate": await file("me.crt", pki.admin.cert),
      "client-key": await file("me.key", other.admin.key),
    };
    const path = await kubeconfig(user, { server: at("127.0.0.1") });
    expect(await get(await open({ kind: "kubeconfig", path }))).toMatchObject({
      code: "credentials",
    });
  });
});
