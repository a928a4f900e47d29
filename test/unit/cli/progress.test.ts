import { expect, test } from "@jest/globals";
import { Progress } from "../../../src/cli/progress.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function watch(isTTY: boolean): { clock: FakeClock; written: string[]; progress: Progress } {
  const clock = new FakeClock();
  const written: string[] = [];
  const progress = new Progress({ isTTY, write: (text) => written.push(text) }, clock);
  return { clock, written, progress };
}

test("is silent for a second, then speaks twice a second", async () => {
  const { clock, written, progress } = watch(false);
  for (let done = 0; done < 30; done++) {
    progress.tell("reading files", done, 30);
    await clock.advance(100);
  }
  progress.end();
  expect(written).toEqual([10, 15, 20, 25].map((done) => `reading files: ${done} of 30\n`));
});

test("on a terminal rewrites one line and clears it", async () => {
  const { clock, written, progress } = watch(true);
  await clock.advance(1000);
  progress.tell("reading files", 1, 2);
  progress.end();
  expect(written).toEqual(["\rreading files: 1 of 2\u001B[K", "\r\u001B[K"]);
});
