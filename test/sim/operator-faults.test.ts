import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { FaultCode } from "../../src/core/model/fault.ts";
import type { FaultAction, Verb } from "../../src/sim/faults/rules.ts";
import {
  deletePod,
  furnish,
  OperatorBetweenSims,
  putPod,
  SET_NAME,
} from "../support/operator-between-sims.ts";

const TIMEOUT_MS = 120_000;
const DURING = "10.0.1.1/32";
const AFTER = "10.0.2.1/32";

/** Enough pods that losing all would be a mass removal. */
const IPS = Array.from({ length: 12 }, (_, index) => `10.0.0.${index + 1}`);
/** Fewer than are lost: the share is of all entries, the new ones included. */
const OTHERS = IPS.slice(0, 5).map((ip) => ip.replace("10.0.0.", "10.9.9."));
const NETS = netsOf(IPS);

let world: OperatorBetweenSims;

beforeEach(async () => {
  world = await OperatorBetweenSims.start(IPS);
  await world.until(() => expect(world.nets()).toEqual(NETS));
}, TIMEOUT_MS);

afterEach(async () => world.stop(), TIMEOUT_MS);

function netsOf(ips: readonly string[]): string[] {
  return ips.map((ip) => (ip.includes("/") ? ip : `${ip}/32`)).toSorted();
}

function ipOf(net: string): string {
  return net.replace("/32", "");
}

/** Nothing that was in the set left it. */
function nothingRemoved(): void {
  expect(world.nets()).toEqual(expect.arrayContaining(NETS));
  expect(world.said("network set written").map(({ fields }) => fields["operation"])).not.toContain(
    "delete",
  );
}

/** Why the remote was said not to answer, since line `from`. */
function reasons(from: number): unknown[] {
  return world.lines
    .slice(from)
    .filter(
      ({ message }) => message === "remote cluster does not answer; its sets are held as they are",
    )
    .map(({ fields }) => fields["code"]);
}

/** Pods come and go, and the set follows. */
async function followsAgain(): Promise<void> {
  putPod(world.remote, ipOf(AFTER));
  deletePod(world.remote, "10.0.0.1");
  const expected = netsOf([...IPS.slice(1), DURING, AFTER]);
  await world.until(() => expect(world.nets()).toEqual(expected));
  expect(await world.sets()).toEqual([SET_NAME]);
}

/** Breaks the watch, and makes its version too old to be taken up again: a list is needed. */
function needList(): void {
  world.remote.disconnect();
  putPod(world.remote, ipOf(DURING));
  world.remote.compact();
}

const LIST_AND_WATCH: readonly Verb[] = ["list", "watch"];

const FAULTS: readonly {
  readonly name: string;
  readonly verbs: readonly Verb[];
  readonly action: FaultAction;
  readonly code: FaultCode;
}[] = [
  ...(
    [
      [401, "unauthorized"],
      [403, "forbidden"],
      [404, "not-found"],
      [500, "server-error"],
      [503, "unavailable"],
    ] as const
  ).flatMap(([status, code]) =>
    [LIST_AND_WATCH, ["list"] as const].map((verbs) => ({
      name: `status ${status}`,
      verbs,
      action: { kind: "status" as const, code: status },
      code,
    })),
  ),
  {
    name: "status 429 with Retry-After",
    verbs: LIST_AND_WATCH,
    action: { kind: "status", code: 429, retryAfterSeconds: 3 },
    code: "too-many-requests",
  },
  { name: "no answer", verbs: LIST_AND_WATCH, action: { kind: "drop" }, code: "connection" },
  ...[0, 700, 3_000].flatMap((at) => [
    {
      name: `list cut at byte ${at}, as if whole`,
      verbs: ["list"] as const,
      action: { kind: "truncate" as const, at, ending: "clean" as const },
      code: "malformed" as const,
    },
    {
      name: `list cut at byte ${at} by a broken connection`,
      verbs: ["list"] as const,
      action: { kind: "truncate" as const, at, ending: "reset" as const },
      code: "connection" as const,
    },
  ]),
  {
    name: "list that stops without an end",
    verbs: ["list"],
    action: { kind: "stall", at: 700 },
    code: "timeout",
  },
  {
    name: "list that drips",
    verbs: ["list"],
    action: { kind: "drip", bytes: 1, everyMs: 20 },
    code: "timeout",
  },
];

