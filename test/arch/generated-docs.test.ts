import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "@jest/globals";
import { metricsMarkdown, optionsMarkdown } from "../../src/cli/reference.ts";
import { OPERATOR_METRICS } from "../../src/metrics/table.ts";
import { OPERATOR_OPTIONS } from "../../src/operator/options.ts";

/** `npm run docs` sets this: then the pages are written instead of compared. */
const isWriting = process.env["UPDATE_DOCS"] !== undefined;

const BLOCKS: readonly (readonly [file: string, block: string, content: () => string])[] = [
  ["README.md", "operator-options", () => optionsMarkdown(OPERATOR_OPTIONS)],
  ["docs/metrics.md", "operator-metrics", () => metricsMarkdown(OPERATOR_METRICS)],
];

test.each(BLOCKS)("%s holds the %s of the code", async (file, block, content) => {
  const url = new URL(`../../${file}`, import.meta.url);
  const page = await readFile(url, "utf8");
  const begin = `<!-- generated: ${block} -->\n`;
  const end = `\n<!-- end: ${block} -->`;
  const from = page.indexOf(begin) + begin.length;
  const to = page.indexOf(end);
  expect(from).toBeGreaterThanOrEqual(begin.length);
  expect(to).toBeGreaterThanOrEqual(0);
  if (isWriting) await writeFile(url, page.slice(0, from) + content() + page.slice(to));
  else expect(page.slice(from, to)).toBe(content());
});
