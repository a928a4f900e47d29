import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { kubectlPath, realSubject, simSubject, type Subject } from "./subject.ts";
import {
  canonicalBody,
  canonicalOutput,
  fill,
  jsonOf,
  parseTranscript,
  printTranscript,
  remember,
  type Step,
} from "./transcript.ts";

/*
 * The contract of an API server, as transcripts of requests and of kubectl. What is expected was said by
 * a real kube-apiserver: UPDATE_CONTRACT=1 asks it again and writes the transcripts anew. Both the
 * simulation and the real server must then say the same.
 */
const FOLDER = join(import.meta.dirname, "api-server");
const SHOWN_HEADERS = ["content-type", "warning", "retry-after"];
const updating = process.env["UPDATE_CONTRACT"] === "1";

jest.setTimeout(120_000);

async function run(subject: Subject, known: Map<string, string>, step: Step): Promise<string> {
  const command = fill(known, step.command);
  const input = fill(known, step.input);
  if (command.startsWith("$ kubectl ")) {
    const words = [...command.slice("$ kubectl ".length).matchAll(/'([^']*)'|(\S+)/g)].map(
      (match) => match[1] ?? match[2] ?? "",
    );
    return canonicalOutput(await subject.kubectl(words, input));
  }
  const [method = "", path = ""] = command.split(" ");
  const headers: Record<string, string> = { accept: "application/json" };
  for (const line of step.headers) {
    const [name = "", value = ""] = line.split(": ");
    headers[name.toLowerCase()] = value;
  }
  let body = input;
  if (input !== "") {
    const type = headers["content-type"] ?? "application/json";
    headers["content-type"] = type;
    if (type.includes("json") && !input.startsWith("!")) body = jsonOf(input);
    if (input.startsWith("!")) body = input.slice(1);
    headers["content-length"] = String(Buffer.byteLength(body));
  }
  const answer = await subject.send(method, path, headers, body);
  const text = answer.body.toString();
  remember(known, text);
  const shown = SHOWN_HEADERS.flatMap((name) => {
    const value = answer.headers[name];
    return value === undefined ? [] : [`${name}: ${String(value)}`];
  });
  return [String(answer.status), ...shown, canonicalBody(text)].join("\n").trimEnd();
}

function contract(start: () => Promise<Subject>, record: boolean): void {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(async () => {
    await subject.stop();
  });
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".txt"))) {
    const usesKubectl = readFileSync(join(FOLDER, file), "utf8").includes("\n$ kubectl ");
    const suite = usesKubectl && kubectlPath() === undefined ? describe.skip : describe;
    suite(file.replace(/\.txt$/, ""), () => {
      const path = join(FOLDER, file);
      const text = readFileSync(path, "utf8");
      const steps = parseTranscript(text);
      const known = new Map<string, string>();
      const recorded: Step[] = [];
      test.each(steps.map((step) => [step.title, step] as const))("%s", async (_title, step) => {
        const output = await run(subject, known, step);
        recorded.push({ ...step, output });
        expect(output).toBe(record ? output : step.output);
      });
      if (record)
        afterAll(() => {
          const preamble = text.slice(0, text.search(/^### /m));
          writeFileSync(path, printTranscript(preamble, recorded));
        });
    });
  }
}

describeOnApiServers("a real API server", () => {
  contract(realSubject, updating);
});
const describeSim = updating ? describe.skip : describe;
describeSim("the simulated API server", () => {
  contract(simSubject, false);
});
