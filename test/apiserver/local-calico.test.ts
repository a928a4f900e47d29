import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { CalicoGroupChoice } from "../../src/core/plan/calico-mode.ts";
import { AggregatedCalico } from "../support/aggregated-calico.ts";
import { createPki } from "../support/control-plane/pki.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import {
  clusterInformationsPath,
  datastoreMigrationsPath,
  installCalicoCrds,
  installClusterInformation,
  installDatastoreMigrations,
  removeCalicoCrds,
  removeClusterInformation,
  removeDatastoreMigrations,
  type CalicoVersion,
} from "../support/crds/install.ts";
import { eventually, pause } from "../support/eventually.ts";
import { RunningCalico } from "../support/local-calico.ts";
import { NetworkSets } from "../support/network-sets.ts";
import { createNamespace } from "../support/pods.ts";
import { createServiceAccount, grant, requestToken } from "../support/service-accounts.ts";

const V3 = "projectcalico.org/v3";
const V1 = "crd.projectcalico.org/v1";

describeOnApiServers("Calico's sets are found, followed, and left alone when they must be", () => {
  let plane: ControlPlane;
  let running: RunningCalico | undefined;

  beforeAll(async () => {
    plane = await startControlPlane({ name: "calico" });
  });

  afterAll(async () => plane?.stop());

  afterEach(async () => {
    await running?.stop();
    running = undefined;
    for (const version of ["v1", "v3"] as const) {
      await removeCalicoCrds(plane, version);
      await removeClusterInformation(plane, version);
    }
    await removeDatastoreMigrations(plane);
  });

  async function start(choice?: CalicoGroupChoice, rediscoverMs?: number): Promise<RunningCalico> {
    const source = { kind: "kubeconfig", path: plane.kubeconfig } as const;
    running = await RunningCalico.start(source, choice, rediscoverMs);
    return running;
  }

  const sets = (version: CalicoVersion): NetworkSets => new NetworkSets(plane, version);

  const isWritable = async (calico: RunningCalico, group: string): Promise<void> =>
    eventually(() => expect(calico.status).toMatchObject({ group, mayWrite: true }));

  const isPaused = async (calico: RunningCalico, why: string): Promise<void> =>
    eventually(() =>
      expect(calico.status).toMatchObject({
        mayWrite: false,
        answers: true,
        message: expect.stringContaining(why),
      }),
    );

  async function setDatastoreReady(version: CalicoVersion, ready: boolean): Promise<void> {
    const path = clusterInformationsPath(version);
    const spec = { datastoreReady: ready };
    const { items } = await plane.request<{ items: unknown[] }>("GET", path);
    if (items.length > 0) await plane.request("PATCH", `${path}/default`, { spec });
    else {
      const apiVersion = version === "v1" ? V1 : V3;
      const metadata = { name: "default" };
      await plane.request("POST", path, { apiVersion, kind: "ClusterInformation", metadata, spec });
    }
  }

  async function createMigration(): Promise<void> {
    await plane.request("POST", datastoreMigrationsPath, {
      apiVersion: "migration.projectcalico.org/v1beta1",
      kind: "DatastoreMigration",
      metadata: { name: "v1-to-v3" },
      spec: { type: "APIServerToCRDs" },
    });
  }

  async function setPhase(phase: string): Promise<void> {
    const path = `${datastoreMigrationsPath}/v1-to-v3/status`;
    await plane.request("PATCH", path, { status: { phase } });
  }

  describe.each<[CalicoVersion, string]>([
    ["v1", V1],
    ["v3", V3],
  ])("where only %s is served", (version, group) => {
    test("it is used, without ClusterInformation or DatastoreMigrations, and one resync begins it", async () => {
      await installCalicoCrds(plane, version);
      await sets(version).create("foreign", ["192.0.2.1/32", "192.0.2.2/32"]);
      const calico = await start();
      await isWritable(calico, group);
      expect(calico.status).toEqual({
        answers: true,
        group,
        servedBy: "crd",
        mayWrite: true,
        message: `sets are written to ${group}`,
        notes: [],
      });
      expect(calico.resyncs).toEqual([2]);
      await calico.write("a", "10.0.0.1/32");
      await calico.write("a", "10.0.0.1/32", "10.0.0.2/32");
      expect(await sets(version).nets()).toMatchObject({ a: ["10.0.0.1/32", "10.0.0.2/32"] });
    });
  });

  test("where none is served it waits and says so, and begins when Calico is installed", async () => {
    const calico = await start();
    await eventually(() =>
      expect(calico.status).toMatchObject({
        answers: true,
        group: undefined,
        mayWrite: false,
        message: expect.stringContaining("waiting for Calico to be installed"),
      }),
    );
    expect(() => calico.local.sets).toThrow("waiting for Calico");
    await installCalicoCrds(plane, "v1");
    await isWritable(calico, V1);
    expect(calico.resyncs).toEqual([0]);
  });

  test("where both are CRDs it takes v1, as Calico does", async () => {
    await installCalicoCrds(plane, "v1");
    await installCalicoCrds(plane, "v3");
    const calico = await start();
    await isWritable(calico, V1);
    await calico.write("a", "10.0.0.1/32");
    expect(await sets("v1").nets()).toEqual({ a: ["10.0.0.1/32"] });
    expect(await sets("v3").nets()).toEqual({});
  });

  test.each<[CalicoGroupChoice, CalicoVersion]>([
    [V3, "v3"],
    [V1, "v1"],
  ])(
    "a forced %s is used where both are served, and waited for where it is not",
    async (group, version) => {
      const other = version === "v1" ? "v3" : "v1";
      await installCalicoCrds(plane, other);
      const calico = await start(group);
      await eventually(() =>
        expect(calico.status).toMatchObject({
          group: undefined,
          message: expect.stringContaining("which calico-api-group asks for"),
        }),
      );
      await installCalicoCrds(plane, version);
      await isWritable(calico, group);
      await calico.write("a", "10.0.0.1/32");
      expect(await sets(version).nets()).toEqual({ a: ["10.0.0.1/32"] });
      expect(await sets(other).nets()).toEqual({});
    },
  );

  test("when v1 goes and v3 comes, the sets of v3 take the place of those of v1 and are written", async () => {
    await installCalicoCrds(plane, "v1");
    const calico = await start();
    await isWritable(calico, V1);
    await calico.write("a", "10.0.0.1/32");
    await calico.write("b", "10.0.0.2/32");
    const old = calico.local.sets;
    await installCalicoCrds(plane, "v3");
    await sets("v3").create("a", ["10.9.9.9/32"]);
    await removeCalicoCrds(plane, "v1");
    await isWritable(calico, V3);
    expect([...calico.sets.all()].map(({ name, nets }) => [name, nets])).toEqual([
      ["a", ["10.9.9.9/32"]],
    ]);
    expect(calico.resyncs.at(-1)).toBe(1);
    await calico.write("a", "10.0.0.1/32");
    await calico.write("b", "10.0.0.2/32");
    expect(await sets("v3").nets()).toEqual({ a: ["10.0.0.1/32"], b: ["10.0.0.2/32"] });
    await expect(old.get("a")).rejects.toMatchObject({ code: "conflict" });
  });

  describe.each<[CalicoVersion, string]>([
    ["v1", V1],
    ["v3", V3],
  ])("in %s", (version, group) => {
    test("nothing is written while datastoreReady is false; then all is listed and looked at again", async () => {
      await installCalicoCrds(plane, version);
      await installClusterInformation(plane, version);
      await setDatastoreReady(version, true);
      const calico = await start();
      await isWritable(calico, group);
      await calico.write("a", "10.0.0.1/32");
      await setDatastoreReady(version, false);
      await isPaused(calico, "spec.datastoreReady is false");
      expect(await calico.write("a", "10.0.0.2/32")).toBe("not now");
      await sets(version).create("meanwhile", ["192.0.2.1/32"]);
      expect(calico.resyncs).toEqual([0]);
      await setDatastoreReady(version, true);
      await eventually(() => expect(calico.resyncs).toEqual([0, 2]));
      await calico.write("a", "10.0.0.2/32");
      expect(await sets(version).nets()).toMatchObject({ a: ["10.0.0.2/32"] });
    });

    test("a start while datastoreReady is false waits", async () => {
      await installCalicoCrds(plane, version);
      await installClusterInformation(plane, version);
      await setDatastoreReady(version, false);
      const calico = await start();
      await isPaused(calico, "spec.datastoreReady is false");
      expect(calico.resyncs).toEqual([]);
      await setDatastoreReady(version, true);
      await isWritable(calico, group);
      expect(calico.resyncs).toEqual([0]);
    });
  });

  describe("behind Calico's own API server", () => {
    let server: AggregatedCalico;
    let calico: RunningCalico;

    beforeEach(async () => {
      await installCalicoCrds(plane, "v1");
      const pki = await createPki("aggregated");
      server = await AggregatedCalico.start(plane, pki.server);
      // As before a migration: native CRDs are installed behind it, and nothing is in them.
      await installCalicoCrds(plane, "v3");
      server.put("a", ["10.0.0.1/32"]);
      calico = await start();
      await isWritable(calico, V3);
    });

    afterEach(async () => {
      await running?.stop();
      running = undefined;
      await server?.stop();
    });

    test("projectcalico.org/v3 is used where the raw group is served too", async () => {
      expect(calico.status.servedBy).toBe("aggregated");
      await calico.write("a", "10.0.0.2/32");
      await calico.write("b", "10.0.0.3/32");
      expect(server.nets()).toEqual({ a: ["10.0.0.2/32"], b: ["10.0.0.3/32"] });
      expect(await sets("v1").nets()).toEqual({});
    });

    test("a change that is told as ADDED is a change", async () => {
      server.put("a", ["10.9.9.9/32"]);
      await eventually(() => expect(calico.sets.get("a")?.nets).toEqual(["10.9.9.9/32"]));
      await calico.write("a", "10.0.0.1/32");
      expect(server.nets()).toEqual({ a: ["10.0.0.1/32"] });
    });

    test("a PUT that is answered with success and nothing is not believed", async () => {
      server.emptyAnswers = 1;
      await expect(calico.write("a", "10.0.0.2/32")).rejects.toMatchObject({ code: "conflict" });
      expect(calico.sets.get("a")?.nets).toEqual(["10.0.0.1/32"]);
      await calico.write("a", "10.0.0.2/32");
      expect(server.nets()).toEqual({ a: ["10.0.0.2/32"] });
    });

    test("when it is unregistered, the empty CRDs behind its group are never taken for its sets", async () => {
      await sets("v1").create("a", ["10.0.0.1/32"]);
      const seen: string[] = [];
      const watching = setInterval(() => {
        const nets = calico.sets.get("a")?.nets.join() ?? "none";
        const { group, mayWrite } = calico.status;
        seen.push(`${group} ${mayWrite ? "writes" : "waits"} ${nets}`);
      }, 1);
      await server.unregister();
      calico.local.relist();
      await isWritable(calico, V1);
      clearInterval(watching);
      const wrong = seen.filter((each) => each.endsWith("none") || each.startsWith(`${V3} writes`));
      // It wrote to the server until that went, and to nothing between.
      expect(new Set(wrong)).toEqual(new Set([`${V3} writes 10.0.0.1/32`]));
      expect(seen.lastIndexOf(`${V3} writes 10.0.0.1/32`)).toBeLessThan(
        seen.findIndex((each) => each.startsWith(V1)),
      );
      await calico.write("a", "10.0.0.2/32");
      expect(await sets("v1").nets()).toEqual({ a: ["10.0.0.2/32"] });
      expect(await sets("v3").nets()).toEqual({});
    });
  });

  test("a DatastoreMigration from beginning to end: no write while it copies, then all writes in v3", async () => {
    await installCalicoCrds(plane, "v1");
    await installClusterInformation(plane, "v1");
    await setDatastoreReady("v1", true);
    const calico = await start("auto", 500);
    await isWritable(calico, V1);
    await calico.write("a", "10.0.0.1/32");

    await installCalicoCrds(plane, "v3");
    await installClusterInformation(plane, "v3");
    await installDatastoreMigrations(plane);
    await createMigration();
    await isPaused(calico, 'DatastoreMigration "v1-to-v3" is not begun');
    const { resourceVersion } = (await sets("v1").get("a")).metadata;
    await setDatastoreReady("v1", false);
    await setDatastoreReady("v3", false);
    for (const phase of ["Pending", "Migrating", "WaitingForConflictResolution", "Migrating"]) {
      await setPhase(phase);
      await isPaused(calico, `is ${phase}`);
      expect(await calico.write("a", "10.0.0.2/32")).toBe("not now");
    }
    await sets("v3").create("a", ["10.0.0.1/32"], { name: "a" });
    const before = calico.resyncs.length;

    await setDatastoreReady("v3", true);
    await setPhase("Converged");
    await isWritable(calico, V3);
    expect(calico.resyncs).toHaveLength(before + 1);
    expect(calico.resyncs.at(-1)).toBe(1);
    await calico.write("a", "10.0.0.2/32");
    expect(await sets("v3").nets()).toEqual({ a: ["10.0.0.2/32"] });
    expect((await sets("v1").get("a")).metadata.resourceVersion).toBe(resourceVersion);

    await setPhase("Complete");
    await plane.request("DELETE", `${datastoreMigrationsPath}/v1-to-v3`);
    // The CRDs of v1 go with it; a moment in which both are there may stop writing but not move it for good.
    await removeCalicoCrds(plane, "v1");
    await removeClusterInformation(plane, "v1");
    await pause(1_500);
    await isWritable(calico, V3);
    await calico.write("a", "10.0.0.3/32");
    expect(await sets("v3").nets()).toEqual({ a: ["10.0.0.3/32"] });
  });

  test("a migration that is given up goes back to v1 with a resync", async () => {
    await installCalicoCrds(plane, "v1");
    await installCalicoCrds(plane, "v3");
    await installDatastoreMigrations(plane);
    await createMigration();
    await setPhase("Migrating");
    const calico = await start();
    await isPaused(calico, "is Migrating");
    await plane.request("DELETE", `${datastoreMigrationsPath}/v1-to-v3`);
    await isWritable(calico, V1);
    expect(calico.resyncs).toEqual([0]);
  });

  test("the server's absence is told, and ends by itself", async () => {
    await installCalicoCrds(plane, "v3");
    const calico = await start();
    await isWritable(calico, V3);
    await plane.kill();
    await eventually(() => expect(calico.status).toMatchObject({ answers: false, group: V3 }));
    await plane.start();
    await eventually(() => expect(calico.status).toMatchObject({ answers: true, mayWrite: true }));
  });

  test("without permission to look around, that is reported, and sets are written all the same", async () => {
    await installCalicoCrds(plane, "v1");
    await installCalicoCrds(plane, "v3");
    await installClusterInformation(plane, "v1");
    await installDatastoreMigrations(plane);
    await createNamespace(plane, "wayleave");
    await createServiceAccount(plane, "wayleave", "narrow");
    await grant(plane, "wayleave", "narrow", [
      {
        apiGroups: ["projectcalico.org", "crd.projectcalico.org"],
        resources: ["globalnetworksets"],
        verbs: ["get", "list", "watch", "create", "update", "delete"],
      },
    ]);
    running = await RunningCalico.start({
      kind: "explicit",
      url: plane.url,
      ca: { content: plane.caCert },
      token: { content: await requestToken(plane, "wayleave", "narrow") },
    });
    const calico = running;
    await isWritable(calico, V1);
    expect(calico.status.notes).toEqual([
      expect.stringMatching(/^ClusterInformation cannot be read: .*403/),
      expect.stringMatching(/^DatastoreMigrations cannot be read: .*403/),
      expect.stringMatching(/^APIService cannot be read: .*403/),
    ]);
    expect(calico.log.filter(({ message }) => message.startsWith("part of Calico"))).toHaveLength(
      3,
    );
    await calico.write("a", "10.0.0.1/32");
    expect(await sets("v1").nets()).toEqual({ a: ["10.0.0.1/32"] });
  });

  test("metadata that Calico's API server keeps in a raw object is read, and written in both places", async () => {
    await installCalicoCrds(plane, "v1");
    const v3 = { creationTimestamp: "2026-01-01T00:00:00Z", labels: { name: "a", team: "blue" } };
    await plane.request("POST", `/apis/${V1}/globalnetworksets`, {
      apiVersion: V1,
      kind: "GlobalNetworkSet",
      metadata: {
        name: "a",
        labels: { name: "stale" },
        annotations: { "projectcalico.org/metadata": JSON.stringify(v3) },
        finalizers: ["example.org/kept"],
      },
      spec: { nets: ["10.0.0.1/32"] },
    });
    const calico = await start();
    await isWritable(calico, V1);
    expect(calico.sets.get("a")?.labels).toEqual({ name: "a", team: "blue" });
    await calico.write("a", "10.0.0.2/32");
    const { metadata, spec } = await sets("v1").get("a");
    expect(spec.nets).toEqual(["10.0.0.2/32"]);
    expect(metadata.labels).toEqual(v3.labels);
    expect(JSON.parse(metadata.annotations?.["projectcalico.org/metadata"] ?? "")).toEqual({
      ...v3,
      annotations: {},
    });
    expect(metadata).toMatchObject({ finalizers: ["example.org/kept"] });
    await sets("v1").patch("a", { metadata: { finalizers: [] } });
  });
});
