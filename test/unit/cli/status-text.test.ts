import { describe, expect, test } from "@jest/globals";
import type { Status } from "../../../src/operator/api-objects.ts";
import { isWell, statusText, statusWarnings } from "../../../src/cli/status-text.ts";
import { lagText, lengthText, timeText } from "../../../src/cli/times.ts";
import { expectGolden } from "../../support/policy/files.ts";

const STATUS: Status = {
  apiVersion: "wayleave.dev/v1alpha1",
  kind: "Status",
  time: "2026-03-04T14:02:17.000Z",
  version: "1.2.3",
  operator: { role: "leader", startTime: "2026-03-01T14:02:17.000Z" },
  local: { ok: true, apiGroup: "projectcalico.org/v3", message: "sets are written" },
  remotes: [
    {
      name: "aws",
      link: "Synced",
      lastEventTime: "2026-03-04T14:02:15.000Z",
      lastEventAgeSeconds: 2,
      lagP99Seconds: 0.0042,
      pods: 214,
      sets: 9,
      members: 220,
      held: 0,
      credentialExpirationTime: "2026-05-04T15:02:17.000Z",
      message: "",
    },
    {
      name: "gke",
      link: "Stale",
      lastEventTime: "2026-03-04T13:55:05.000Z",
      lastEventAgeSeconds: 432,
      lagP99Seconds: null,
      pods: 88,
      sets: 4,
      members: 90,
      held: 12,
      credentialExpirationTime: "2026-03-04T13:55:17.000Z",
      message: "watch /api/v1/pods: 401 Unauthorized; 12 removals held until a second list agrees",
    },
  ],
  orphans: [{ cluster: "old", sets: 3 }],
};

const style = { isWide: false, hasHead: true };

describe("a status", () => {
  test("is a table, a remote cluster a row", () => {
    expectGolden("status.txt", statusText(STATUS, style));
  });

  test("is wider when asked, and without heads rows only", () => {
    expectGolden("status-wide.txt", statusText(STATUS, { isWide: true, hasHead: true }));
    expect(statusText(STATUS, { isWide: false, hasHead: false })).toMatch(/^aws .*\ngke .*\n$/);
  });

  test("says that nobody writes when it was computed from the clusters", () => {
    const [first] = statusText({ ...STATUS, operator: null }, style).split("\n");
    expect(first).toBe("computed by 1.2.3, no operator asked   sets in projectcalico.org/v3");
  });

  test("warns of links that are not Synced and of sets that nobody follows", () => {
    expect(statusWarnings(STATUS)).toEqual([
      "gke: link is Stale; its sets are held as they are",
      "old: not configured, and has 3 sets; wayleave cleanup --target-cluster-name old removes them",
    ]);
  });

  test("is well when the local cluster answers and every link is Synced", () => {
    const remotes = STATUS.remotes.filter(({ link }) => link === "Synced");
    expect(isWell(STATUS)).toBe(false);
    expect(isWell({ ...STATUS, remotes })).toBe(true);
    expect(isWell({ ...STATUS, remotes, local: { ...STATUS.local, ok: false } })).toBe(false);
  });
});

test.each([
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [432_000, "7m12s"],
  [3_600_000, "1h"],
  [11_100_000, "3h5m"],
  [90_000_000, "1d1h"],
  [86_400_000 * 61.9, "61d"],
])("%d ms is %s", (ms, expected) => {
  expect(lengthText(ms)).toBe(expected);
});

test("a time of today is without its date, one of another day with it", () => {
  const now = "2026-03-04T14:02:17.000Z";
  expect(timeText("2026-03-04T13:40:02.123Z", now)).toBe("13:40:02Z");
  expect(timeText("2026-03-03T13:40:02.123Z", now)).toBe("2026-03-03T13:40:02Z");
  expect(timeText(null, now)).toBe("-");
});

test("a lag has about two figures", () => {
  expect([lagText(0.0042), lagText(0.42), lagText(3.21), lagText(null)]).toEqual([
    "4ms",
    "420ms",
    "3.2s",
    "-",
  ]);
});
