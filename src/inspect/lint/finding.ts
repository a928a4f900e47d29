import type { FieldPath } from "../../core/policy/fields.ts";
import type { Manifest } from "../manifest.ts";

/** How bad a finding is. An error means that something does not do what it says. */
export type Level = "error" | "warning" | "info";

/** A finding's code. */
export type Code =
  | "WL001"
  | "WL002"
  | "WL003"
  | "WL004"
  | "WL005"
  | "WL006"
  | "WL007"
  | "WL008"
  | "WL009"
  | "WL010"
  | "WL011"
  | "WL012"
  | "WL013"
  | "WL014"
  | "WL015"
  | "WL016"
  | "WL017"
  | "WL018"
  | "WL019"
  | "WL020"
  | "WL021"
  | "WL022"
  | "WL023"
  | "WL024";

/** Every finding's code with its level, unless the finding itself lowers it, and a title for docs. */
export const CODES: Readonly<Record<Code, { readonly level: Level; readonly title: string }>> = {
  WL001: { level: "error", title: "Calico selector names a label that no managed set carries" },
  WL002: { level: "error", title: "Cluster label key is a draft spelling" },
  WL003: { level: "error", title: "Namespaced Calico rule selects a global set without global()" },
  WL004: { level: "warning", title: "ipBlock is the address of a remote pod" },
  WL005: { level: "info", title: "Selector names no cluster" },
  WL006: { level: "error", title: "Unknown cluster name" },
  WL007: { level: "warning", title: "Set or selector currently matches nothing" },
  WL008: { level: "warning", title: "ipBlock holds a whole remote pod range or a node address" },
  WL009: { level: "info", title: "policyTypes is absent" },
  WL010: { level: "error", title: "Pod ranges of two clusters overlap" },
  WL011: {
    level: "error",
    title: "MultiNetworkPolicy applies to no network, or cannot select on it",
  },
  WL012: { level: "error", title: "Removed API version" },
  WL013: { level: "warning", title: "hostNetwork pod asks to be in a set" },
  WL014: { level: "warning", title: "ServiceExport in default or kube-system" },
  WL015: { level: "error", title: "Source addresses are rewritten between clusters" },
  WL016: { level: "error", title: "Namespace carries the label of another cluster" },
  WL017: { level: "info", title: "Cluster label where it selects no peer" },
  WL018: { level: "error", title: "The API server or kubectl refuses the policy" },
  WL019: { level: "error", title: "File or object cannot be read" },
  WL020: { level: "warning", title: "Negative cluster term opens up on other engines" },
  WL021: { level: "info", title: "Cluster term matches nothing on other engines" },
  WL022: { level: "warning", title: "Cluster terms select nothing" },
  WL023: { level: "warning", title: "Range is spelt in a way that newer API servers refuse" },
  WL024: { level: "info", title: "Meaning depends on the default cluster scope" },
};

/** One finding, at a place. */
export interface Finding {
  readonly code: Code;
  readonly level: Level;
  readonly file: string;
  /** From 1; null for an object of a live cluster. */
  readonly line: number | null;
  /** `NetworkPolicy shop/allow-web` of the object, or "" for a whole file. */
  readonly object: string;
  readonly message: string;
  /** The page that explains it. */
  readonly docs: string;
}

/** The page of a code, relative to the repository. */
export function docsPage(code: Code): string {
  return `docs/lint/${code}.md`;
}

/** `Kind namespace/name` of an object. */
export function objectName({ object }: Manifest): string {
  const kind = typeof object["kind"] === "string" ? object["kind"] : "object";
  const metadata = object["metadata"] as { name?: unknown; namespace?: unknown } | null | undefined;
  const name = typeof metadata?.name === "string" ? metadata.name : "";
  const namespace = typeof metadata?.namespace === "string" ? `${metadata.namespace}/` : "";
  return `${kind} ${namespace}${name}`;
}

/** A finding about a field of an object. */
export function finding(
  code: Code,
  manifest: Manifest,
  path: FieldPath,
  message: string,
  level: Level = CODES[code].level,
): Finding {
  const line = manifest.lineOf(path);
  return {
    code,
    level,
    file: manifest.file,
    line: line === 0 ? null : line,
    object: objectName(manifest),
    message,
    docs: docsPage(code),
  };
}
