import { PassThrough } from "node:stream";
import { expect, test } from "@jest/globals";
import { confirm } from "../../../src/cli/confirm.ts";

test.each([
  ["y\n", true],
  ["YES\n", true],
  ["n\n", false],
  ["\n", false],
  ["yesterday\n", false],
  ["", false],
])("%j answers %p", async (typed, expected) => {
  const input = new PassThrough();
  const output = new PassThrough();
  input.end(typed);
  expect(await confirm("delete 2 objects?", { input, output })).toBe(expected);
  expect(String(output.read())).toContain("delete 2 objects? [y/N] ");
});
