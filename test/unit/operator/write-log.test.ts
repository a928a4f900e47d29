import { expect, test } from "@jest/globals";
import { setKey } from "../../../src/core/membership/set-id.ts";
import type { ClusterName } from "../../../src/core/model/names.ts";
import { WriteLog } from "../../../src/operator/write-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const aws = "aws" as ClusterName;
const set = setKey({ cluster: aws, namespace: "shop", name: "front" });

test("the 99th percentile is of the last thousand changes; repairs do not count", () => {
  const log = new WriteLog(new FakeClock());
  expect(log.lagP99(aws)).toBeUndefined();
  log.note(set, undefined);
  expect(log.lagP99(aws)).toBeUndefined();
  for (let ms = 1; ms <= 100; ms++) log.note(set, ms);
  expect(log.lagP99(aws)).toBe(99);
  for (let each = 0; each < 1000; each++) log.note(set, 5);
  expect(log.lagP99(aws)).toBe(5);
  log.forget(aws);
  expect(log.lagP99(aws)).toBeUndefined();
});

test("a set was written when it was last written", () => {
  const clock = new FakeClock();
  const log = new WriteLog(clock);
  expect(log.writtenAt(set)).toBeUndefined();
  log.note(set, undefined);
  expect(log.writtenAt(set)).toBe(clock.now());
});
