import { beforeEach, describe, expect, test } from "@jest/globals";
import type { PodRecord } from "../../../src/core/model/pod.ts";
import { Story, describeChange, type Row } from "../../../src/demo/story.ts";
import { aDemoPod, aDemoSet } from "../../support/demo.ts";

const WEB = "aws-shop-web";
const pod = aDemoPod({ name: "web-1", ips: ["10.1.1.1"] });
const pending = aDemoPod({ name: "web-1", ips: [], phase: "Pending" });
const empty = aDemoSet(WEB, []);
const full = aDemoSet(WEB, ["10.1.1.1/32"]);

let told: Row[];
let wanted: boolean;
let story: Story;

beforeEach(() => {
  told = [];
  wanted = true;
  story = new Story(
    (row) => told.push(row),
    () => wanted,
  );
});

function causes(): unknown[] {
  return told
    .filter((row) => row.kind === "set")
    .map(({ sign, net, cause, tookMs }) => [sign, net, cause, tookMs]);
}

describe("the story of the demo", () => {
  test("a set's change is told with the pod's change that it follows, and how long it took", () => {
    story.podChanged(100, pending, pod);
    story.setChanged(104, empty, full);
    expect(causes()).toEqual([["+", "10.1.1.1/32", "pod web-1 runs", 4]]);
  });

  test("also when the set was seen first", () => {
    story.setChanged(100, empty, full);
    expect(causes()).toEqual([]);
    story.podChanged(101, pending, pod);
    expect(causes()).toEqual([["+", "10.1.1.1/32", "pod web-1 runs", 0]]);
    story.settle(10_000);
    expect(causes()).toHaveLength(1);
  });

  test("a change without a pod's change was made by hand, and the change back by the operator", () => {
    story.setChanged(100, full, empty);
    story.setChanged(110, empty, full);
    story.settle(499);
    expect(causes()).toEqual([]);
    story.settle(510);
    expect(causes()).toEqual([
      ["-", "10.1.1.1/32", "edited by hand", undefined],
      ["+", "10.1.1.1/32", "the operator put it right", undefined],
    ]);
  });

  test("an address that nobody has and that somebody put in was put in by hand", () => {
    wanted = false;
    story.setChanged(100, empty, full);
    story.settle(1_000);
    expect(causes()).toEqual([["+", "10.1.1.1/32", "edited by hand", undefined]]);
  });

  test("a cause is used once, and not at all when the pod went back before the set showed it", () => {
    story.podChanged(100, pending, pod);
    story.podChanged(110, pod, undefined);
    story.setChanged(120, empty, full);
    expect(causes()).toEqual([]);
    story.setChanged(130, full, empty);
    expect(causes()).toEqual([["-", "10.1.1.1/32", "pod web-1 is gone", 20]]);
  });

  test("a pod that moves to another set is the cause of both changes", () => {
    story.podChanged(100, pod, aDemoPod({ name: "web-1", ips: ["10.1.1.1"], set: "client" }));
    story.setChanged(103, full, empty);
    story.setChanged(104, undefined, aDemoSet("aws-shop-client", ["10.1.1.1/32"]));
    const cause = "pod web-1 moved to another set";
    expect(causes()).toEqual([
      ["-", "10.1.1.1/32", cause, 3],
      ["+", "10.1.1.1/32", cause, 4],
    ]);
  });

  test("an empty set that goes is told as gone", () => {
    story.setChanged(100, empty, undefined);
    expect(told).toEqual([{ kind: "gone", atMs: 100, set: WEB }]);
  });
});

describe("what happened to a pod", () => {
  const other: Partial<PodRecord>[] = [{ phase: "Failed" }, { phase: "Succeeded" }];
  test.each<[string, PodRecord | undefined, PodRecord | undefined]>([
    ["was created", undefined, pending],
    ["is there", undefined, pod],
    ["runs", pending, pod],
    ["is gone", pod, undefined],
    ["crashed", pod, { ...pod, ...other[0] }],
    ["completed", pod, { ...pod, ...other[1] }],
    ["is being deleted", pod, { ...pod, terminating: true }],
    ["changed its address", pod, { ...pod, ips: ["10.1.1.2"] }],
    ["was replaced", pod, { ...pod, uid: "another" }],
    ["opted out", pod, { ...pod, labels: {} }],
    ["opted in", { ...pod, annotations: {} }, pod],
    ["", pod, { ...pod, nodeName: "node-2" }],
  ])("%s", (text, before, after) => {
    expect(describeChange(before, after)).toBe(text);
  });
});
