import type { IncomingMessage } from "node:http";
import { isObject, metadataOf, objectAt, stringAt, type JsonObject } from "../json.ts";
import {
  UNSIMULATED_GROUPS,
  UNSIMULATED_RESOURCES,
  UNSIMULATED_SUBRESOURCES,
} from "../kinds/builtins.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Cluster } from "../api/cluster.ts";
import { fieldValidationOf, parseBody, readObject } from "../api/decode.ts";
import { deleteObject, deleteOptionsOf } from "../api/delete.ts";
import { badRequest, methodNotAllowed, noSuchResource, notSimulated } from "../api/errors.ts";
import { filterOf, listPage, listType, type Page } from "../api/list.ts";
import { patchRequest } from "../api/patch.ts";
import { fieldManagerOf, isDryRun, type ApiRequest, type ObjectAnswer } from "../api/request.ts";
import { startWatch, type WatchSink } from "../api/watch.ts";
import { createObject, mustGet, nameMismatch, updateObject } from "../api/write.ts";
import { negotiate } from "./negotiate.ts";
import type { Reply } from "./reply.ts";
import type { View } from "./encoding.ts";
import { sendList } from "./list-stream.ts";
import { includeOf, sendObject, sendText } from "./respond.ts";
import { watchContentType, watchSink } from "./watch-stream.ts";
import { withType } from "../table/table.ts";
import type { Target } from "./target.ts";

/** What faults may change of a list before it is sent. */
export type PageFilter = (page: Page) => Page;

/** What faults may change of a watch. */
export type SinkFilter = (sink: WatchSink) => WatchSink;

/** A request with its body, and how to answer it. */
export interface Exchange {
  readonly cluster: Cluster;
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly query: URLSearchParams;
  readonly reply: Reply;
  readonly changePage: PageFilter;
  readonly changeSink: SinkFilter;
}

/** Answers a request for a resource. Throws ApiError. */
export function handleResource(exchange: Exchange, target: Target): void {
  const kind = findKind(exchange.cluster, target);
  if (
    kind.structural !== undefined &&
    kind.namespaced &&
    target.namespace === "" &&
    target.name !== ""
  ) {
    sendText(exchange.reply, 404, "404 page not found\n");
    return;
  }
  const request = requestOf(exchange, kind, target);
  const isWatch = isFlag(exchange.query, "watch");
  const accept = exchange.incoming.headers.accept ?? "";
  const view: View = {
    cluster: exchange.cluster,
    kind,
    format: negotiate(accept, {
      protobuf: kind.protobuf,
      pretty: isFlag(exchange.query, "pretty") || isPerson(exchange),
      stream: isWatch,
    }),
    include: includeOf(exchange.query),
  };
  if (request.method === "GET" && target.name === "") {
    if (isWatch) watch(exchange, request, view);
    else {
      const page = listPage(exchange.cluster, kind, request.namespace, exchange.query);
      sendList(exchange.reply, view, exchange.changePage(page), wantsGzip(exchange.incoming));
    }
    return;
  }
  if (request.method === "GET" && isWatch) {
    exchange.query.set("fieldSelector", `metadata.name=${target.name}`);
    watch(exchange, request, view);
    return;
  }
  // Refused here: once the objects are gone there is no refusing.
  if (isDeleteAll(request) && view.format.encoding === "protobuf")
    throw notSimulated("the answer to a deletion of many as protobuf");
  const answer = answerTo(request);
  sendObject(exchange.reply, view, answer.status, answer.object, answer.warnings);
}

function findKind(cluster: Cluster, target: Target): Kind {
  const kind = cluster.registry.find(target.group, target.version, target.resource);
  if (kind === undefined) {
    if (UNSIMULATED_GROUPS.has(target.group)) throw notSimulated(`the API group ${target.group}`);
    const builtin = target.group === "" || target.group === "networking.k8s.io";
    if (builtin && UNSIMULATED_RESOURCES.has(target.resource))
      throw notSimulated(`the resource ${target.resource}`);
    throw noSuchResource();
  }
  const custom = kind.structural !== undefined;
  if (kind.namespaced && !custom && target.namespace === "" && target.name !== "")
    throw noSuchResource();
  if (!kind.namespaced && target.namespace !== "") throw noSuchResource();
  if (target.subresource !== "" && !kind.subresources.includes(target.subresource)) {
    const name = `${kind.resource}/${target.subresource}`;
    if (UNSIMULATED_SUBRESOURCES.has(name) || target.subresource === "scale")
      throw notSimulated(`the subresource ${name}`);
    throw noSuchResource();
  }
  return kind;
}

function requestOf(exchange: Exchange, kind: Kind, target: Target): ApiRequest {
  return {
    cluster: exchange.cluster,
    kind,
    method: exchange.incoming.method ?? "GET",
    namespace: target.namespace,
    name: target.name,
    subresource: target.subresource,
    query: exchange.query,
    contentType: exchange.incoming.headers["content-type"] ?? "",
    userAgent: exchange.incoming.headers["user-agent"] ?? "",
    body: exchange.body,
  };
}

function wantsGzip(incoming: IncomingMessage): boolean {
  return (incoming.headers["accept-encoding"] ?? "").includes("gzip");
}

/** Whether a query parameter is set, and not to false. */
export function isFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== "false" && text !== "0";
}

