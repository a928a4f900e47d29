import { Fault } from "../core/model/fault.ts";
import { collect, type ClusterObjects } from "./collect.ts";
import { readManifests, type Manifests } from "./manifest.ts";
import { readOffline, usage, type ReadHooks, type Snapshot, type SourceOptions } from "./source.ts";

/** A world before and after a change of policies. */
export interface Change {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

function withChange(
  snapshot: Snapshot,
  changed: ClusterObjects,
  problems: Manifests["problems"],
): Snapshot {
  const [local, ...remotes] = snapshot.clusters;
  if (local === undefined) throw new Fault("malformed", "there is no local cluster");
  const policies = new Map([...local.policies, ...changed.policies]);
  return {
    ...snapshot,
    clusters: [{ ...local, policies }, ...remotes],
    problems: [...snapshot.problems, ...problems],
  };
}

function holdsPods({ manifests }: Manifests): boolean {
  return manifests.some(({ object }) => object["kind"] === "Pod" && object["apiVersion"] === "v1");
}

/**
 * Reads what `diff` compares. The policies to come are in the last `-f`. What is there now is, in this order:
 * the files of `--base`; the other `-f` files; the rest of that one file, without its policies, when it holds pods;
 * the live cluster, through `readLive`. @throws Fault `bad-request`, `not-found` or `malformed`.
 */
export async function readChange(
  options: SourceOptions & { readonly base?: readonly string[] },
  hooks: ReadHooks,
  readLive: () => Promise<Snapshot>,
): Promise<Change> {
  const files = options.filename ?? [];
  const last = files.at(-1);
  if (last === undefined) throw usage("diff needs -f FILE with the policies to come");
  const base = [...(options.base ?? []), ...files.slice(0, -1)];
  const coming = await readManifests([last], hooks.stdin, hooks.onProgress);
  if (base.length > 0) {
    const before = await readOffline({ ...options, filename: base }, hooks);
    const changed = collect(coming.manifests, { name: before.options.localName });
    return { before, after: withChange(before, changed, coming.problems) };
  }
  const before = holdsPods(coming)
    ? await readOffline({ ...options, filename: [] }, hooks)
    : await readLive();
  const changed = collect(coming.manifests, { name: before.options.localName });
  if (!holdsPods(coming)) return { before, after: withChange(before, changed, coming.problems) };
  const [, ...remotes] = before.clusters;
  const full = { ...before, clusters: [changed, ...remotes], problems: coming.problems };
  const bare = { ...changed, policies: new Map() };
  return { before: { ...full, clusters: [bare, ...remotes] }, after: full };
}
