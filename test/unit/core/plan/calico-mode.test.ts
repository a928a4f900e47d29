import { describe, expect, test } from "@jest/globals";
import {
  chooseCollection,
  writeGate,
  type CalicoGroupChoice,
  type MigrationFacts,
  type Seen,
  type ServedBy,
} from "../../../../src/core/plan/calico-mode.ts";

const V3 = "projectcalico.org/v3";
const V1 = "crd.projectcalico.org/v1";

type Migrations = Seen<readonly MigrationFacts[]>;

const absent: Migrations = { kind: "absent" };
const unknown: Migrations = { kind: "unknown", why: "status 503" };
const forbidden: Migrations = { kind: "forbidden", why: "status 403" };
const none: Migrations = { kind: "known", value: [] };

function migration(phase: string, isDeleting = false): Migrations {
  return { kind: "known", value: [{ name: "v1-to-v3", phase, isDeleting }] };
}

describe("the collection is the one that Calico reads", () => {
  const rows: [CalicoGroupChoice, ServedBy | undefined, boolean, Migrations, string][] = [
    ["auto", undefined, false, absent, "none"],
    ["auto", "crd", false, absent, V3],
    ["auto", "aggregated", false, absent, V3],
    ["auto", "unknown", false, unknown, V3],
    ["auto", undefined, true, absent, V1],
    ["auto", undefined, true, unknown, V1],
    ["auto", "aggregated", true, absent, V3],
    ["auto", "aggregated", true, unknown, V3],
    ["auto", "aggregated", true, migration("Pending"), V3],
    ["auto", "crd", true, absent, V1],
    ["auto", "unknown", true, absent, V1],
    ["auto", "crd", true, forbidden, V1],
    ["auto", "crd", true, none, V1],
    ["auto", "crd", true, unknown, "undecided"],
    ["auto", "unknown", true, unknown, "undecided"],
    ["auto", "crd", true, migration(""), V1],
    ["auto", "crd", true, migration("Pending"), V1],
    ["auto", "crd", true, migration("Migrating"), V1],
    ["auto", "crd", true, migration("WaitingForConflictResolution"), V1],
    ["auto", "crd", true, migration("Failed"), V1],
    ["auto", "crd", true, migration("SomethingNew"), V1],
    ["auto", "crd", true, migration("Converged"), V3],
    ["auto", "crd", true, migration("Complete"), V3],
    ["auto", "crd", true, migration("Complete", true), V3],
    ["auto", "unknown", true, migration("Complete"), V3],
    [V3, "crd", true, absent, V3],
    [V3, "crd", true, unknown, V3],
    [V3, undefined, true, absent, "none"],
    [V1, "aggregated", true, absent, V1],
    [V1, "crd", true, migration("Complete"), V1],
    [V1, "crd", false, absent, "none"],
  ];

  test.each(rows)("asked for %s, v3 %s, v1 %s, migrations %j: %s", (choice, v3, v1, seen, want) => {
    const chosen = chooseCollection(choice, { v3, v1 }, seen);
    expect(chosen.kind === "use" ? chosen.group : chosen.kind).toBe(want);
  });

  test("who serves it is told, and the raw group is only ever served from CRDs", () => {
    const served = { v3: "aggregated", v1: true } as const;
    expect(chooseCollection("auto", served, absent)).toMatchObject({ servedBy: "aggregated" });
    expect(chooseCollection(V1, served, absent)).toMatchObject({ servedBy: "crd" });
  });

  test("what keeps it from choosing is named", () => {
    const nothing = { v3: undefined, v1: false };
    expect(chooseCollection("auto", nothing, absent)).toMatchObject({
      why: expect.stringMatching(/neither in projectcalico.org\/v3 nor in .*waiting for Calico/),
    });
    expect(chooseCollection(V1, nothing, absent)).toMatchObject({
      why: expect.stringMatching(/not serve .* in crd.projectcalico.org\/v1.*calico-api-group/),
    });
    expect(chooseCollection("auto", { v3: "crd", v1: true }, unknown)).toMatchObject({
      why: expect.stringContaining("status 503"),
    });
  });
});

describe("sets are written only while Calico's store takes writes", () => {
  type Ready = Seen<boolean | undefined>;
  const ready: Ready = { kind: "known", value: true };
  const locked: Ready = { kind: "known", value: false };
  const silent: Ready = { kind: "known", value: undefined };

  const rows: [Ready, Migrations, string, string][] = [
    [ready, none, "open", ""],
    [silent, none, "open", ""],
    [{ kind: "absent" }, absent, "open", ""],
    [forbidden, forbidden, "open", ""],
    [locked, none, "paused", "spec.datastoreReady is false"],
    [locked, absent, "paused", "spec.datastoreReady is false"],
    [locked, forbidden, "paused", "spec.datastoreReady is false"],
    [locked, unknown, "paused", "spec.datastoreReady is false"],
    [unknown, none, "unknown", "ClusterInformation is not read yet: status 503"],
    [ready, unknown, "unknown", "DatastoreMigrations are not read yet: status 503"],
    [ready, migration(""), "paused", 'DatastoreMigration "v1-to-v3" is not begun'],
    [ready, migration("Pending"), "paused", "is Pending"],
    [ready, migration("Migrating"), "paused", "is Migrating"],
    [unknown, migration("Migrating"), "paused", "is Migrating"],
    [ready, migration("WaitingForConflictResolution"), "paused", "WaitingForConflictResolution"],
    [ready, migration("SomethingNew"), "paused", "is SomethingNew"],
    [ready, migration("Converged"), "open", ""],
    [ready, migration("Complete"), "open", ""],
    [ready, migration("Complete", true), "open", ""],
    [ready, migration("Failed"), "open", ""],
    [locked, migration("Failed"), "paused", "spec.datastoreReady is false"],
    [ready, migration("Failed", true), "paused", "being rolled back"],
    [ready, migration("Migrating", true), "paused", "being rolled back"],
  ];

  test.each(rows)("ClusterInformation %j, migrations %j: %s %s", (info, seen, kind, why) => {
    const gate = writeGate(info, seen);
    expect(gate.kind).toBe(kind);
    expect(gate.why === "").toBe(why === "");
    expect(gate.why).toContain(why);
  });

  test("what may not be read is reported, what does not exist is not", () => {
    expect(writeGate(forbidden, forbidden).notes).toEqual([
      "ClusterInformation cannot be read: status 403",
      "DatastoreMigrations cannot be read: status 403",
    ]);
    expect(writeGate({ kind: "absent" }, absent).notes).toEqual([]);
  });

  test("one migration of several that is under way is enough to stop", () => {
    const several: Migrations = {
      kind: "known",
      value: [
        { name: "old", phase: "Complete", isDeleting: false },
        { name: "new", phase: "Migrating", isDeleting: false },
      ],
    };
    expect(writeGate(ready, several)).toMatchObject({
      kind: "paused",
      why: expect.stringContaining('"new"'),
    });
  });
});
