import { objectAt, scalarText, stringAt, type Json, type JsonObject } from "../json.ts";
import { pathValues } from "../table/custom.ts";
import { orderKey, type Collection } from "../store/collection.ts";
import type { Stored } from "../store/stored.ts";
import { apiVersionOf, type Kind } from "../kinds/kind.ts";
import type { Cluster } from "./cluster.ts";
import { ApiError, badRequest, expired, invalid } from "./errors.ts";
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts";

/** Whether a stored object is wanted. */
export type Filter = (stored: Stored) => boolean;

/** A page of a list. */
export interface Page {
  readonly items: readonly Stored[];
  readonly metadata: JsonObject;
}

const INCONSISTENT =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** What `labelSelector`, `fieldSelector` and a name ask for; undefined when everything is wanted. */
export function filterOf(kind: Kind, query: URLSearchParams): Filter | undefined {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const supported = new Set([...kind.fields, "metadata.name"]);
  if (kind.namespaced) supported.add("metadata.namespace");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "", supported);
  if (labels === undefined && fields === undefined) return undefined;
  return (stored) =>
    (labels === undefined || labels(stored.labels)) &&
    (fields === undefined || fields(fieldsOf(kind, stored)));
}

/** The values that field selectors of `kind` can see. */
function fieldsOf(kind: Kind, stored: Stored): Record<string, string> {
  const out: Record<string, string> = {
    "metadata.name": stored.name,
    "metadata.namespace": stored.namespace,
  };
  if (kind.fields.length === 0) return out;
  const own = stored.object();
  const object = kind.fromStorage === undefined ? own : kind.fromStorage(own);
  for (const field of kind.fields) {
    if (field === "status.podIPs") {
      out[field] = stringAt(objectAt(object, "status"), "podIP");
    } else if (field === "source" || field === "reportingController") {
      out[field] = stringAt(objectAt(own, "source"), "component");
    } else {
      const value: Json | undefined = pathValues(object, `.${field}`)[0];
      out[field] = value === undefined ? absent(field) : scalarText(value);
    }
  }
  return out;
}

function absent(field: string): string {
  return field === "spec.hostNetwork" || field === "spec.unschedulable" ? "false" : "";
}

/** Reads `resourceVersion`; undefined when it is missing or "". Throws 400 when it is no number. */
export function revisionOf(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  return Number(text);
}

/** 504: the client knows a newer version than the server. */
export function tooLarge(wanted: number, current: number): ApiError {
  return new ApiError(
    504,
    "Timeout",
    `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    { "Retry-After": "1" },
  );
}

/** 422 about one list parameter. */
export function badOption(field: string, message: string): ApiError {
  return invalid("meta.k8s.io", "ListOptions", "", [
    { reason: "FieldValueForbidden", message: `Forbidden: ${message}`, field },
  ]);
}

/** Serves a list: filtered, paged and at the version that was asked for. */
export function listPage(
  cluster: Cluster,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
): Page {
  const filter = filterOf(kind, query);
  const limitText = query.get("limit") ?? "";
  if (limitText !== "" && !/^-?\d+$/.test(limitText))
    throw badRequest(`strconv.ParseInt: parsing "${limitText}": invalid syntax`);
  // A list "at any version" comes from the watch cache, which does not page.
  const limit =
    query.get("resourceVersion") === "0" && (query.get("continue") ?? "") === ""
      ? 0
      : Number(limitText);
  const collection = cluster.store.collection(kind.storage);
  checkMatch(query);
  const start = startOf(cluster, collection, query);
  const all =
    start.revision === cluster.store.revision && limit === 0
      ? collection.now(namespace)
      : collection.at(start.revision, namespace);
  const items: Stored[] = [];
  let index = start.after === "" ? 0 : firstAfter(all, start.after);
  const most = limit > 0 ? limit : Infinity;
  for (; index < all.length; index++) {
    if (items.length >= most) break;
    const stored = all[index] as Stored;
    if (filter === undefined || filter(stored)) items.push(stored);
  }
  const metadata: JsonObject = { resourceVersion: String(start.revision) };
  if (index < all.length) {
    metadata["continue"] = encodeContinue(start.revision, orderKey(items.at(-1) as Stored));
    if (filter === undefined) metadata["remainingItemCount"] = all.length - index;
  }
  return { items, metadata };
}

/** The type of a list of `kind`, as `kind` and `apiVersion` show it. */
export function listType(kind: Kind): JsonObject {
  return { kind: kind.listKind, apiVersion: apiVersionOf(kind) };
}

function checkMatch(query: URLSearchParams): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const watchesInitial = query.get("sendInitialEvents") !== null;
  if (watchesInitial)
    throw badOption("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (match === "") return;
  if ((query.get("continue") ?? "") !== "")
    throw badOption(
      "resourceVersionMatch",
      "resourceVersionMatch is forbidden when continue is provided",
    );
  if (version === "")
    throw badOption(
      "resourceVersionMatch",
      "resourceVersionMatch is forbidden unless resourceVersion is provided",
    );
  if (match !== "Exact" && match !== "NotOlderThan")
    throw invalid("meta.k8s.io", "ListOptions", "", [
      {
        reason: "FieldValueNotSupported",
        message: `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
        field: "resourceVersionMatch",
      },
    ]);
  if (match === "Exact" && version === "0")
    throw badOption(
      "resourceVersionMatch",
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    );
}

function startOf(
  cluster: Cluster,
  collection: Collection,
  query: URLSearchParams,
): { readonly revision: number; readonly after: string } {
  const current = cluster.store.revision;
  const token = query.get("continue") ?? "";
  const wanted = revisionOf(query.get("resourceVersion"));
  if (token !== "") {
    if (wanted !== undefined && wanted !== 0)
      throw badRequest("specifying resource version is not allowed when using continue");
    const { revision, after } = decodeContinue(token);
    if (revision < 0) return { revision: current, after };
    if (revision < collection.compacted)
      throw new ApiError(
        410,
        "Expired",
        INCONSISTENT,
        undefined,
        {},
        { continue: encodeContinue(-1, after) },
      );
    return { revision, after };
  }
  if (wanted === undefined || wanted === 0) return { revision: current, after: "" };
  if (wanted > current) throw tooLarge(wanted, current);
  const exact = query.get("resourceVersionMatch") === "Exact";
  const legacyExact =
    query.get("resourceVersionMatch") === null && Number(query.get("limit") ?? "0") > 0;
  if (!exact && !legacyExact) return { revision: current, after: "" };
  if (wanted < collection.compacted)
    throw expired("The resourceVersion for the provided list is too old.");
  return { revision: wanted, after: "" };
}

function firstAfter(all: readonly Stored[], key: string): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (orderKey(all[middle] as Stored) > key) high = middle;
    else low = middle + 1;
  }
  return low;
}

function encodeContinue(revision: number, after: string): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: after })).toString(
    "base64url",
  );
}

function decodeContinue(token: string): { readonly revision: number; readonly after: string } {
  const refuse = (why: string): ApiError =>
    badRequest(`invalid continue token: continue key is not valid: ${why}`);
  let parsed: unknown;
  const text = Buffer.from(token, "base64url").toString();
  try {
    parsed = JSON.parse(text);
  } catch {
    throw refuse(`invalid character ${quote(text[0] ?? "")} looking for beginning of value`);
  }
  const { rv, start } = (parsed ?? {}) as { rv?: unknown; start?: unknown };
  if (typeof rv !== "number" || typeof start !== "string")
    throw refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  return { revision: rv, after: start };
}

function quote(character: string): string {
  return `'${character}'`;
}
