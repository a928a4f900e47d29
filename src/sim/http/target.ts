/** What a path of the API names. */
export interface Target {
  /** The API group; "" for core. */
  readonly group: string;
  readonly version: string;
  /** "" for cluster-scoped requests and for all namespaces. */
  readonly namespace: string;
  readonly resource: string;
  /** "" for a collection. */
  readonly name: string;
  /** "" for the object itself. */
  readonly subresource: string;
}

/** The resource that `path` names, or undefined when it names none (discovery, health, nonsense). */
export function parseTarget(path: string): Target | undefined {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decode);
  let group = "";
  let rest: string[];
  if (parts[0] === "api") rest = parts.slice(1);
  else if (parts[0] === "apis") {
    group = parts[1] ?? "";
    rest = parts.slice(2);
  } else return undefined;
  const version = rest[0] ?? "";
  rest = rest.slice(1);
  if (version === "" || rest.length === 0) return undefined;
  if (rest[0] === "namespaces" && rest.length > 2 && !isNamespaceSubresource(rest))
    return target(group, version, rest[1] as string, rest.slice(2));
  return target(group, version, "", rest);
}

function isNamespaceSubresource(rest: readonly string[]): boolean {
  return rest.length === 3 && (rest[2] === "status" || rest[2] === "finalize");
}

function target(
  group: string,
  version: string,
  namespace: string,
  rest: readonly string[],
): Target | undefined {
  if (rest.length > 3) return undefined;
  return {
    group,
    version,
    namespace,
    resource: rest[0] as string,
    name: rest[1] ?? "",
    subresource: rest[2] ?? "",
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
