import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Cluster } from "../api/cluster.ts";
import {
  aggregated,
  AGGREGATED,
  coreVersions,
  groupList,
  isKubernetesGroup,
  oneGroup,
  paths,
  resourceList,
  versionInfo,
  wantsAggregated,
} from "../api/discovery.ts";
import { openApiDocument, openApiIndex, openApiV2 } from "../api/openapi.ts";
import { ApiError, isApiError, noSuchResource, notSimulated } from "../api/errors.ts";
import { handleResource } from "./handler.ts";
import { DirectReply, type Reply } from "./reply.ts";
import { sendDocument, sendError, sendText } from "./respond.ts";
import { parseTarget } from "./target.ts";

/** The largest body that is read (API servers: 3 MiB). */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** A running server. */
export interface ApiServer {
  readonly port: number;
  /** Ends every connection and the server; resolves when it is gone. */
  close(): Promise<void>;
}

/** Serves `cluster` on loopback. Port 0 takes a free one. */
export async function serve(
  cluster: Cluster,
  options: { readonly port: number },
): Promise<ApiServer> {
  const sockets = new Set<Socket>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(cluster, request, response, server);
  };
  const server: Server = createHttp({ keepAliveTimeout: 60_000 }, listener);
  void createHttps;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function answer(
  cluster: Cluster,
  request: IncomingMessage,
  response: ServerResponse,
  server: Server,
): Promise<void> {
  const reply = new DirectReply(response);
  try {
    const body = await readBody(request);
    route(cluster, request, body, reply, server);
  } catch (error) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const accept = request.headers.accept ?? "";
    sendError(reply, isApiError(error) ? error : internal(error), cluster, accept);
  }
}

function openApi(cluster: Cluster, parts: readonly string[], accept: string, reply: Reply): void {
  const { registry, schema } = cluster;
  const [version, root, group, name] = parts;
  const readable = accept === "" || accept.includes("json") || accept.includes("*/*");
  if (!readable) throw notSimulated(`OpenAPI as ${accept}`);
  if (version === "v2" && parts.length === 1) sendDocument(reply, openApiV2(registry, schema));
  else if (version === "v3" && parts.length === 1)
    sendDocument(reply, openApiIndex(registry, schema));
  else if (version === "v3") {
    const found =
      root === "api"
        ? openApiDocument(registry, schema, "", group ?? "")
        : openApiDocument(registry, schema, group ?? "", name ?? "");
    if (found === undefined) sendText(reply, 404, "404 page not found\n");
    else sendDocument(reply, found);
  } else sendText(reply, 404, "404 page not found\n");
}

function internal(error: unknown): ApiError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new ApiError(500, "InternalError", `Internal error occurred: ${text}`);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new ApiError(
        413,
        "RequestEntityTooLarge",
        `Request entity too large: limit is ${MAX_BODY_BYTES}`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function route(
  cluster: Cluster,
  incoming: IncomingMessage,
  body: Buffer,
  reply: Reply,
  server: Server,
): void {
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const target = parseTarget(url.pathname);
  if (target !== undefined) {
    handleResource(
      { cluster, incoming, body, query: url.searchParams, reply, changePage: (page) => page },
      target,
    );
    return;
  }
  if (incoming.method !== "GET" && incoming.method !== "HEAD")
    throw new ApiError(
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
      {},
    );
  document(cluster, url.pathname, incoming.headers.accept ?? "", reply, server);
}

function document(
  cluster: Cluster,
  path: string,
  accept: string,
  reply: Reply,
  server: Server,
): void {
  const { registry } = cluster;
  const parts = path.split("/").filter((part) => part !== "");
  const [first, second, third] = parts;
  const show = (value: ReturnType<typeof paths> | undefined): void => {
    if (value !== undefined) sendDocument(reply, value);
    else if (second !== undefined && isKubernetesGroup(second))
      throw notSimulated(`the API group ${second}`);
    else if (first === "apis" && parts.length <= 3) sendText(reply, 404, "404 page not found\n");
    else throw noSuchResource();
  };
  if (["healthz", "livez", "readyz"].includes(first ?? "")) {
    sendText(reply, 200, "ok");
  } else if (path === "/version") sendDocument(reply, versionInfo());
  else if (path === "/") sendDocument(reply, paths(registry));
  else if ((first === "api" || first === "apis") && parts.length === 1) {
    if (wantsAggregated(accept))
      sendDocument(reply, aggregated(registry, first === "api"), AGGREGATED, { Vary: "Accept" });
    else if (first === "api") {
      const { port } = server.address() as AddressInfo;
      show(coreVersions(`127.0.0.1:${port}`));
    } else show(groupList(registry));
  } else if (first === "api" && parts.length === 2) show(resourceList(registry, "", second ?? ""));
  else if (first === "apis" && parts.length === 2) show(oneGroup(registry, second ?? ""));
  else if (first === "apis" && parts.length === 3)
    show(resourceList(registry, second ?? "", third ?? ""));
  else if (first === "openapi") openApi(cluster, parts.slice(1), accept, reply);
  else sendText(reply, 404, "404 page not found\n");
}
