import { afterEach, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCluster } from "../../../src/kube/access.ts";
import { ApiClient } from "../../../src/kube/api-client.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { startSim, type Sim, type SimOptions } from "../../../src/sim/sim.ts";

const TOKENS = { "s3cret-1": { name: "ada", groups: ["system:authenticated"] } };
const MAPS = "/api/v1/namespaces/default/configmaps";

let sim: Sim | undefined;
let folder: string | undefined;

afterEach(async () => {
  await sim?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  sim = undefined;
  folder = undefined;
});

async function started(options: Partial<SimOptions> = {}): Promise<Sim> {
  sim = await startSim({ name: "access", ...options });
  return sim;
}

async function ask(path: string, init: RequestInit = {}): Promise<{ code: number; text: string }> {
  const response = await fetch(new URL(path, sim?.url), init);
  return { code: response.status, text: await response.text() };
}

async function message(path: string, init: RequestInit = {}): Promise<unknown> {
  const { code, text } = await ask(path, init);
  const status = JSON.parse(text) as { code: number; reason: string; message: string };
  expect(status.code).toBe(code);
  return [code, status.reason, status.message];
}

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

test("with tokens, only who shows one is answered, in the words of a real server", async () => {
  await started({ tokens: TOKENS });
  expect((await ask(MAPS, bearer("s3cret-1"))).code).toBe(200);
  expect(await message(MAPS, bearer("another"))).toEqual([401, "Unauthorized", "Unauthorized"]);
  expect(await message(MAPS, { headers: { authorization: "Basic YTpi" } })).toEqual([
    401,
    "Unauthorized",
    "Unauthorized",
  ]);
  // Without any it is the anonymous user's, as with --anonymous-auth, who may do nothing.
  expect(await message(MAPS)).toEqual([
    403,
    "Forbidden",
    'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in API group "" in the namespace "default"',
  ]);
  expect(await message("/apis")).toEqual([
    403,
    "Forbidden",
    'forbidden: User "system:anonymous" cannot get path "/apis"',
  ]);
  expect((await ask("/healthz")).code).toBe(200);
});

test("without tokens everybody is answered", async () => {
  await started();
  expect((await ask(MAPS)).code).toBe(200);
});

test("the kubeconfig of a server with TLS and tokens is all a client needs", async () => {
  const server = await started({ tls: true, tokens: TOKENS });
  folder = await mkdtemp(join(tmpdir(), "sim-access-"));
  const path = join(folder, "kubeconfig");
  await writeFile(path, server.kubeconfig());
  const access = await loadCluster({ kind: "kubeconfig", path }, systemClock);
  try {
    const client = new ApiClient(access, { clock: systemClock });
    const { body } = await client.request({ method: "GET", path: MAPS });
    expect(body).toMatchObject({ kind: "ConfigMapList" });
    await server.changeCertificate();
    await expect(client.request({ method: "GET", path: MAPS })).rejects.toMatchObject({
      code: "certificate",
    });
  } finally {
    access.close();
  }
});

test.each([
  ["/apis/apps/v1/deployments", "the API group apps"],
  [
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin",
    "the API group rbac.authorization.k8s.io",
  ],
  ["/api/v1/persistentvolumes", "the resource persistentvolumes"],
  ["/apis/networking.k8s.io/v1/ingresses", "the resource ingresses"],
  ["/api/v1/namespaces/default/pods/web/log", "the subresource pods/log"],
])("%s is answered 501, naming %s", async (path, feature) => {
  await started();
  expect(await message(path)).toEqual([
    501,
    "NotImplemented",
    `this API server is a simulation: ${feature} is not simulated`,
  ]);
});

test("what no API server has is answered 404 and not 501", async () => {
  await started();
  expect((await ask("/apis/example.org/v1/things")).code).toBe(404);
  expect((await ask("/api/v1/gizmos")).code).toBe(404);
});

test("a deletion of many that asks for protobuf is refused before anything is deleted", async () => {
  const server = await started();
  server.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "default" },
  });
  const accept = "application/vnd.kubernetes.protobuf";
  const refused = await ask(MAPS, { method: "DELETE", headers: { accept } });
  expect(refused.code).toBe(501);
  expect(refused.text).toContain("the answer to a deletion of many as protobuf is not simulated");
  expect(server.get("v1", "ConfigMap", "default", "a")).toBeDefined();
  expect((await ask(MAPS, { method: "DELETE" })).code).toBe(200);
  expect(server.get("v1", "ConfigMap", "default", "a")).toBeUndefined();
});
