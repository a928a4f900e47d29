import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Refusal } from "../../../../src/core/membership/claim.ts";
import { ClusterPods } from "../../../../src/core/membership/cluster-pods.ts";
import { Membership } from "../../../../src/core/membership/membership.ts";
import { OPEN_FENCE } from "../../../../src/core/address/fence.ts";
import { labelProfile } from "../../../../src/core/membership/profile.ts";
import { setKey, type SetKey } from "../../../../src/core/membership/set-id.ts";
import type { PodPhase } from "../../../../src/core/model/pod.ts";
import { aMember, aPod, cluster, SET_ANNOTATION } from "../../../support/pod-records.ts";

const remote = cluster("remote");
const set = (name: string, namespace = "default"): SetKey =>
  setKey({ cluster: remote, namespace, name });

let membership: Membership;
let pods: ClusterPods;
let changed: SetKey[];
let refused: { pod: string; refusal: Refusal }[];
let heldBack: [removed: number, total: number][];
let now: number;

beforeEach(() => {
  membership = new Membership();
  changed = [];
  refused = [];
  heldBack = [];
  now = 0;
  pods = new ClusterPods({
    cluster: remote,
    membership,
    profile: labelProfile("legacy-2021", SET_ANNOTATION, undefined),
    brake: { maxRemovalPercent: 50, holdMs: 30_000 },
    fence: () => OPEN_FENCE,
    now: () => now,
    events: {
      onChanged: (sets) => changed.push(...sets),
      onRefused: (pod, refusal) => refused.push({ pod, refusal }),
      onComplete: () => {},
      onHeld: (removed, total) => heldBack.push([removed, total]),
    },
  });
});

test("a pod with the annotation is in its set, with every address of both families", () => {
  pods.put(aMember("db", { ips: ["10.0.0.9", "FD00:0:0::9"] }));
  expect(membership.nets(set("db"))).toEqual(["10.0.0.9/32", "fd00::9/128"]);
  expect(changed).toEqual([set("db")]);
});

test("a pod that is annotated late joins, and leaves when the annotation goes", () => {
  pods.put(aPod());
  expect([...membership.sets()]).toEqual([]);
  pods.put(aMember("db"));
  expect(membership.nets(set("db"))).toEqual(["10.0.0.1/32"]);
  pods.put(aPod());
  expect(membership.nets(set("db"))).toEqual([]);
});

test("a pod that moves between sets leaves one and joins the other in one step", () => {
  pods.put(aMember("blue"));
  changed = [];
  pods.put(aMember("green"));
  expect(membership.nets(set("blue"))).toEqual([]);
  expect(membership.nets(set("green"))).toEqual(["10.0.0.1/32"]);
  expect(new Set(changed)).toEqual(new Set([set("blue"), set("green")]));
});

test("an update that changes nothing of the set is no change", () => {
  pods.put(aMember("db"));
  changed = [];
  pods.put(aMember("db", { labels: { rev: "2" }, nodeName: "node-2" }));
  expect(changed).toEqual([]);
});

describe("a pod has no part in any set", () => {
  test.each<PodPhase>(["Succeeded", "Failed"])("when its phase is %s", (phase) => {
    pods.put(aMember("db"));
    pods.put(aMember("db", { phase }));
    expect(membership.nets(set("db"))).toEqual([]);
  });

  test("when it is on its node's network", () => {
    pods.put(aMember("db", { hostNetwork: true }));
    expect(membership.size).toBe(0);
  });

  test("when it has no address", () => {
    pods.put(aMember("db", { ips: [] }));
    expect(membership.size).toBe(0);
  });

  test.each(["cni.projectcalico.org/podIP", "vpc.amazonaws.com/pod-ips"])(
    "when it terminates and %s says that its address was given back",
    (annotation) => {
      const annotations = { [SET_ANNOTATION]: "db", [annotation]: "" };
      pods.put(aMember("db", { terminating: true }));
      expect(membership.nets(set("db"))).toEqual(["10.0.0.1/32"]);
      pods.put(aMember("db", { terminating: true, annotations }));
      expect(membership.nets(set("db"))).toEqual([]);
    },
  );
});

describe("an address that two pods hold in turn", () => {
  const first = aMember("db", { name: "job", uid: "1" });
  const second = aMember("db", { name: "web", uid: "2" });

  test("stays when the first owner goes", () => {
    pods.put(first);
    pods.put(second);
    changed = [];
    pods.remove(first);
    expect(membership.nets(set("db"))).toEqual(["10.0.0.1/32"]);
    expect(changed).toEqual([]);
    pods.remove(second);
    expect(membership.nets(set("db"))).toEqual([]);
    expect(membership.size).toBe(0);
  });

  test("stays when a pod was made anew under its name and the old one's deletion comes late", () => {
    const again = { ...first, uid: "3" };
    pods.put(first);
    pods.put(again);
    pods.remove(first);
    expect(membership.owners(set("db"), "10.0.0.1/32")).toEqual([{ pod: "default/job", uid: "3" }]);
    pods.remove(again);
    expect(membership.size).toBe(0);
  });
});

