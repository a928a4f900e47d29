import type { Holdings } from "../core/membership/holdings.ts";
import type { Membership } from "../core/membership/membership.ts";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { ActualSet, SetChange } from "../core/plan/plan-set.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ActualSets } from "./actual-sets.ts";
import {
  API_VERSION,
  type DifferenceView,
  type NetView,
  type NetworkSetListView,
  type NetworkSetView,
  type RemoteStatus,
  type SetState,
  type Status,
} from "./api-objects.ts";
import type { SetPlans } from "./set-plans.ts";
import type { WriteLog } from "./write-log.ts";

/** What is known of a remote cluster. Times are milliseconds since the epoch. */
export interface RemoteFacts {
  readonly name: ClusterName;
  readonly link: string;
  readonly lastEventAt: number | undefined;
  readonly pods: number;
  readonly credentialExpiresAt: number | undefined;
  readonly message: string;
  /** Whether its pods were seen whole, so that its sets may be judged. */
  readonly isReady: boolean;
  readonly holdings: Holdings;
}

/** What is told of, wherever it comes from. */
export interface ViewParts {
  readonly version: string;
  readonly operator: () => Status["operator"];
  readonly local: () => Status["local"];
  readonly clock: Clock;
  readonly membership: Membership;
  readonly actual: ActualSets;
  readonly plans: SetPlans;
  readonly writes: WriteLog;
  readonly remotes: () => readonly RemoteFacts[];
  /** Whether the sets of a cluster without facts are to go, as it was taken out of the configuration. */
  readonly isRemoved: (cluster: ClusterName) => boolean;
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : time(ms);
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms) / 1000;
}

/** Tells how things stand, as the objects of api-objects.ts. Only reads. */
export class Views {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  status(): Status {
    const { version, operator, local, clock, actual, remotes } = this.#parts;
    const known = remotes();
    const counts = this.#counts();
    const names = new Set(known.map(({ name }) => name));
    const orphans = new Map<ClusterName, number>();
    for (const set of actual.owners()) {
      const { cluster } = setIdOf(set);
      if (names.has(cluster) || this.#parts.isRemoved(cluster)) continue;
      orphans.set(cluster, (orphans.get(cluster) ?? 0) + 1);
    }
    return {
      apiVersion: API_VERSION,
      kind: "Status",
      time: time(clock.now()),
      version,
      operator: operator(),
      local: local(),
      remotes: known
        .map((facts) => this.#remote(facts, counts.get(facts.name)))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      orphans: [...orphans]
        .map(([cluster, sets]) => ({ cluster, sets }))
        .toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1)),
    };
  }

  /** Every set that has members or an object; or only the one that `name` names, by an object or by its key. */
  sets(name?: string): NetworkSetListView {
    const { membership, actual, remotes } = this.#parts;
    const facts = new Map(remotes().map((each) => [each.name, each]));
    const keys = new Set([...membership.sets(), ...actual.owners()]);
    const items = [...keys]
      .filter((set) => name === undefined || set === name || this.#namesOf(set).includes(name))
      .map((set) => this.#set(set, facts.get(setIdOf(set).cluster)))
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    return { apiVersion: API_VERSION, kind: "NetworkSetList", items };
  }

  #counts(): ReadonlyMap<ClusterName, { sets: number; members: number }> {
    const { membership } = this.#parts;
    const counts = new Map<ClusterName, { sets: number; members: number }>();
    for (const set of membership.sets()) {
      const { cluster } = setIdOf(set);
      const { sets, members } = counts.get(cluster) ?? { sets: 0, members: 0 };
      counts.set(cluster, { sets: sets + 1, members: members + membership.count(set) });
    }
    return counts;
  }

  #remote(
    facts: RemoteFacts,
    count: { readonly sets: number; readonly members: number } = { sets: 0, members: 0 },
  ): RemoteStatus {
    const { clock, membership, writes } = this.#parts;
    const { name, link, lastEventAt, pods, credentialExpiresAt } = facts;
    const held = membership.heldCount(name);
    const messages = [
      facts.message,
      held === 0 ? "" : `${held} removals held until a second list agrees`,
    ];
    return {
      name,
      link,
      lastEventTime: timeOrNull(lastEventAt),
      lastEventAgeSeconds: seconds(
        lastEventAt === undefined ? undefined : Math.max(0, clock.now() - lastEventAt),
      ),
      lagP99Seconds: seconds(writes.lagP99(name)),
      pods,
      ...count,
      held,
      credentialExpirationTime: timeOrNull(credentialExpiresAt),
      message: messages.filter((message) => message !== "").join("; "),
    };
  }

