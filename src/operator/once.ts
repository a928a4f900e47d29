import { createHash } from "node:crypto";
import { RELEASED_ANNOTATIONS } from "../core/membership/claim.ts";
import { ClusterPods } from "../core/membership/cluster-pods.ts";
import { Holdings } from "../core/membership/holdings.ts";
import { Membership } from "../core/membership/membership.ts";
import { labelProfile, type LabelProfile } from "../core/membership/profile.ts";
import { Fault, errorText } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { PodRecord } from "../core/model/pod.ts";
import { loadCluster, type ClusterAccess } from "../kube/access.ts";
import { ApiClient } from "../kube/api-client.ts";
import { asObject, asText } from "../kube/json.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { podFromJson } from "../kube/pod.ts";
import type { Clock } from "../runtime/clock.ts";
import { ActualSets } from "./actual-sets.ts";
import { lookForCalico } from "./calico-discovery.ts";
import { readClusters } from "./cluster-folder.ts";
import { openClusters, type Clusters } from "./clusters.ts";
import { Fences } from "./fences.ts";
import { listOnce } from "./list-once.ts";
import { localSets } from "./local-cluster.ts";
import { readLocalRanges } from "./local-ranges.ts";
import type { OperatorConfig } from "./options.ts";
import { ownerOf } from "./run.ts";
import { SetPlans } from "./set-plans.ts";
import { Views, type RemoteFacts } from "./views.ts";
import { WriteLog } from "./write-log.ts";

/** What reading the clusters once takes from the process that asks. */
export interface OnceContext {
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told what could not be read and is left open. */
  readonly warn: (message: string) => void;
}

/** How things stand in the clusters, and which of them could not be read. */
export interface OnceRead {
  readonly views: Views;
  readonly failures: readonly string[];
}

/** For one look at where Calico keeps its sets. */
const LOOK_MS = 60_000;

/** Nothing is held back: what one complete list says is what is told. */
const NO_BRAKE = { maxRemovalPercent: 100, holdMs: 0 };

/** A pod, and when it was started or made: nobody watched, so that is since when it is known to be there. */
interface DatedPod {
  readonly pod: PodRecord;
  readonly since: number;
}

function datedPod(value: unknown, annotations: ReadonlySet<string>, now: number): DatedPod {
  const pod = podFromJson(value, annotations);
  const created = asText(asObject(asObject(value)?.["metadata"])?.["creationTimestamp"]);
  const started = asText(asObject(asObject(value)?.["status"])?.["startTime"]);
  const since = Date.parse(started === "" ? created : started);
  return { pod, since: Number.isNaN(since) ? now : since };
}

async function openAll(
  config: OperatorConfig,
  clusters: Clusters,
  { clock, warn }: OnceContext,
): Promise<ReadonlyMap<ClusterName, ClusterAccess | string>> {
  const { remote } = clusters;
  if (remote !== undefined) return new Map([[remote.name, remote.access]]);
  const { clustersDir = "" } = config;
  const files = await readClusters(clustersDir, warn);
  if (files === undefined) throw new Fault("bad-request", `--clusters-dir: cannot be read`);
  const opened = new Map<ClusterName, ClusterAccess | string>();
  for (const [name, { path }] of files) {
    opened.set(
      name,
      await loadCluster({ kind: "kubeconfig", path }, clock).catch((error: unknown) =>
        errorText(error),
      ),
    );
  }
  return opened;
}

interface RemoteRead {
  readonly name: ClusterName;
  readonly access: ClusterAccess | string;
  readonly membership: Membership;
  readonly profile: LabelProfile;
  readonly fences: Fences;
  readonly annotation: string;
  readonly clock: Clock;
}

