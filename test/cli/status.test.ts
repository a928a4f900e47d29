import { expect, test } from "@jest/globals";
import { runWayleave } from "../support/operator-process.ts";

test.each([
  [
    ["status", "--server=http://127.0.0.1:1"],
    /^error: read http:\/\/127\.0\.0\.1:1\/.*ECONNREFUSED.*--server/,
  ],
  [["status", "--server=ftp://x"], /^error: --server "ftp:\/\/x"/],
  [["status", "-o", "table"], /^error: --output "table": must be json, yaml, wide, name/],
  [["status", "--timeout=soon"], /^error: --timeout "soon"/],
  [
    ["sets", "--server=http://127.0.0.1:1", "--label-profile=both"],
    /^error: --server: cannot be combined with --label-profile/,
  ],
  [["sets", "diff", "--label-profile=none"], /^error: --label-profile: expected one of/],
  [["sets", "list", "--local-kube-config=/nonexistent"], /^error: --target-cluster-name: required/],
  [["sets", "describe"], /^error: missing required argument/],
])("%j is wrong usage, exit code 2", async (args, complaint) => {
  const { code, stdout, stderr } = await runWayleave(args);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(complaint);
});
