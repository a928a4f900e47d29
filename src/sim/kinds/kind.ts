import type { JsonObject } from "../json.ts";
import type { Structural } from "../schema/structural.ts";

/** A column of Table output (meta/v1 TableColumnDefinition). */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

/** A cell of Table output. */
export type Cell = string | number | boolean | null;

/** How a kind is shown as a Table. `nowMs` is for ages. */
export interface Printer {
  readonly columns: readonly Column[];
  readonly cells: (object: JsonObject, nowMs: number) => Cell[];
}

/** One served version of one kind of object. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  /** The resource name: `pods`. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Subresources that are views of the object itself: `status`. */
  readonly subresources: readonly string[];
  /** Whether `metadata.generation` counts changes of the spec. */
  readonly countsGenerations: boolean;
  /** The collection that holds the objects; several kinds may share one. */
  readonly storage: string;
  /** The message type of a built-in kind. */
  readonly message: string | undefined;
  /** The schema of a kind that a CustomResourceDefinition defines. */
  readonly structural: Structural | undefined;
  /** Whether it has a protobuf form. */
  readonly protobuf: boolean;
  /** What a field selector may name, besides `metadata.name` and `metadata.namespace`. */
  readonly fields: readonly string[];
  readonly printer: Printer;
  /** From what is stored to what this version shows, when they differ. */
  readonly fromStorage?: (object: JsonObject) => JsonObject;
  /** From what this version shows to what is stored, when they differ. */
  readonly toStorage?: (object: JsonObject) => JsonObject;
  /** The grace period of a delete that names none; 0 deletes at once. */
  readonly gracePeriodSeconds: (object: JsonObject) => number;
}

/** The group and version as `apiVersion` shows them. */
export function apiVersionOf(kind: { readonly group: string; readonly version: string }): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** Verbs of a resource that can do everything. */
export const ALL_VERBS: readonly string[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];