/** Browsers and curl are shown indented JSON. */
function isPerson(exchange: Exchange): boolean {
  const agent = exchange.incoming.headers["user-agent"] ?? "";
  return agent.startsWith("curl") || agent.startsWith("Wget") || agent.startsWith("Mozilla/5.0");
}

function watch(exchange: Exchange, request: ApiRequest, view: View): void {
  const { reply } = exchange;
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    reply.begin(200, {
      "Cache-Control": "no-cache, private",
      "Content-Type": watchContentType(view),
    });
  };
  const sink = exchange.changeSink(watchSink(reply, view));
  const stop = startWatch(request.cluster, request.kind, request.namespace, exchange.query, {
    send: (event) => {
      begin();
      return sink.send(event);
    },
    whenReady: (resume) => sink.whenReady(resume),
    end: () => {
      begin();
      sink.end();
    },
  });
  begin();
  reply.whenClosed(stop);
}

function answerTo(request: ApiRequest): ObjectAnswer {
  const { cluster, kind, name, namespace } = request;
  switch (request.method) {
    case "GET":
      return {
        status: 200,
        object: cluster.view(kind, mustGet(cluster, kind, namespace, name)),
        warnings: [],
      };
    case "POST":
      if (name !== "") throw methodNotAllowed();
      return create(request);
    case "PUT":
      if (name === "") throw methodNotAllowed();
      return update(request);
    case "PATCH":
      if (name === "") throw methodNotAllowed();
      return patchRequest(request);
    case "DELETE":
      if (request.subresource !== "") throw methodNotAllowed();
      return name === "" ? deleteAll(request) : deleteOne(request);
    default:
      throw methodNotAllowed();
  }
}

function create(request: ApiRequest): ObjectAnswer {
  const { cluster, kind } = request;
  const body = parseBody(cluster.schema, kind, request.contentType, request.body);
  const { object, warnings } = readObject(
    cluster.schema,
    kind,
    body,
    fieldValidationOf(request.query),
  );
  if (kind.namespaced && request.namespace === "") throw methodNotAllowed();
  const created = createObject(cluster, kind, request.namespace, object, {
    fieldManager: fieldManagerOf(request),
    dryRun: isDryRun(request),
    subresource: "",
  });
  return { status: 201, object: created, warnings };
}

function update(request: ApiRequest): ObjectAnswer {
  const { cluster, kind } = request;
  const body = parseBody(cluster.schema, kind, request.contentType, request.body);
  const { object, warnings } = readObject(
    cluster.schema,
    kind,
    body,
    fieldValidationOf(request.query),
  );
  const name = stringAt(metadataOf(object), "name");
  if (name !== request.name) {
    if (name === "") throw badRequest("name must be provided");
    throw nameMismatch(name, request.name);
  }
  const stored = mustGet(cluster, kind, request.namespace, request.name);
  if (request.subresource === "finalize") return finalize(request, object);
  const updated = updateObject(cluster, kind, stored, object, {
    fieldManager: fieldManagerOf(request),
    dryRun: isDryRun(request),
    subresource: request.subresource,
  });
  return { status: 200, object: updated.object, warnings };
}

/** Takes the finalizers of a namespace; one that is being deleted and has none left is gone. */
function finalize(request: ApiRequest, object: JsonObject): ObjectAnswer {
  const { cluster, kind } = request;
  const stored = mustGet(cluster, kind, "", request.name);
  const current = cluster.view(kind, stored);
  const spec = objectAt(object, "spec");
  current["spec"] = isObject(object["spec"]) ? spec : {};
  const next = cluster.put(kind, current);
  const metadata = metadataOf(current);
  const left = Array.isArray(spec["finalizers"]) ? spec["finalizers"].length : 0;
  if (metadata["deletionTimestamp"] !== undefined && left === 0) {
    const gone = cluster.remove(kind, next);
    return { status: 200, object: cluster.view(kind, gone), warnings: [] };
  }
  return { status: 200, object: cluster.view(kind, next), warnings: [] };
}

function deleteOne(request: ApiRequest): ObjectAnswer {
  const { cluster, kind } = request;
  const options = deleteOptionsOf(request);
  const stored = mustGet(cluster, kind, request.namespace, request.name);
  return deleteObject(cluster, kind, stored, options);
}

function isDeleteAll({ method, kind, name }: ApiRequest): boolean {
  return method === "DELETE" && name === "" && kind.verbs.includes("deletecollection");
}

function deleteAll(request: ApiRequest): ObjectAnswer {
  const { cluster, kind } = request;
  if (!kind.verbs.includes("deletecollection")) throw methodNotAllowed();
  const options = deleteOptionsOf(request);
  const filter = filterOf(kind, request.query);
  const items = cluster.store
    .collection(kind.storage)
    .now(request.namespace)
    .filter((stored) => filter === undefined || filter(stored));
  const before = { resourceVersion: String(cluster.store.revision) };
  const gone = items.map((stored) => {
    const object = cluster.view(kind, stored);
    deleteObject(cluster, kind, stored, options);
    return kind.structural === undefined ? object : withType(kind, object);
  });
  return {
    status: 200,
    object: { ...listType(kind), metadata: before, items: gone },
    warnings: [],
  };
}
