import { describe, expect, test } from "@jest/globals";
import { paint, plainText, span } from "../../../src/demo/line.ts";
import { picture, wrapped, type View } from "../../../src/demo/picture.ts";
import { aDemoPod, aDemoSet, keyed, keyedSets } from "../../support/demo.ts";

const VIEW: View = {
  script: "partition",
  elapsedMs: 61_234,
  pods: keyed(
    aDemoPod({ name: "web-v2-10", uid: "u3", ips: [], phase: "Pending" }),
    aDemoPod({ name: "web-v2-9", ips: ["10.1.1.9"], nodeName: "node-2" }),
    aDemoPod({ name: "client-v1-1", ips: ["10.1.1.1"], set: "client" }),
    aDemoPod({ name: "client-v1-2", ips: ["10.1.1.2"], set: "client", phase: "Failed" }),
    aDemoPod({ name: "client-v1-3", ips: ["10.1.1.3"], set: "client", terminating: true }),
    aDemoPod({ name: "a-stranger", namespace: "other", ips: ["10.1.9.1"], set: "" }),
  ),
  sets: keyedSets(
    aDemoSet("aws-shop-client", ["10.1.1.1/32", "10.1.1.3/32"]),
    aDemoSet("aws-shop-web", ["10.1.1.7/32"]),
    aDemoSet("aws-shop-batch", []),
  ),
  rows: [
    { kind: "step", atMs: 1_000, number: 2, of: 8, title: "web rolls to a new version" },
    { kind: "pod", atMs: 1_100, text: "pod client-v1-3 is being deleted" },
    {
      kind: "set",
      atMs: 60_000,
      sign: "+",
      set: "aws-shop-client",
      net: "10.1.1.3/32",
      cause: "pod client-v1-3 runs",
      tookMs: 4.4,
    },
    {
      kind: "set",
      atMs: 61_000,
      sign: "-",
      set: "aws-shop-client",
      net: "10.1.1.2/32",
      cause: "pod client-v1-2 crashed",
      tookMs: 1_234,
    },
    { kind: "operator", atMs: 61_100, isTrouble: true, text: "remote cluster does not answer" },
    { kind: "claim", atMs: 61_200, ok: true, text: "no set was written (1.5 s)" },
  ],
  isCut: true,
  isOver: false,
  commands: [
    "kubectl --kubeconfig /tmp/wayleave-abcdef/aws -n shop delete pod -l app=web",
    "kubectl --kubeconfig /tmp/wayleave-abcdef/local get globalnetworksets",
  ],
  keys: "q ends",
};

function drawn(view: View, columns: number, rows: number): string[] {
  return picture(view, { columns, rows }).map(plainText);
}

describe("the picture of the demo", () => {
  test("fits 80 by 24, and shows pods beside sets, what is missing and what is left over", () => {
    expect(drawn(VIEW, 80, 24)).toEqual([
      " wayleave demo: partition                                    step 2 of 8   1:01",
      " web rolls to a new version",
      "",
      " PODS IN aws (remote)                         CUT! SETS IN local",
      "                                                   aws-shop-batch   empty",
      " client-v1-1    10.1.1.1   node-1 Running     -->  aws-shop-client  10.1.1.1",
      " client-v1-2    10.1.1.2   node-1 Failed",
      " client-v1-3    10.1.1.3   node-1 Terminating -->                   10.1.1.3",
      " web-v2-9       10.1.1.9   node-2 Running      x   aws-shop-web     not there",
      " web-v2-10                 node-1 Pending",
      " (no pod has this address)                                          10.1.1.7",
      " other/a-stran~ 10.1.9.1   node-1 Running",
      "",
      " WHAT HAPPENED, AND WHY",
      "  0:01.0  step 2: web rolls to a new version",
      "  1:00.0  + 10.1.1.3  aws-shop-client   pod client-v1-3 runs, 4 ms",
      "  1:01.0  - 10.1.1.2  aws-shop-client   pod client-v1-2 crashed, 1.2 s",
      "  1:01.1  operator    remote cluster does not answer",
      "  1:01.2  ok          no set was written (1.5 s)",
      "",
      " Change things from another terminal, and watch:",
      " kubectl --kubeconfig /tmp/wayleave-abcdef/aws -n shop delete pod -l app=web",
      " kubectl --kubeconfig /tmp/wayleave-abcdef/local get globalnetworksets",
      " q ends",
    ]);
  });

  test.each([
    [80, 24],
    [200, 60],
    [80, 18],
    [60, 14],
    [20, 5],
    [1, 1],
  ])("%i by %i characters are never exceeded", (columns, rows) => {
    const lines = picture(VIEW, { columns, rows });
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) {
      const width = line.reduce((sum, { text }) => sum + text.length, 0);
      expect(width).toBeLessThanOrEqual(columns);
    }
  });

  test("a table that is too long says how much is not shown", () => {
    const lines = drawn(VIEW, 80, 22);
    expect(lines).toContain(" ... and 2 more");
    expect(lines).toHaveLength(22);
  });

  test("a claim that is not true stays in the second line, also when the script is over", () => {
    const rows = [...VIEW.rows, { kind: "claim", atMs: 61_300, ok: false, text: "no" } as const];
    const lines = drawn({ ...VIEW, rows, isOver: true }, 80, 24);
    expect(lines[1]).toBe(" 1 of the script's claims turned out not to be true");
    expect(drawn({ ...VIEW, isOver: true }, 80, 24)[1]).toContain("every claim was true");
  });

  test("an address that just came stands out, and no more after two seconds", () => {
    const lookOf = (elapsedMs: number): string | undefined =>
      picture({ ...VIEW, elapsedMs }, { columns: 80, rows: 24 })
        .flat()
        .find(({ text }) => text === "10.1.1.3")?.look;
    expect(lookOf(61_234)).toBe("good");
    expect(lookOf(62_001)).toBe("plain");
  });

  test("before anything is known there is a picture too", () => {
    const nothing = { ...VIEW, pods: new Map(), sets: new Map(), rows: [], isCut: false };
    expect(drawn(nothing, 80, 24).slice(0, 5)).toEqual([
      " wayleave demo: partition                                                  1:01",
      " the operator starts",
      "",
      " PODS IN aws (remote)                              SETS IN local",
      " none yet",
    ]);
  });
});

describe("a line", () => {
  test("has its looks as escape sequences; without colour only bold and dim are left", () => {
    const line = [span("a"), span("b", "good"), span("c", "dim")];
    expect(paint(line, true)).toBe("a\u001B[32mb\u001B[0m\u001B[2mc\u001B[0m");
    expect(paint(line, false)).toBe("a\u001B[1mb\u001B[0m\u001B[2mc\u001B[0m");
  });
});

describe("a command that is too long", () => {
  test("is continued on further lines, and a shell joins them again", () => {
    const command = VIEW.commands[0] ?? "";
    const lines = wrapped(command, 40);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
    expect(lines.join("\n").replaceAll(/ \\\n\s*/g, " ")).toBe(command);
    expect(wrapped(command, 78)).toEqual([command]);
  });
});
