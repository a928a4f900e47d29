import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";
import { encode } from "../../test/support/kube-protobuf.ts";
import { podInJson, podInProtobuf } from "./pods.ts";

/*
 * Serves prebuilt pods as an API server would: lists whole or by pages, and watches in which nothing happens.
 * Arguments: "protobuf" or "json", which is all that it then speaks, and how many pods. Prints its URL.
 */
const [format = "protobuf", count = "10000"] = process.argv.slice(2);
const total = Number(count);
/** Pods of one buffer, and what a page is a multiple of. */
const BLOCK = 500;
const isProtobuf = format === "protobuf";

const blocks: Buffer[] = [];
for (let first = 0; first < total; first += BLOCK) {
  const length = Math.min(BLOCK, total - first);
  const pods = Array.from({ length }, (_, n) =>
    isProtobuf ? asItem(podInProtobuf(first + n)) : podInJson(first + n),
  );
  blocks.push(isProtobuf ? Buffer.concat(pods) : Buffer.from(pods.join(",")));
}

function asItem(pod: Buffer): Buffer {
  return Buffer.from(protobuf.Writer.create().uint32(18).bytes(pod).finish());
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "", "http://server");
  const parameter = (name: string): string => url.searchParams.get(name) ?? "";
  if (parameter("sendInitialEvents") !== "") {
    // As a server without WatchList does, upon which client-go lists.
    const status = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      reason: "Invalid",
      code: 422,
    };
    response.writeHead(422, { "content-type": "application/json" });
    response.end(JSON.stringify(status));
  } else if (parameter("watch") !== "") {
    const type = isProtobuf
      ? "application/vnd.kubernetes.protobuf;stream=watch"
      : "application/json";
    response.writeHead(200, { "content-type": type });
    response.flushHeaders();
  } else {
    const from = Number(parameter("continue") || 0);
    const limit = Number(parameter("limit") || total);
    const to = Math.min(total, from + Math.max(BLOCK, Math.floor(limit / BLOCK) * BLOCK));
    page(response, blocks.slice(from / BLOCK, Math.ceil(to / BLOCK)), to < total ? String(to) : "");
  }
});

function page(response: ServerResponse, items: readonly Buffer[], token: string): void {
  const metadata = { resourceVersion: "5", continue: token };
  if (!isProtobuf) {
    response.writeHead(200, { "content-type": "application/json" });
    const head = { kind: "PodList", apiVersion: "v1", metadata };
    response.write(`${JSON.stringify(head).slice(0, -1)},"items":[`);
    send(
      response,
      items.flatMap((block, n) => (n === 0 ? [block] : [Buffer.from(","), block])),
      "]}",
    );
    return;
  }
  const head = encode("PodList", { metadata });
  const length = items.reduce((sum, block) => sum + block.length, head.length);
  const type = encode("Unknown", { typeMeta: { apiVersion: "v1", kind: "PodList" } });
  const raw = protobuf.Writer.create().uint32(18).uint32(length).finish();
  response.writeHead(200, { "content-type": "application/vnd.kubernetes.protobuf" });
  send(response, [Buffer.concat([Buffer.from("k8s\0"), type, raw, head]), ...items], "");
}

/** Writes one after the other, no faster than they are taken. */
function send(response: ServerResponse, buffers: readonly Buffer[], end: string): void {
  const [next, ...rest] = buffers;
  if (next === undefined) response.end(end);
  else response.write(next, () => send(response, rest, end));
}

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