/** Lists a remote cluster's pods into membership. What goes wrong is in the facts. */
async function readRemote(read: RemoteRead): Promise<RemoteFacts> {
  const { name, access, profile, clock } = read;
  let since = clock.now();
  const holdings = new Holdings(() => since);
  const pods = new ClusterPods({
    cluster: name,
    membership: read.membership,
    profile,
    brake: NO_BRAKE,
    holdings,
    fence: () => read.fences.of(name),
    now: () => clock.monotonic(),
    events: { onChanged: () => {}, onRefused: () => {}, onComplete: () => {}, onHeld: () => {} },
  });
  const facts = { name, lastEventAt: undefined, pods: 0, credentialExpiresAt: undefined, holdings };
  const failed = { ...facts, link: "Connecting", isReady: false };
  if (typeof access === "string") return { ...failed, message: access };
  const annotations = new Set([read.annotation, ...RELEASED_ANNOTATIONS]);
  const source = jsonListWatch(new ApiClient(access, { clock }), {
    path: "/api/v1/pods",
    ...(profile.selector === "" ? {} : { labelSelector: profile.selector }),
    decode: (value) => datedPod(value, annotations, clock.now()),
  });
  const store = {
    beginList: () => pods.beginList(),
    endList: () => pods.endList(),
    abandonList: () => pods.clear(),
    put: (dated: DatedPod) => {
      ({ since } = dated);
      pods.put(dated.pod);
    },
    remove: (dated: DatedPod) => pods.remove(dated.pod),
  };
  try {
    await listOnce(source, store, clock);
  } catch (error) {
    return { ...failed, message: errorText(error), credentialExpiresAt: access.expiresAt() };
  }
  return {
    ...facts,
    link: "Synced",
    lastEventAt: clock.now(),
    pods: pods.size,
    credentialExpiresAt: access.expiresAt(),
    message: "",
    isReady: true,
  };
}

async function readAll(
  config: OperatorConfig,
  clusters: Clusters,
  context: OnceContext,
  remotes: ReadonlyMap<ClusterName, ClusterAccess | string>,
): Promise<OnceRead> {
  const { clock, version, warn } = context;
  const client = new ApiClient(clusters.local, { clock });
  const profile = labelProfile(
    config.labelProfile,
    config.networksetNameAnnotation,
    config.labelSelector,
  );
  const { group: apiGroup } = await lookForCalico(
    client,
    config.calicoApiGroup,
    AbortSignal.timeout(LOOK_MS),
  );
  const actual = new ActualSets({ onChanged: () => {}, onComplete: () => {} }, ownerOf);
  await listOnce(localSets(client, apiGroup), actual, clock);
  const fences = new Fences(config);
  const ranges = await readLocalRanges(
    client,
    new AbortController().signal,
    new Map(),
    (_path, error) => warn(`local ranges cannot be read: ${errorText(error)}`),
  );
  fences.setFound(ranges);
  const membership = new Membership();
  const facts = await Promise.all(
    [...remotes].map(async ([name, access]) =>
      readRemote({
        name,
        access,
        membership,
        profile,
        fences,
        annotation: config.networksetNameAnnotation,
        clock,
      }),
    ),
  );
  const plans = new SetPlans({
    membership,
    actual,
    profile,
    hash8: (text) => createHash("sha256").update(text).digest("hex").slice(0, 8),
    emptyGraceMs: config.emptySetGrace,
    maxNetsPerSet: config.maxNetsPerSet,
  });
  const views = new Views({
    version,
    operator: () => null,
    local: () => ({ ok: true, apiGroup, message: "" }),
    clock,
    membership,
    actual,
    plans,
    writes: new WriteLog(clock),
    remotes: () => facts,
    isRemoved: () => false,
  });
  const failures = facts
    .filter(({ isReady }) => !isReady)
    .map(({ name, message }) => `cluster ${name}: ${message}`);
  return { views, failures };
}

/**
 * Computes status and sets from the clusters themselves: each is listed once and none is watched or written.
 * Rejects with a Fault when the local cluster cannot be read, or the configuration cannot be used.
 */
export async function readOnce(config: OperatorConfig, context: OnceContext): Promise<OnceRead> {
  const clusters = await openClusters(config, context.environment, context.clock);
  if ("errors" in clusters) throw new Fault("bad-request", clusters.errors.join("\n"));
  let remotes: ReadonlyMap<ClusterName, ClusterAccess | string> = new Map();
  try {
    remotes = await openAll(config, clusters, context);
    return await readAll(config, clusters, context, remotes);
  } finally {
    clusters.local.close();
    for (const access of remotes.values()) if (typeof access !== "string") access.close();
  }
}
