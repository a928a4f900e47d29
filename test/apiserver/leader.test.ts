import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { LeaseLimits } from "../../src/core/lease/state.ts";
import { loadCluster, type ClusterAccess } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { LeaderElection, leaseIdentity } from "../../src/kube/leader.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { eventually, pause } from "../support/eventually.ts";
import { createNamespace } from "../support/pods.ts";
import { createServiceAccount, grant, requestToken } from "../support/service-accounts.ts";

const HOOKS = fileURLToPath(new URL("../support/typescript.mjs", import.meta.url));
const CANDIDATE = fileURLToPath(new URL("../support/lease-candidate.ts", import.meta.url));
const NAMESPACE = "operators";

/** So that a test sees several take-overs. */
const QUICK: LeaseLimits = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 400 };

interface LeaseObject {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

interface Write {
  readonly writer: string;
  readonly decidedAt: bigint;
}

/** A candidate in a process of its own. */
class CandidateProcess {
  readonly child: ChildProcess;
  readonly said: { readonly word: string; readonly at: number }[] = [];

  constructor(kubeconfig: string, lease: string, name: string, limits: Partial<LeaseLimits> = {}) {
    const args = [kubeconfig, NAMESPACE, lease, name, JSON.stringify(limits)];
    this.child = spawn(process.execPath, ["--import", HOOKS, CANDIDATE, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (this.child.stdout === null) throw new Error("stdout is a pipe");
    createInterface({ input: this.child.stdout }).on("line", (word) =>
      this.said.push({ word, at: performance.now() }),
    );
  }

  /** When it last said `word`, after `since`; throws when it did not. */
  when(word: string, since = 0): number {
    const found = this.said.findLast((each) => each.word === word && each.at >= since);
    if (found === undefined) throw new Error(`${word} was not said`);
    return found.at;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
  }
}

describeOnApiServers("leader election", () => {
  let plane: ControlPlane;
  const processes: CandidateProcess[] = [];
  const elections: LeaderElection[] = [];
  const opened: ClusterAccess[] = [];

  beforeAll(async () => {
    plane = await startControlPlane({ name: "local" });
    await createNamespace(plane, NAMESPACE);
  });

  afterEach(async () => {
    await Promise.all(processes.splice(0).map(async (each) => each.end("SIGKILL")));
    await Promise.all(elections.splice(0).map(async (each) => each.stop()));
    for (const access of opened.splice(0)) access.close();
  });

  afterAll(async () => {
    await plane?.stop();
  });

  function candidate(
    lease: string,
    name: string,
    limits: Partial<LeaseLimits> = {},
  ): CandidateProcess {
    const child = new CandidateProcess(plane.kubeconfig, lease, name, limits);
    processes.push(child);
    return child;
  }

  async function election(
    name: string,
    over: Partial<ConstructorParameters<typeof LeaderElection>[0]> = {},
  ): Promise<LeaderElection> {
    const access = await loadCluster({ kind: "kubeconfig", path: plane.kubeconfig }, systemClock);
    opened.push(access);
    const made = new LeaderElection({
      api: new ApiClient(access, { clock: systemClock }),
      namespace: NAMESPACE,
      name,
      identity: leaseIdentity(),
      clock: systemClock,
      limits: QUICK,
      ...over,
    });
    elections.push(made);
    return made;
  }

  async function leaseOf(name: string): Promise<LeaseObject> {
    return plane.request<LeaseObject>("GET", leasePath(name));
  }

  /** Everything written, in the order in which the server took it. */
  async function writes(name: string): Promise<Write[]> {
    const { items } = await plane.request<{
      items: {
        metadata: { resourceVersion: string; labels: { writer: string } };
        data: { decidedAt: string };
      }[];
    }>("GET", `/api/v1/namespaces/${NAMESPACE}/configmaps?labelSelector=lease%3D${name}`);
    return items
      .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      .map(({ metadata, data }) => ({
        writer: metadata.labels.writer,
        decidedAt: BigInt(data.decidedAt),
      }));
  }

  async function writers(name: string): Promise<string[]> {
    return runs(await writes(name));
  }

  test("one leads; stopped in order, it hands over within 3 s", async () => {
    const first = candidate("handover", "first");
    await eventually(() => first.when("elected"));
    const second = candidate("handover", "second");
    await pause(3_000);
    expect(second.said).toEqual([]);
    expect(await leaseOf("handover")).toMatchObject({
      spec: { leaseDurationSeconds: 15, leaseTransitions: 0 },
    });
    const begun = performance.now();
    await first.end("SIGTERM");
    expect(first.said.at(-1)?.word).toBe("released");
    await eventually(() => second.when("elected"));
    expect(second.when("elected") - begun).toBeLessThan(3_000);
    expect(await leaseOf("handover")).toMatchObject({ spec: { leaseTransitions: 1 } });
    await eventually(async () => expect(await writers("handover")).toEqual(["first", "second"]));
    await second.end("SIGTERM");
    expect(await leaseOf("handover")).toMatchObject({
      spec: { holderIdentity: "", leaseDurationSeconds: 1, leaseTransitions: 1 },
    });
  });

  test("one that is killed is replaced within 17 s, and not before its time is over", async () => {
    const first = candidate("killed", "first");
    await eventually(() => first.when("elected"));
    const second = candidate("killed", "second");
    await pause(3_000);
    const begun = performance.now();
    await first.end("SIGKILL");
    await eventually(() => second.when("elected"), { timeoutMs: 30_000 });
    expect(second.when("elected") - begun).toBeLessThan(17_000);
    expect(second.when("elected") - begun).toBeGreaterThan(10_000);
    await eventually(async () => expect(await writers("killed")).toEqual(["first", "second"]));
  });

  test("one that stands still while another takes over writes nothing when it wakes, time and again", async () => {
    let [leader, standby] = [candidate("paused", "a", QUICK), candidate("paused", "b", QUICK)];
    await eventually(() => expect(processes.some(({ said }) => said.length > 0)).toBe(true));
    if (leader.said.length === 0) [leader, standby] = [standby, leader];
    const nameOf = (each: CandidateProcess): string => (each === processes[0] ? "a" : "b");
    const leaders = [nameOf(leader)];
    const stops: Write[] = [];
    for (let round = 0; round < 4; round++) {
      await pause(500);
      stops.push({ writer: nameOf(leader), decidedAt: process.hrtime.bigint() });
      leader.child.kill("SIGSTOP");
      const stopped = performance.now();
      await eventually(() => standby.when("elected", stopped));
      await pause(300);
      const woken = performance.now();
      leader.child.kill("SIGCONT");
      const asleep = leader;
      await eventually(() => asleep.when("lost", woken));
      [leader, standby] = [standby, leader];
      leaders.push(nameOf(leader));
    }
    await pause(500);
    const all = await writes("paused");
    const late = all.filter(({ writer, decidedAt }, index) =>
      all.slice(0, index).some((each) => each.writer !== writer && each.decidedAt > decidedAt),
    );
    // A stop can fall between the decision and the system call: that one write goes out on waking, and no other.
    expect(late.length).toBeLessThanOrEqual(stops.length);
    for (const { writer, decidedAt } of late) {
      const stop = stops.find((each) => each.writer === writer && each.decidedAt > decidedAt);
      if (stop === undefined) throw new Error(`${writer} wrote what it decided after it woke`);
      expect(Number(stop.decidedAt - decidedAt) / 1e6).toBeLessThan(100);
    }
    expect(runs(all.filter((write) => !late.includes(write)))).toEqual(leaders);
  });

  test("a Lease says what client-go's says, and keeps what others wrote on it", async () => {
    const leader = await election("fields");
    leader.start();
    await eventually(() => expect(leader.mayWrite()).toBe(true));
    const before = await leaseOf("fields");
    const micro = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(before.spec).toEqual({
      holderIdentity: leader.facts().holder,
      leaseDurationSeconds: 3,
      leaseTransitions: 0,
      acquireTime: micro,
      renewTime: micro,
    });
    expect(leader.facts().holder).toMatch(/^.+_[-0-9a-f]{36}$/);
    await plane.request("PATCH", leasePath("fields"), { metadata: { labels: { kept: "yes" } } });
    await eventually(async () => {
      const after = await leaseOf("fields");
      expect(after.spec["renewTime"]).not.toBe(before.spec["renewTime"]);
      expect(after.spec["acquireTime"]).toBe(before.spec["acquireTime"]);
      expect(after.metadata.labels).toEqual({ kept: "yes" });
    });
    expect(leader.isLeader()).toBe(true);
    expect(leader.facts().fault?.code).not.toBe("malformed");
  });

  test("a leader whose Lease is given to another by hand writes no more, and is told who has it", async () => {
    const lost: string[] = [];
    const leader = await election("taken", {
      onLost: (reason, holder) => lost.push(`${reason} by ${holder}`),
    });
    leader.start();
    await eventually(() => expect(leader.mayWrite()).toBe(true));
    const spec = { holderIdentity: "somebody", leaseDurationSeconds: 2 };
    await plane.request("PATCH", leasePath("taken"), { spec });
    await eventually(() => expect(lost).toEqual(["taken by somebody"]));
    expect(leader.mayWrite()).toBe(false);
    // Nobody renews it: two seconds later it is free.
    await eventually(() => expect(leader.mayWrite()).toBe(true));
    expect(await leaseOf("taken")).toMatchObject({ spec: { leaseTransitions: 1 } });
  });

  test("a leader makes a deleted Lease anew and goes on", async () => {
    const leader = await election("deleted");
    leader.start();
    await eventually(() => expect(leader.mayWrite()).toBe(true));
    await plane.request("DELETE", leasePath("deleted"));
    await eventually(async () =>
      expect(await leaseOf("deleted")).toMatchObject({
        spec: { holderIdentity: leader.facts().holder },
      }),
    );
    expect(leader.isLeader()).toBe(true);
  });

  test("with the server away a leader stops writing in time, and leads again when it is back", async () => {
    const lost: string[] = [];
    const leader = await election("away", { onLost: (reason) => lost.push(reason) });
    leader.start();
    await eventually(() => expect(leader.mayWrite()).toBe(true));
    await plane.pause();
    const begun = performance.now();
    try {
      await eventually(() => expect(leader.mayWrite()).toBe(false));
      expect(performance.now() - begun).toBeLessThan(QUICK.renewDeadlineMs + 100);
      await eventually(() => expect(lost).toEqual(["deadline"]));
    } finally {
      await plane.resume();
    }
    await eventually(() => expect(leader.mayWrite()).toBe(true));
  });

  test("a candidate without permission says so once, and leads when it is given", async () => {
    await createServiceAccount(plane, NAMESPACE, "poor");
    const access = await loadCluster(
      {
        kind: "explicit",
        url: plane.url,
        ca: { content: plane.caCert },
        token: { content: await requestToken(plane, NAMESPACE, "poor") },
      },
      systemClock,
    );
    opened.push(access);
    const faults: string[] = [];
    const poor = await election("forbidden", {
      api: new ApiClient(access, { clock: systemClock }),
      onFault: (fault) => faults.push(fault.message),
    });
    poor.start();
    await pause(1_500);
    expect(faults).toEqual([expect.stringContaining("leases.coordination.k8s.io")]);
    expect(poor.mayWrite()).toBe(false);
    await grant(plane, NAMESPACE, "poor", [
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        verbs: ["get", "create", "update"],
      },
    ]);
    await eventually(() => expect(poor.mayWrite()).toBe(true));
    await poor.stop();
    expect(await poor.release()).toBe(true);
  });
});

/** Who wrote, each once for an unbroken run. */
function runs(all: readonly Write[]): string[] {
  return all
    .map(({ writer }) => writer)
    .filter((writer, index, writers) => writer !== writers[index - 1]);
}

function leasePath(name: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${name}`;
}
