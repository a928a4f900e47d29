import { createServer, type AddressInfo } from "node:net";
import { expect, jest, test } from "@jest/globals";
import { runWayleave } from "../support/operator-process.ts";

jest.setTimeout(30_000);

test.each([
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

test("a server that nobody is at is told with what else could be asked", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => void taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  const { code, stderr } = await runWayleave(["status", `--server=http://127.0.0.1:${port}`]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: read http:\S+\/api\/v1\/status: connect ECONNREFUSED .*--server/);
});