describe("while the remote's pods cannot be read", () => {
  test.each(FAULTS)(
    "$verbs: $name: sets are held, the reason is logged ($code), and it heals",
    async ({ verbs, action, code }) => {
      const from = world.lines.length;
      const rule = world.remote.faults.add({ match: { verb: verbs, resource: "pods" }, action });
      needList();
      await world.until(() => {
        nothingRemoved();
        expect(reasons(from)).toContain(code);
      });
      await world.pass(20_000, () => expect(world.nets()).toEqual(NETS));
      expect(rule.hits).toBeGreaterThan(1);
      rule.remove();
      await followsAgain();
    },
    TIMEOUT_MS,
  );

  test(
    "another certificate: sets are held until the kubeconfig names its CA",
    async () => {
      const from = world.lines.length;
      await world.remote.changeCertificate();
      needList();
      await world.until(() => expect(reasons(from)).toContain("certificate"));
      await world.pass(20_000, () => expect(world.nets()).toEqual(NETS));
      await world.writeRemoteKubeconfig();
      await followsAgain();
    },
    TIMEOUT_MS,
  );
});

describe("while the remote's pods cannot be watched", () => {
  test.each<readonly [string, FaultAction, FaultCode]>([
    ["expired, by status", { kind: "expire", as: "status" }, "gone"],
    ["expired, by event", { kind: "expire", as: "event" }, "gone"],
    ["cut in an event", { kind: "truncate", at: 40, ending: "reset" }, "connection"],
  ])(
    "watch %s: nothing is removed, and it heals",
    async (_name, action, code) => {
      const from = world.lines.length;
      const rule = world.remote.faults.add({ match: { verb: "watch", resource: "pods" }, action });
      needList();
      await world.until(() => {
        nothingRemoved();
        deletePod(world.remote, ipOf(DURING));
        putPod(world.remote, ipOf(DURING));
        expect(reasons(from)).toContain(code);
      });
      await world.pass(20_000, nothingRemoved);
      rule.remove();
      await followsAgain();
    },
    TIMEOUT_MS,
  );
});

describe("a list that would remove nearly everything", () => {
  const HELD = "mass removal held until a second list agrees";

  test(
    "an empty list before a full one removes nothing",
    async () => {
      const rule = world.remote.faults.add({
        match: { verb: "list", resource: "pods" },
        action: { kind: "empty-list" },
        times: 1,
      });
      needList();
      await world.until(() => expect(world.said(HELD)).toHaveLength(1));
      await world.pass(60_000, nothingRemoved);
      expect(rule.hits).toBe(1);
      await followsAgain();
    },
    TIMEOUT_MS,
  );

  test(
    "a remote restored with other data and an older version is believed after 30 s and a second list",
    async () => {
      world.remote.restart({ resourceVersion: 5, fill: (sim) => furnish(sim, OTHERS) });
      await world.until(() => expect(world.said(HELD)).toHaveLength(1));
      const heldAt = world.clock.monotonic();
      await world.until(() => expect(world.nets()).toEqual(netsOf([...IPS, ...OTHERS])));
      await world.pass(heldAt + 29_000 - world.clock.monotonic(), nothingRemoved);
      await world.until(() => expect(world.nets()).toEqual(netsOf(OTHERS)));
      expect(world.clock.monotonic() - heldAt).toBeGreaterThanOrEqual(29_800);
      expect(await world.sets()).toEqual([SET_NAME]);
    },
    TIMEOUT_MS,
  );
});

test(
  "an emptied set keeps its object for 10 minutes, then it goes",
  async () => {
    for (const ip of IPS) deletePod(world.remote, ip);
    await world.until(() => expect(world.nets()).toEqual([]));
    const emptiedAt = world.clock.monotonic();
    await world.pass(598_000, () => expect(world.nets()).toEqual([]), 1_000);
    await world.until(() => expect(world.nets()).toBeUndefined());
    expect(world.clock.monotonic() - emptiedAt).toBeGreaterThanOrEqual(599_000);
  },
  TIMEOUT_MS,
);

describe("while the local cluster takes no sets", () => {
  test.each([
    [409, undefined],
    [429, 3],
    [500, undefined],
    [503, undefined],
  ] as const)(
    "status %i on PUT: the set is written in the end, once",
    async (code, retryAfterSeconds) => {
      const rule = world.local.faults.add({
        match: { verb: "update", resource: "globalnetworksets.projectcalico.org" },
        action: {
          kind: "status",
          code,
          ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
        },
        times: 3,
      });
      const from = world.lines.length;
      const askedAt = world.clock.monotonic();
      putPod(world.remote, ipOf(DURING));
      await world.until(() => expect(world.nets()).toEqual(netsOf([...IPS, DURING])));
      expect(rule.hits).toBe(3);
      expect(world.clock.monotonic() - askedAt).toBeGreaterThanOrEqual(
        3_000 * (retryAfterSeconds ?? 0),
      );
      const lines = world.lines.slice(from).map(({ message }) => message);
      const failed = lines.filter(
        (message) => message === "network set not written; it will be tried again",
      );
      expect(failed).toHaveLength(code === 409 ? 0 : 3);
      await world.pass(5_000);
      const written = world.lines
        .slice(from)
        .filter(({ message }) => message === "network set written");
      expect(written).toHaveLength(1);
      expect(await world.sets()).toEqual([SET_NAME]);
      await followsAgain();
    },
    TIMEOUT_MS,
  );
});