  #namesOf(set: SetKey): readonly string[] {
    const { actual, plans } = this.#parts;
    const names = actual.of(set).map((object) => object.name);
    return [...names, plans.nameOf(set, 1).name];
  }

  #set(set: SetKey, remote: RemoteFacts | undefined): NetworkSetView {
    const { membership, actual, plans, writes } = this.#parts;
    const { cluster, namespace, name } = setIdOf(set);
    const objects = actual.of(set).toSorted((a, b) => a.shard - b.shard);
    const isKnown = remote?.isReady ?? this.#parts.isRemoved(cluster);
    const differences = isKnown ? this.#differences(set) : [];
    const nets = isKnown
      ? membership.members(set)
      : objects.flatMap((object) => object.nets).toSorted((a, b) => (a < b ? -1 : 1));
    let state: SetState = "InSync";
    if (remote === undefined && !isKnown) state = "Orphaned";
    else if (!isKnown) state = "Unknown";
    else if (differences.some(({ change }) => change === "conflict")) state = "Conflict";
    else if (differences.length > 0) state = "Differs";
    else if (nets.length === 0) state = "Empty";
    return {
      apiVersion: API_VERSION,
      kind: "NetworkSet",
      metadata: { name: objects[0]?.name ?? plans.nameOf(set, 1).name },
      cluster,
      namespace,
      set: name,
      state,
      writtenTime: timeOrNull(writes.writtenAt(set)),
      objects: objects.map((object) => ({
        name: object.name,
        shard: object.shard,
        members: object.nets.length,
        emptySince: timeOrNull(object.emptySince),
      })),
      nets: nets.map((net) => this.#net(set, net, remote?.holdings)),
      differences,
    };
  }

  #net(set: SetKey, net: string, holdings: Holdings | undefined): NetView {
    const { membership } = this.#parts;
    const { cluster } = setIdOf(set);
    return {
      net,
      contested: membership.contested().has(net),
      owners: membership.owners(set, net).map(({ pod, uid }) => {
        const held = holdings?.of(pod);
        const since = held?.since[held.nets.indexOf(net)];
        return {
          pod: `${cluster}/${pod}`,
          uid,
          node: held?.node ?? "",
          phase: held?.phase ?? "Unknown",
          since: timeOrNull(since),
        };
      }),
      previousOwners: (holdings?.past(net) ?? []).map(({ pod, uid, since, until }) => ({
        pod: `${cluster}/${pod}`,
        uid,
        since: time(since),
        until: time(until),
      })),
    };
  }

  #differences(set: SetKey): readonly DifferenceView[] {
    const { plans, actual, clock } = this.#parts;
    return plans
      .changes(set, clock.now())
      .flatMap((change) => difference(change, actual.get(nameIn(change))));
  }
}

function nameIn(change: SetChange): string {
  return "object" in change ? change.object.name : "";
}

function difference(change: SetChange, actual: ActualSet | undefined): readonly DifferenceView[] {
  if (change.kind === "none" || change.kind === "later") return [];
  const { object, kind } = change;
  if (kind === "conflict") {
    const reason = "an object of this name exists and is not ours";
    return [{ object: object.name, change: kind, reason, missing: [], surplus: [] }];
  }
  const has = new Set(actual?.nets);
  const should = new Set(kind === "delete" ? [] : object.nets);
  const reason = { create: "no object", delete: "empty for long enough", replace: "" }[kind];
  return [
    {
      object: object.name,
      change: kind,
      reason: change.kind === "replace" ? change.reason : reason,
      missing: [...should].filter((net) => !has.has(net)),
      surplus: [...has].filter((net) => !should.has(net)),
    },
  ];
}
