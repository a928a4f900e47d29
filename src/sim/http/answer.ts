import type { IncomingMessage, ServerResponse } from "node:http";
import type { Cluster } from "../api/cluster.ts";
import { ApiError, expired, isApiError, methodNotAllowed } from "../api/errors.ts";
import type { User } from "../api/request.ts";
import { faultyPage, faultySink } from "../faults/content.ts";
import { FaultyReply } from "../faults/reply.ts";
import type { FaultAction, FaultTarget, Faults, Verb } from "../faults/rules.ts";
import { faultStatus } from "../faults/status.ts";
import { authenticate, authorize, authorizePath, type Tokens } from "./auth.ts";
import { sendPath } from "./documents.ts";
import { handleResource, isFlag } from "./handler.ts";
import { DirectReply } from "./reply.ts";
import { sendError } from "./respond.ts";
import { parseTarget, type Target } from "./target.ts";

/** What answering needs to know of its server. */
export interface Service {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly tokens: Tokens | undefined;
  /** Host and port, as discovery shows them. */
  readonly address: () => string;
}

/** The largest body that is read (API servers: 3 MiB). */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** Answers one request, through the faults that are in force. Never rejects. */
export async function answer(
  service: Service,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { cluster } = service;
  // The server's clock may be skewed, and tells so.
  response.setHeader("Date", new Date(cluster.now()).toUTCString());
  const direct = new DirectReply(response);
  const accept = incoming.headers.accept ?? "";
  try {
    const body = await readBody(incoming);
    const url = new URL(incoming.url ?? "/", "http://localhost");
    const target = parseTarget(url.pathname);
    const verb = verbOf(incoming.method ?? "GET", target, url.searchParams);
    const user = authenticate(incoming.headers.authorization, service.tokens);
    const actions = service.faults.actionsFor(faultTarget(target, verb, url, user));
    if (actions.some((action) => action.kind === "drop")) {
      direct.destroy();
      return;
    }
    await delays(cluster, actions);
    const reply = actions.length === 0 ? direct : new FaultyReply(direct, cluster.clock, actions);
    try {
      refuse(actions);
      if (target === undefined) {
        if (incoming.method !== "GET" && incoming.method !== "HEAD") throw methodNotAllowed();
        authorizePath(user, url.pathname);
        sendPath(cluster, url.pathname, accept, reply, service.address());
      } else {
        authorize(user, verb, target, target.namespace, target.name);
        handleResource(
          {
            cluster,
            incoming,
            body,
            query: url.searchParams,
            reply,
            changePage: (page) => faultyPage(page, actions),
            changeSink: (sink) => faultySink(sink, actions),
          },
          target,
        );
      }
    } catch (error) {
      if (response.headersSent) direct.destroy();
      else sendError(reply, asApiError(error), cluster, accept);
    }
  } catch (error) {
    if (response.headersSent) direct.destroy();
    else sendError(direct, asApiError(error), cluster, accept);
  }
}

/** Answers otherwise when a rule says so. Throws ApiError. */
function refuse(actions: readonly FaultAction[]): void {
  for (const action of actions) {
    if (action.kind === "status") throw faultStatus(action);
    if (action.kind === "expire" && action.as === "status")
      throw expired("too old resource version: by a rule of the simulation");
  }
}

async function delays(cluster: Cluster, actions: readonly FaultAction[]): Promise<void> {
  const ms = actions.reduce((sum, action) => sum + (action.kind === "delay" ? action.ms : 0), 0);
  if (ms > 0) await new Promise<void>((resolve) => void cluster.clock.after(ms, resolve));
}

function verbOf(method: string, target: Target | undefined, query: URLSearchParams): Verb {
  if (target === undefined) return "discover";
  const one = target.name !== "";
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return one ? "delete" : "deletecollection";
    default:
      if (isFlag(query, "watch")) return "watch";
      return one ? "get" : "list";
  }
}

function faultTarget(target: Target | undefined, verb: Verb, url: URL, user: User): FaultTarget {
  const group = target?.group ?? "";
  const resource = target?.resource ?? "";
  return {
    verb,
    resource: group === "" ? resource : `${resource}.${group}`,
    namespace: target?.namespace ?? "",
    name: target?.name ?? "",
    subresource: target?.subresource ?? "",
    url: url.pathname + url.search,
    user: user.name,
  };
}

function asApiError(error: unknown): ApiError {
  if (isApiError(error)) return error;
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
