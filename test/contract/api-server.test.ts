import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { stringAt, type JsonObject } from "../../src/sim/json.ts";
import { unwrap } from "../../src/sim/protobuf/decode.ts";
import { ProtobufEncoder } from "../../src/sim/protobuf/encode.ts";
import { watchFrame, wrap } from "../../src/sim/protobuf/envelope.ts";
import { builtinSchema } from "../../src/sim/schema/builtin.ts";
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

const JSON_TYPE = "application/json";
const PROTOBUF = "application/vnd.kubernetes.protobuf";

/** Objects that use what is particular in protobuf. May be called again. */
async function makeProtobufObjects(subject: Subject): Promise<void> {
  const manifests = await readFile(join(import.meta.dirname, "protobuf-objects.yaml"), "utf8");
  for (const document of parseAllDocuments(manifests)) {
    const [path, object] = document.toJS() as [string, object];
    const headers = { accept: JSON_TYPE, "content-type": JSON_TYPE };
    await subject.send("POST", path, headers, JSON.stringify(object));
  }
}

function contract(start: () => Promise<Subject>, record: boolean): void {
  let subject: Subject;
  beforeAll(async () => {
    subject = await start();
  });
  afterAll(async () => {
    await subject.stop();
  });
  test("an expired version is told by an ERROR event, an expired page by status 410", async () => {
    const maps = "/api/v1/namespaces/default/configmaps";
    const json = { accept: "application/json", "content-type": "application/json" };
    const make = async (name: string): Promise<string> => {
      const body = JSON.stringify({ metadata: { name, labels: { expiry: "test" } } });
      const { status } = await subject.send("POST", maps, json, body);
      return String(status);
    };
    for (const name of ["expiry-1", "expiry-2", "expiry-3"]) await make(name);
    const page = await subject.send("GET", `${maps}?limit=1&labelSelector=expiry`, json, "");
    const { metadata } = JSON.parse(page.body.toString()) as {
      metadata: { resourceVersion: string; continue: string };
    };
    await make("expiry-4");
    await subject.expire();
    const watched = await subject.send(
      "GET",
      `${maps}?watch=1&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=2`,
      json,
      "",
    );
    expect(watched.status).toBe(200);
    expect(JSON.parse(watched.body.toString())).toMatchObject({
      type: "ERROR",
      object: { kind: "Status", code: 410, reason: "Expired" },
    });
    const next = await subject.send(
      "GET",
      `${maps}?limit=1&continue=${metadata.continue}`,
      json,
      "",
    );
    expect(next.status).toBe(410);
    const refused = JSON.parse(next.body.toString()) as {
      reason: string;
      message: string;
      metadata: { continue: string };
    };
    expect(refused.reason).toBe("Expired");
    expect(refused.message).toMatch(
      /^The provided continue parameter is too old .* inconsistent list/,
    );
    // The token in the refusal goes on with the present state.
    const rest = await subject.send(
      "GET",
      `${maps}?continue=${refused.metadata.continue}`,
      json,
      "",
    );
    const items = JSON.parse(rest.body.toString()) as { items: { metadata: { name: string } }[] };
    expect(items.items.map((item) => item.metadata.name)).toEqual(
      expect.arrayContaining(["expiry-2", "expiry-3", "expiry-4"]),
    );
  });
  test.each([
    ["Namespace", "/api/v1/namespaces/default"],
    ["Pod", "/api/v1/namespaces/proto/pods/web"],
    ["Service", "/api/v1/namespaces/proto/services/svc"],
    ["Node", "/api/v1/nodes/proto-node"],
    ["Secret", "/api/v1/namespaces/proto/secrets/s"],
    ["ConfigMap", "/api/v1/namespaces/proto/configmaps/cm"],
    ["ServiceAccount", "/api/v1/namespaces/proto/serviceaccounts/sa"],
    ["EndpointSlice", "/apis/discovery.k8s.io/v1/namespaces/proto/endpointslices/es"],
    ["NetworkPolicy", "/apis/networking.k8s.io/v1/namespaces/proto/networkpolicies/np"],
    ["Lease", "/apis/coordination.k8s.io/v1/namespaces/proto/leases/l"],
    ["Event", "/api/v1/namespaces/proto/events/e"],
  ])("%s as protobuf says what JSON says: get, list and watch", async (kind, path) => {
    await makeProtobufObjects(subject);
    const schema = builtinSchema();
    const encoder = new ProtobufEncoder(schema);
    const plain = JSON.parse((await get(path, JSON_TYPE)).toString()) as JsonObject;
    const type = { apiVersion: stringAt(plain, "apiVersion"), kind };
    const { apiVersion: _apiVersion, kind: _kind, ...object } = plain;
    const expected = wrap(type, encoder.encode(kind, object));
    expect((await get(path, PROTOBUF)).equals(expected)).toBe(true);

    const collection = path.slice(0, path.lastIndexOf("/"));
    const one = `fieldSelector=metadata.name%3D${path.slice(path.lastIndexOf("/") + 1)}`;
    const list = unwrap(await get(`${collection}?${one}`, PROTOBUF));
    expect(list.type).toEqual({ ...type, kind: `${kind}List` });
    expect(list.raw.includes(encoder.encode(kind, object))).toBe(true);

    const frames = await get(
      `${collection}?watch=1&resourceVersion=0&timeoutSeconds=1&${one}`,
      `${PROTOBUF};stream=watch`,
    );
    expect(frames.equals(watchFrame("ADDED", expected))).toBe(true);
  });
  const get = async (path: string, accept: string): Promise<Buffer> =>
    (await subject.send("GET", path, { accept }, "")).body;

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