describe("lists", () => {
  test("what a complete list does not hold is gone", () => {
    pods.put(aMember("db", { name: "a", ips: ["10.0.0.1"] }));
    pods.put(aMember("db", { name: "b", ips: ["10.0.0.2"] }));
    pods.beginList();
    pods.put(aMember("db", { name: "b", ips: ["10.0.0.2"] }));
    expect(membership.nets(set("db"))).toEqual(["10.0.0.1/32", "10.0.0.2/32"]);
    pods.endList();
    expect(membership.nets(set("db"))).toEqual(["10.0.0.2/32"]);
    expect(pods.size).toBe(1);
  });

  test("a list that failed half way removes nothing", () => {
    pods.put(aMember("db"));
    pods.beginList();
    pods.abandonList();
    pods.beginList();
    pods.put(aMember("db"));
    pods.endList();
    expect(membership.nets(set("db"))).toEqual(["10.0.0.1/32"]);
  });
});

describe("refusals", () => {
  test.each(["My_App", "-db", "a".repeat(64), "db/x"])(
    "set name %j is refused once, naming pod and value",
    (value) => {
      pods.put(aMember(value));
      pods.put(aMember(value, { labels: { a: "b" } }));
      expect(membership.size).toBe(0);
      expect(refused.map(({ pod, refusal }) => [pod, refusal.field, refusal.value])).toEqual([
        ["default/web-0", "set name", value],
      ]);
    },
  );

  test.each(["::ffff:10.1.2.3", "10.0.0.300", "fe80::1%eth0"])(
    "address %j is refused, the pod's other address is not",
    (value) => {
      pods.put(aMember("db", { ips: [value, "10.0.0.7"] }));
      expect(membership.nets(set("db"))).toEqual(["10.0.0.7/32"]);
      expect(refused.map(({ refusal }) => refusal.value)).toEqual([value]);
    },
  );
});

describe("the mass-removal brake", () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    aMember("db", { name: `p${i}`, ips: [`10.0.1.${i}`] }),
  );
  const list = (of: typeof many): void => {
    pods.beginList();
    for (const pod of of) pods.put(pod);
    pods.endList();
  };

  beforeEach(() => list(many));

  test("a list without most pods is held, and a second one that agrees later is believed", () => {
    list(many.slice(0, 5));
    expect(heldBack).toEqual([[25, 30]]);
    expect(membership.nets(set("db"))).toHaveLength(30);
    now = 29_999;
    list(many.slice(0, 5));
    expect(membership.nets(set("db"))).toHaveLength(30);
    now = 30_000;
    list(many.slice(0, 5));
    expect(membership.nets(set("db"))).toHaveLength(5);
    list([]);
    expect(membership.size).toBe(0);
  });

  test("as many new pods do not make up for those that a list lacks", () => {
    const others = many.map((pod, i) => ({
      ...pod,
      name: `q${i}`,
      uid: `q${i}`,
      ips: [`10.0.2.${i}`],
    }));
    list(others);
    expect(heldBack).toEqual([[30, 30]]);
    expect(membership.nets(set("db"))).toHaveLength(60);
    now = 30_000;
    list(others);
    expect(membership.nets(set("db"))).toHaveLength(30);
  });

  test("what the second list brings back was never gone", () => {
    list([]);
    now = 30_000;
    changed = [];
    list(many);
    expect(changed).toEqual([]);
    expect(membership.nets(set("db"))).toHaveLength(30);
  });

  test("half is not most, and nine are not many", () => {
    list(many.slice(0, 15));
    expect(membership.nets(set("db"))).toHaveLength(15);
    list(many.slice(0, 9));
    list([]);
    expect(heldBack).toEqual([]);
    expect(membership.size).toBe(0);
  });

  test("deletions that a watch tells of are never held", () => {
    for (const pod of many) pods.remove(pod);
    expect(membership.size).toBe(0);
    expect(heldBack).toEqual([]);
  });

  test("a pod that is held and then comes back elsewhere moves at once", () => {
    list([]);
    pods.put(aMember("other", { name: "p0", uid: "new", ips: ["10.0.1.0"] }));
    expect(membership.nets(set("other"))).toEqual(["10.0.1.0/32"]);
    now = 30_000;
    list([aMember("other", { name: "p0", uid: "new", ips: ["10.0.1.0"] })]);
    expect(membership.nets(set("db"))).toEqual([]);
  });

  test("the first list after a start is measured against what the sets' objects hold", () => {
    const entries = Array.from({ length: 40 }, (_, i) => ({
      set: set("db"),
      net: `10.0.1.${i}/32`,
    }));
    list(many.slice(0, 15));
    pods.adopt(entries);
    expect(heldBack).toEqual([[25, 40]]);
    expect(membership.nets(set("db"))).toHaveLength(40);
    now = 30_000;
    list(many.slice(0, 15));
    expect(membership.nets(set("db"))).toHaveLength(15);
  });
});
