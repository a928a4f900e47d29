import { describe, expect, test } from "@jest/globals";
import type { ActualSet } from "../../../src/core/plan/plan-set.ts";
import { playScript, type Cast } from "../../../src/demo/play.ts";
import type { Claim } from "../../../src/demo/scripts.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { aDemoPod, aDemoSet, keyed, keyedSets } from "../../support/demo.ts";

/** Every delay passes at once. */
function hurriedClock(): Clock {
  let time = 0;
  return {
    now: () => time,
    monotonic: () => time,
    after: (delayMs, callback) => {
      const timer = setImmediate(() => {
        time += delayMs;
        callback();
      });
      return () => clearImmediate(timer);
    },
  };
}

interface World {
  readonly sets: () => ReadonlyMap<string, ActualSet>;
  readonly unsettled?: () => string | undefined;
  readonly said?: readonly string[];
}

/** Plays one step without actions that claims `claim`; answers how many failed and what was told. */
async function claimed(claim: Claim, world: World): Promise<[number, string[]]> {
  const told: string[] = [];
  const pods = keyed(aDemoPod({ name: "web-1", ips: ["10.1.1.1"] }));
  const cast: Partial<Cast> = {
    shop: { unsettled: world.unsettled ?? (() => undefined) } as Cast["shop"],
    clock: hurriedClock(),
    signal: new AbortController().signal,
    pods: () => pods,
    sets: world.sets,
    said: () => world.said ?? [],
    onStep: () => {},
    onClaim: (ok, text) => told.push(`${ok} ${text}`),
    pauseMs: 0,
  };
  const failed = await playScript(
    [{ title: "a step", actions: [], claims: [claim] }],
    cast as Cast,
  );
  return [failed, told];
}

const right = keyedSets(aDemoSet("aws-shop-web", ["10.1.1.1/32"]));
const lacking = keyedSets(aDemoSet("aws-shop-web", []));
const surplus = keyedSets(
  aDemoSet("aws-shop-web", ["10.1.1.1/32"]),
  aDemoSet("aws-shop-client", ["10.1.1.9/32"]),
);

describe("a claim of a script", () => {
  test.each([
    ["lacks an address", lacking, "set aws-shop-web lacks 10.1.1.1/32"],
    ["has one that no pod has", surplus, "set aws-shop-client has 10.1.1.9/32, which no pod has"],
    ["is not there", keyedSets(), "set aws-shop-web does not exist"],
  ])("that sets follow fails when one %s for ten seconds", async (_, sets, doubt) => {
    const [failed, told] = await claimed({ kind: "follows" }, { sets: () => sets });
    expect(failed).toBe(1);
    expect(told).toEqual([`false the sets are what the pods say: ${doubt}`]);
  });

  test("that sets follow is true as soon as they do", async () => {
    let asked = 0;
    const sets = (): ReadonlyMap<string, ActualSet> => (asked++ < 20 ? lacking : right);
    expect((await claimed({ kind: "follows" }, { sets }))[0]).toBe(0);
  });

  test("that sets follow is not asked before the shop is as it was told, and fails when it never is", async () => {
    const unsettled = (): string => "web has 2 of 3 pods";
    const [failed, told] = await claimed({ kind: "follows" }, { sets: () => right, unsettled });
    expect(failed).toBe(1);
    expect(told[0]).toContain("web has 2 of 3 pods");
  });

  test("that sets are held fails when one was written, even with the same content", async () => {
    let asked = 0;
    const sets = (): ReadonlyMap<string, ActualSet> =>
      keyedSets(aDemoSet("aws-shop-web", ["10.1.1.1/32"], asked++ === 0 ? "1" : "2"));
    expect((await claimed({ kind: "holds", forMs: 100 }, { sets }))[0]).toBe(1);
    const same = (): ReadonlyMap<string, ActualSet> => right;
    expect((await claimed({ kind: "holds", forMs: 100 }, { sets: same }))[0]).toBe(0);
  });

  test("that the operator says something fails when it said so only before", async () => {
    const said = ["held"];
    const [failed] = await claimed({ kind: "says", message: "held" }, { sets: () => right, said });
    expect(failed).toBe(1);
  });

  test.each([
    [true, right, 0],
    [true, lacking, 1],
    [false, lacking, 0],
    [false, right, 1],
  ])("that an address is in a set (%s)", async (isMember, sets, expected) => {
    const claim: Claim = { kind: "address", pod: "web-1", set: "aws-shop-web", isMember };
    expect((await claimed(claim, { sets: () => sets }))[0]).toBe(expected);
  });
});
