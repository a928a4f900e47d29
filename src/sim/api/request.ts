import type { JsonObject } from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Cluster } from "./cluster.ts";
import { invalid } from "./errors.ts";

/** Who asks, as authentication found out. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/** A request for a resource, understood. */
export interface ApiRequest {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly method: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly userAgent: string;
  /** The body as it came; empty when there is none. */
  readonly body: Buffer;
}

/** An answer that is one object. */
export interface ObjectAnswer {
  readonly status: number;
  readonly object: JsonObject;
  /** Warnings for the client (RFC 7234 Warning headers). */
  readonly warnings: readonly string[];
}

/** The name that managedFields get: the parameter `fieldManager`, else the client's program. */
export function fieldManagerOf(request: ApiRequest): string {
  const named = request.query.get("fieldManager");
  if (named !== null && named !== "") return named;
  return request.userAgent.split("/")[0]?.slice(0, 128) ?? "unknown";
}

/** Whether the request asks for a dry run. Throws 422 for a dry run of an unknown kind. */
export function isDryRun(request: ApiRequest): boolean {
  const values = request.query.getAll("dryRun");
  if (values.some((value) => value !== "All"))
    throw invalid("meta.k8s.io", OPTIONS[request.method] ?? "PatchOptions", "", [
      {
        reason: "FieldValueNotSupported",
        message: `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`,
        field: "dryRun",
      },
    ]);
  return values.length > 0;
}

const OPTIONS: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
  DELETE: "DeleteOptions",
};
