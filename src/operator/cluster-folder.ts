import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../core/model/fault.ts";
import { parseClusterName, type ClusterName } from "../core/model/names.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

/** What happens to the clusters of a folder. */
export interface ClusterFolderEvents {
  /** A kubeconfig appeared, or its content changed. */
  onFile(name: ClusterName, path: string): Promise<void>;
  /** A kubeconfig is gone from a folder that could be read. */
  onGone(name: ClusterName): Promise<void>;
}

const POLL_MS = 2_000;
/** `clusters/aws`, `clusters/aws.yaml` and `clusters/aws.kubeconfig` all name the cluster `aws`. */
const EXTENSION = /\.(ya?ml|kubeconfig|conf)$/;

/**
 * Follows a folder of kubeconfigs, one file a cluster, until `signal` aborts.
 * It is read every 2 s rather than watched: a mounted Secret changes by swapping its `..data` link, which file events
 * tell of in ways that differ between systems. A folder that cannot be read changes nothing.
 */
export async function followClusterFolder(
  folder: string,
  events: ClusterFolderEvents,
  parts: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = parts;
  const known = new Map<ClusterName, string>();
  const told = new Set<string>();
  const tell = (problem: string): void => {
    if (!told.has(problem)) log.error("clusters folder has a problem", { error: problem });
    told.add(problem);
  };
  while (!signal.aborted) {
    const files = await readClusters(folder, tell);
    if (files !== undefined) {
      for (const [name, file] of files) {
        if (known.get(name) === file.digest) continue;
        known.set(name, file.digest);
        await events.onFile(name, file.path);
      }
      for (const name of known.keys()) {
        if (files.has(name)) continue;
        known.delete(name);
        await events.onGone(name);
      }
    }
    try {
      await sleep(clock, POLL_MS, signal);
    } catch {
      return;
    }
  }
}

/** A kubeconfig of the folder. */
export interface ClusterFile {
  readonly path: string;
  readonly digest: string;
}

/** The kubeconfigs in `folder` by cluster; undefined when it cannot be read whole, which says nothing of any cluster. */
export async function readClusters(
  folder: string,
  tell: (problem: string) => void,
): Promise<ReadonlyMap<ClusterName, ClusterFile> | undefined> {
  try {
    const entries = await readdir(folder);
    const files = new Map<ClusterName, ClusterFile>();
    for (const entry of entries.filter((each) => !each.startsWith(".")).toSorted()) {
      const name = parseClusterName(entry.replace(EXTENSION, ""));
      const path = join(folder, entry);
      if (name === undefined) {
        tell(`file ${JSON.stringify(entry)} does not name a cluster: expected a DNS-1123 label`);
      } else if (files.has(name)) {
        tell(`file ${JSON.stringify(entry)} names cluster ${name} a second time`);
      } else {
        const content = await readFile(path);
        files.set(name, { path, digest: createHash("sha256").update(content).digest("hex") });
      }
    }
    return files;
  } catch (error) {
    tell(errorText(error));
    return undefined;
  }
}
