import { beforeEach, expect, test } from "@jest/globals";
import { Fault } from "../../../src/core/model/fault.ts";
import type { ApiRequest } from "../../../src/kube/api-client.ts";
import { LeaderElection } from "../../../src/kube/leader.ts";
import { microTime } from "../../../src/kube/lease.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";

interface Lease {
  metadata: Record<string, unknown>;
  spec: Record<string, unknown>;
}

/** An API server that holds one Lease, and may refuse or hang. */
class LeaseServer {
  lease: Lease | undefined;
  version = 0;
  readonly asked: ApiRequest[] = [];
  /** What the next requests meet instead of an answer. */
  readonly faults: (Fault | "hang")[] = [];

  async request(request: ApiRequest): Promise<{ body: unknown }> {
    this.asked.push(request);
    const fault = this.faults.shift();
    if (fault === "hang") {
      await new Promise((_resolve, reject) => {
        request.signal?.addEventListener("abort", () => reject(new Fault("aborted", "given up")));
      });
    } else if (fault !== undefined) throw fault;
    const sent = request.body as Lease | undefined;
    if (request.method !== "POST" && this.lease === undefined) throw new Fault("not-found", "none");
    if (sent !== undefined) {
      const over = sent.metadata["resourceVersion"];
      if (over !== this.lease?.metadata["resourceVersion"]) throw new Fault("conflict", "changed");
      const resourceVersion = String(++this.version);
      this.lease = { ...sent, metadata: { ...sent.metadata, resourceVersion } };
    }
    return { body: { ...this.lease, kind: "Lease" } };
  }
}

let clock: FakeClock;
let server: LeaseServer;
let told: string[];
let election: LeaderElection;

beforeEach(() => {
  clock = new FakeClock();
  server = new LeaseServer();
  told = [];
  election = make();
});

function make(over: Partial<ConstructorParameters<typeof LeaderElection>[0]> = {}): LeaderElection {
  return new LeaderElection({
    api: server,
    namespace: "ns",
    name: "lease",
    identity: "me",
    clock,
    random: () => 0.5,
    onElected: () => told.push("elected"),
    onLost: (reason, holder) => told.push(`lost: ${reason}, ${holder}`),
    onFault: (fault) => told.push(fault.message),
    ...over,
  });
}

test("creates the Lease, renews it by one PUT a round, and tells of it once", async () => {
  election.start();
  await clock.advance(10_000);
  expect(told).toEqual(["elected"]);
  expect(server.asked.slice(0, 4).map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /apis/coordination.k8s.io/v1/namespaces/ns/leases/lease",
    "POST /apis/coordination.k8s.io/v1/namespaces/ns/leases",
    "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/lease",
    "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/lease",
  ]);
  expect(server.asked.length).toBeLessThan(9);
  expect(election.mayWrite()).toBe(true);
});

test("every renewal can be seen, also where the wall clock stands still", async () => {
  clock.now = () => Date.parse("2026-01-01T00:00:00.123Z");
  election.start();
  const times = new Set<unknown>();
  for (let i = 0; i < 10; i++) {
    await clock.advance(2_000);
    times.add(server.lease?.spec["renewTime"]);
  }
  expect(times.size).toBe(10);
  expect([...times][1]).toBe("2026-01-01T00:00:00.123002Z");
});

test("a server that is away is told of once a spell; the leader stops writing in time and leads again later", async () => {
  election.start();
  await clock.advance(100);
  server.faults.push(...Array.from({ length: 7 }, () => new Fault("connection", "away")));
  await clock.advance(9_899);
  expect(election.mayWrite()).toBe(true);
  await clock.advance(1);
  expect(election.mayWrite()).toBe(false);
  expect(told).toEqual(["elected", "away", "lost: deadline, me"]);
  expect(election.facts()).toMatchObject({ isLeader: false, fault: { message: "away" } });
  await clock.advance(10_000);
  expect(told).toEqual(["elected", "away", "lost: deadline, me", "elected"]);
  expect(election.facts()).toMatchObject({ isLeader: true, holder: "me", fault: undefined });
});

test("stopped, it may not write, ends the request under way and asks nothing more", async () => {
  election.start();
  await clock.advance(100);
  server.faults.push("hang");
  await clock.advance(2_000);
  expect(election.mayWrite()).toBe(true);
  const stopped = election.stop();
  expect(election.mayWrite()).toBe(false);
  expect(election.isLeader()).toBe(false);
  await stopped;
  const asked = server.asked.length;
  await clock.advance(60_000);
  expect(server.asked).toHaveLength(asked);
  expect(told).toEqual(["elected"]);
});

test("released, the Lease is nobody's; a renewal that was carried out after all does not hinder it", async () => {
  election.start();
  await clock.advance(100);
  await election.stop();
  const late = server.request.bind(server);
  server.request = async (request) => {
    if (request.method === "PUT") {
      server.request = late;
      server.version++;
      server.lease = {
        metadata: { ...server.lease?.metadata, resourceVersion: String(server.version) },
        spec: { ...server.lease?.spec },
      };
    }
    return late(request);
  };
  expect(await election.release()).toBe(true);
  expect(server.lease?.spec).toMatchObject({
    holderIdentity: "",
    leaseDurationSeconds: 1,
    leaseTransitions: 0,
  });
  expect(await election.release()).toBe(false);
});

test("a standby releases nothing and asks nothing; what another took meanwhile stays his", async () => {
  server.lease = {
    metadata: { resourceVersion: "1" },
    spec: { holderIdentity: "other", leaseDurationSeconds: 15 },
  };
  election.start();
  await clock.advance(3_000);
  await election.stop();
  const asked = server.asked.length;
  expect(await election.release()).toBe(false);
  expect(server.asked).toHaveLength(asked);

  const leader = make();
  server.lease = undefined;
  leader.start();
  await clock.advance(100);
  await leader.stop();
  if (server.lease !== undefined) (server.lease as Lease).spec["holderIdentity"] = "other";
  expect(await leader.release()).toBe(false);
});

test("a callback may stop it", async () => {
  const once: LeaderElection = make({ onElected: () => void once.stop() });
  once.start();
  await settle();
  expect(once.isLeader()).toBe(false);
  const asked = server.asked.length;
  await clock.advance(10_000);
  expect(server.asked).toHaveLength(asked);
});

test("a Lease that cannot be understood is nobody's to take", async () => {
  server.lease = {
    metadata: { resourceVersion: "1" },
    spec: { holderIdentity: 5 },
  };
  election.start();
  await clock.advance(60_000);
  expect(told).toEqual(["Lease.spec.holderIdentity is not a string: 5"]);
  expect(election.mayWrite()).toBe(false);
});

test("misuse is an error", async () => {
  expect(() => make({ limits: { renewDeadlineMs: 20_000 } })).toThrow("renewDeadline is 20000 ms");
  election.start();
  expect(() => election.start()).toThrow("was started already");
  await expect(election.release()).rejects.toThrow("was not stopped");
  await election.stop();
});

test("times have six decimals", () => {
  expect(microTime(Date.parse("2026-01-01T00:00:00.120Z") * 1_000 + 7)).toBe(
    "2026-01-01T00:00:00.120007Z",
  );
});
