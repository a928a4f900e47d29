import {
  API_SERVICE,
  API_SERVICES_PATH,
  clusterInformationPath,
  decodeDatastoreReady,
  decodeMigration,
  decodeServedBy,
  MIGRATION_GROUP,
  migrationsPath,
  type Named,
} from "../calico/datastore.ts";
import { PLURAL } from "../calico/global-network-set.ts";
import { Fault, faultCode } from "../core/model/fault.ts";
import {
  chooseCollection,
  writeGate,
  type CalicoGroup,
  type CalicoGroupChoice,
  type Seen,
  type ServedBy,
  type ServedGroups,
  type WriteGate,
} from "../core/plan/calico-mode.ts";
import type { ApiClient } from "../kube/api-client.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { discoverResources, preferredVersion } from "../kube/discovery.ts";

/** What one look at the local API server showed. */
export interface CalicoDiscovery {
  readonly served: ServedGroups;
  /** The version of DatastoreMigrations; undefined when it does not serve them. */
  readonly migrationVersion: string | undefined;
  /** Why it is not known who serves `projectcalico.org/v3`; undefined when it is, or does not matter. */
  readonly unreadable: string | undefined;
}

const NOT_IMPLEMENTED = 501;

async function isServed(
  client: ApiClient,
  group: CalicoGroup,
  signal: AbortSignal,
): Promise<boolean> {
  const [name = "", version = ""] = group.split("/");
  const verbs = (await discoverResources(client, name, version, signal))?.get(PLURAL)?.verbs ?? [];
  return verbs.includes("create") && verbs.includes("update");
}

async function servedBy(
  client: ApiClient,
  signal: AbortSignal,
): Promise<{ by: ServedBy; unreadable: string | undefined }> {
  try {
    const path = `${API_SERVICES_PATH}/${API_SERVICE}`;
    const { body } = await client.request({ method: "GET", path, signal });
    return { by: decodeServedBy(body).value, unreadable: undefined };
  } catch (error) {
    const code = faultCode(error);
    // Served and not registered: the API server's own registration of CRDs is on its way.
    if (code === "not-found") return { by: "crd", unreadable: undefined };
    // A server without aggregation says 501: it does not know of such things.
    if (code !== "forbidden" && (error as Fault).status !== NOT_IMPLEMENTED) throw error;
    return { by: "unknown", unreadable: (error as Error).message };
  }
}

/**
 * Looks where GlobalNetworkSets are served, and by whom; a choice other than `auto` is all that is looked for.
 * Rejects with a Fault when the server does not say: nothing is known then.
 */
export async function discoverCalico(
  client: ApiClient,
  choice: CalicoGroupChoice,
  signal: AbortSignal,
): Promise<CalicoDiscovery> {
  const asked = async (group: CalicoGroup): Promise<boolean> =>
    (choice === "auto" || choice === group) && isServed(client, group, signal);
  const [hasV3, v1, migrationVersion] = await Promise.all([
    asked("projectcalico.org/v3"),
    asked("crd.projectcalico.org/v1"),
    preferredVersion(client, MIGRATION_GROUP, signal),
  ]);
  if (!hasV3) return { served: { v3: undefined, v1 }, migrationVersion, unreadable: undefined };
  const { by, unreadable } = await servedBy(client, signal);
  return { served: { v3: by, v1 }, migrationVersion, unreadable };
}

/** Where sets are kept, and whether they may be written, at one moment. */
export interface CalicoLook {
  readonly group: CalicoGroup;
  readonly gate: WriteGate;
}

const PAGE = 500;

async function listSeen<T>(
  client: ApiClient,
  path: string,
  decode: (object: unknown) => Named<T>,
  signal: AbortSignal,
): Promise<Seen<readonly Named<T>[]>> {
  const value: Named<T>[] = [];
  const source = jsonListWatch(client, { path, decode });
  try {
    await source.list({
      resourceVersion: "",
      continueToken: "",
      limit: PAGE,
      signal,
      onBytes: () => {},
      onItem: (item) => value.push(item),
    });
    return { kind: "known", value };
  } catch (error) {
    const code = faultCode(error);
    if (code === "not-found") return { kind: "absent" };
    if (code !== "forbidden") throw error;
    return { kind: "forbidden", why: (error as Error).message };
  }
}

/**
 * One look, for a program that does not stay. Decides as LocalCalico does. Rejects with a Fault when the server does not
 * answer, and with code `not-found` when no group serves sets.
 */
export async function lookForCalico(
  client: ApiClient,
  choice: CalicoGroupChoice,
  signal: AbortSignal,
): Promise<CalicoLook> {
  const { served, migrationVersion: version } = await discoverCalico(client, choice, signal);
  const listed =
    version === undefined
      ? ({ kind: "absent" } as const)
      : await listSeen(client, migrationsPath(version), decodeMigration, signal);
  const migrations =
    listed.kind === "known"
      ? { kind: listed.kind, value: listed.value.map(({ value }) => value) }
      : listed;
  const chosen = chooseCollection(choice, served, migrations);
  if (chosen.kind !== "use") throw new Fault("not-found", `look for Calico: ${chosen.why}`);
  const { group } = chosen;
  const path = clusterInformationPath(group);
  const information = await listSeen(client, path, decodeDatastoreReady, signal);
  const ready =
    information.kind === "known"
      ? {
          kind: information.kind,
          value: information.value.find(({ name }) => name === "default")?.value,
        }
      : information;
  return { group, gate: writeGate(ready, migrations) };
}
