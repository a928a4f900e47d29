import { expect, test } from "@jest/globals";
import { PROFILE_NAMES, labelProfile } from "../../../src/core/membership/profile.ts";
import type { ClusterName } from "../../../src/core/model/names.ts";
import { SET_LABELS } from "../../../src/inspect/lint/set-labels.ts";

test.each(PROFILE_NAMES.map((name) => [name] as const))(
  "lint knows the labels that the operator writes under %s",
  (name) => {
    const { labelsOf } = labelProfile(name, "uw.systems/networkset-name", undefined);
    const written = labelsOf({ cluster: "prod" as ClusterName, namespace: "shop", name: "web" });
    const { primary, compatible, managedBy } = SET_LABELS[name];
    const known = [...primary, ...Object.keys(compatible), managedBy.key];
    expect(Object.keys(written).toSorted()).toEqual(known.toSorted());
    expect(written[managedBy.key]).toBe(managedBy.value);
    for (const [older, better] of Object.entries(compatible)) {
      expect(written[older]).toBe(written[better]);
    }
  },
);

test("lint knows every profile", () => {
  expect(Object.keys(SET_LABELS).toSorted()).toEqual([...PROFILE_NAMES].toSorted());
});
