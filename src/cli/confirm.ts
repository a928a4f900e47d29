import { createInterface } from "node:readline";

/** A terminal to ask on. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Asks a question that only `y` or `yes` answers with true; the end of the input is a no. */
export async function confirm(question: string, { input, output }: Terminal): Promise<boolean> {
  output.write(`${question} [y/N] `);
  const lines = createInterface({ input });
  const given = await new Promise<string>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(""));
  });
  lines.close();
  return /^y(es)?$/i.test(given.trim());
}
