/** Parameters of a request; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

/** Which objects of a collection. */
export interface Selectors {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** The parameters of a list: `limit` undefined asks for all of it in one answer. See `ListWatch.list` for the rest. */
export function listQuery(
  { labelSelector, fieldSelector }: Selectors,
  page: { readonly resourceVersion: string; readonly continueToken: string },
  limit: string | undefined,
): Query {
  const { resourceVersion, continueToken } = page;
  // A continue token holds the version; the API refuses both together.
  const version = continueToken === "" && resourceVersion !== "" ? resourceVersion : undefined;
  return {
    labelSelector,
    fieldSelector,
    limit,
    continue: continueToken === "" ? undefined : continueToken,
    resourceVersion: version,
    resourceVersionMatch: version === undefined ? undefined : "NotOlderThan",
  };
}

/** The parameters of a watch with bookmarks. */
export function watchQuery(
  { labelSelector, fieldSelector }: Selectors,
  from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
): Query {
  return {
    labelSelector,
    fieldSelector,
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: from.resourceVersion,
    timeoutSeconds: String(from.timeoutSeconds),
  };
}
