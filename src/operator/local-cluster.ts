import {
  API_SERVICE,
  API_SERVICES_PATH,
  clusterInformationPath,
  decodeDatastoreReady,
  decodeMigration,
  decodeServedBy,
  migrationsPath,
} from "../calico/datastore.ts";
import { collectionPath, decodeSet } from "../calico/global-network-set.ts";
import { NetworkSetClient } from "../calico/network-set-client.ts";
import { errorText, Fault } from "../core/model/fault.ts";
import {
  chooseCollection,
  writeGate,
  type CalicoGroup,
  type CalicoGroupChoice,
  type CollectionChoice,
  type MigrationFacts,
  type Seen,
  type ServedBy,
  type WriteGate,
} from "../core/plan/calico-mode.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { Store } from "../core/reflector/store.ts";
import type { ApiClient } from "../kube/api-client.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import type { Log } from "../runtime/log.ts";
import { Reflector, type LinkFacts } from "../runtime/reflector.ts";
import { discoverCalico, type CalicoDiscovery } from "./calico-discovery.ts";
import { FollowedKind } from "./followed-kind.ts";

/** How things stand with Calico in the local cluster. A snapshot. */
export interface LocalCalicoStatus {
  /** Whether the local API server answers what it was last asked. */
  readonly answers: boolean;
  /** Where sets are read and written; undefined while no group serves them. */
  readonly group: CalicoGroup | undefined;
  readonly servedBy: ServedBy | undefined;
  /** Whether sets may be written now: never before all sets of the group were listed. */
  readonly mayWrite: boolean;
  /** Where sets are written, or why they are not, or what is the matter with the server. */
  readonly message: string;
  /** What could not be read and is not considered. */
  readonly notes: readonly string[];
}

/** What a LocalCalico is made of, and whom it tells. */
export interface LocalCalicoParts {
  readonly client: ApiClient;
  readonly choice: CalicoGroupChoice;
  /** Takes in the sets of the group in use; after a change of group the new group's list takes the place of the old. */
  readonly store: Store<ActualSet>;
  readonly clock: Clock;
  /** A number in [0, 1), anew at each call. */
  readonly random: () => number;
  readonly log: Log;
  /**
   * Writing became possible, for the first time or again: every set must be looked at. The store holds a whole list
   * that was begun in this group, and after the pause. Called synchronously; must not throw.
   */
  readonly onResync: () => void;
  /** Called when the status changed. Must not throw. @default nobody */
  readonly onStatus?: (status: LocalCalicoStatus) => void;
  /** How often discovery is asked when nothing seems to have changed. @default 30 s */
  readonly rediscoverMs?: number;
}

const REDISCOVER_MS = 30_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** One collection in use, until it is left for another. */
interface Scope {
  readonly group: CalicoGroup;
  readonly servedBy: ServedBy;
  readonly sets: NetworkSetClient;
  readonly reflector: Reflector<ActualSet>;
  readonly information: FollowedKind<boolean | undefined>;
  readonly abort: AbortController;
  /** Whether a whole list was taken in since the last pause. */
  isListed: boolean;
}

/** DatastoreMigrations of one version, while the server serves them. */
interface Migrations {
  readonly version: string;
  readonly kind: FollowedKind<MigrationFacts>;
  readonly abort: AbortController;
}

/**
 * Finds the collection in which Calico keeps its sets, follows it, follows it elsewhere when that changes, and says when
 * it may be written. The decisions are core/plan/calico-mode's.
 *
 * ```
 * discovery ────────────┐
 * APIService ──"look"──▶├─▶ chooseCollection ──▶ sets: Reflector ──▶ store
 * DatastoreMigrations ──┤                              │ whole list
 * ClusterInformation ───┴─▶ writeGate ─────────────────┴──▶ mayWrite, onResync
 * ```
 */
export class LocalCalico {
  readonly #parts: LocalCalicoParts;
  readonly #running = new AbortController();
  readonly #apiService: FollowedKind<ServedBy>;
  #scope: Scope | undefined;
  #migrations: Migrations | undefined;
  #discovery: CalicoDiscovery | undefined;
  #none = "not asked yet";
  #discoveryFault: string | undefined = "not asked yet";
  #linkFault: string | undefined;
  #status: LocalCalicoStatus;
  #gate: WriteGate = { kind: "unknown", why: "not asked yet", notes: [] };
  #wasPaused = false;
  #looking: Promise<void> = Promise.resolve();
  #lookNow: () => void = () => {};
  #isLookWanted = false;
  #bug: ((error: unknown) => void) | undefined;

  constructor(parts: LocalCalicoParts) {
    this.#parts = parts;
    this.#apiService = this.#followed({
      path: API_SERVICES_PATH,
      fieldSelector: `metadata.name=${API_SERVICE}`,
      decode: decodeServedBy,
      onChange: () => this.#look(),
    });
    this.#status = this.#describe();
  }

  /** How things stand now. */
  get status(): LocalCalicoStatus {
    return this.#status;
  }

  /** Writes the sets of the group in use. Throws while there is none; to be asked for anew for each write. */
  get sets(): NetworkSetClient {
    if (this.#scope === undefined) throw new Error(`write network sets: ${this.#none}`);
    return this.#scope.sets;
  }

  /** Lists the sets anew. Without effect while no group serves them. */
  relist(): void {
    this.#scope?.reflector.relist();
  }

  /** Follows Calico until `signal` aborts, then resolves. Rejects only with what a callback or the store threw. May be called once. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#running.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const bug = new Promise<never>((_resolve, reject) => {
      this.#bug = reject;
    });
    try {
      this.#spawn(this.#apiService.run(this.#running.signal));
      await Promise.race([this.#follow(this.#running.signal), bug]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#leave();
      this.#running.abort();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock, random, rediscoverMs = REDISCOVER_MS } = this.#parts;
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      this.#isLookWanted = false;
      await this.#discover(signal).catch(() => {});
      const isSettled = this.#discoveryFault === undefined && this.#scope !== undefined;
      if (isSettled) waitMs = FIRST_WAIT_MS;
      await this.#pause(isSettled ? rediscoverMs : waitMs * (0.5 + random() / 2), signal);
      if (!isSettled) waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      // However often a look is asked for, there is a pause between two.
      if (this.#isLookWanted) await sleep(clock, FIRST_WAIT_MS, signal).catch(() => {});
    }
  }

  /** Resolves after `delayMs`, or as soon as a look is asked for or `signal` aborts. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const early = new AbortController();
    this.#lookNow = () => early.abort();
    if (this.#isLookWanted) early.abort();
    const either = AbortSignal.any([signal, early.signal]);
    await sleep(this.#parts.clock, delayMs, either).catch(() => {});
    this.#lookNow = () => {};
  }

  #look(): void {
    this.#isLookWanted = true;
    this.#lookNow();
  }

  /** One look, after those under way. Rejects with the Fault of a server that does not say. */
  async #discover(signal: AbortSignal): Promise<void> {
    const look = this.#looking.then(async () => this.#discoverOnce(signal));
    this.#looking = look.catch(() => {});
    return look;
  }

  async #discoverOnce(signal: AbortSignal): Promise<void> {
    let found: CalicoDiscovery;
    try {
      found = await discoverCalico(this.#parts.client, this.#parts.choice, signal);
    } catch (error) {
      if (!signal.aborted) {
        this.#discoveryFault = errorText(error);
        this.#update();
      }
      throw error;
    }
    if (signal.aborted) return;
    this.#discoveryFault = undefined;
    this.#discovery = found;
    this.#followMigrations(found.migrationVersion);
    this.#decide();
  }

  #followMigrations(version: string | undefined): void {
    if (this.#migrations?.version === version) return;
    this.#migrations?.abort.abort();
    this.#migrations = undefined;
    if (version === undefined) return;
    const abort = new AbortController();
    const kind = this.#followed({
      path: migrationsPath(version),
      decode: decodeMigration,
      // At its end, native CRDs are what Calico uses.
      onChange: () => this.#decide(),
    });
    this.#migrations = { version, kind, abort };
    this.#spawn(kind.run(AbortSignal.any([this.#running.signal, abort.signal])));
  }

  /** Goes to the collection that what is known speaks for. */
  #decide(): void {
    if (this.#running.signal.aborted || this.#discovery === undefined) return;
    const { choice } = this.#parts;
    const chosen = chooseCollection(choice, this.#discovery.served, this.#migrationsSeen());
    if (chosen.kind === "use") this.#enter(chosen);
    else if (chosen.kind === "none") {
      this.#leave();
      this.#none = chosen.why;
    } else if (this.#scope === undefined) this.#none = chosen.why;
    this.#update();
  }

  #enter({ group, servedBy }: Extract<CollectionChoice, { kind: "use" }>): void {
    if (this.#scope?.group === group && this.#scope.servedBy === servedBy) return;
    const { client, store, clock, random, log } = this.#parts;
    const from = this.#scope?.group;
    this.#leave();
    log.info("local cluster serves GlobalNetworkSets", {
      group,
      servedBy,
      ...(from === undefined ? {} : { from }),
    });
    const abort = new AbortController();
    const signal = AbortSignal.any([this.#running.signal, abort.signal]);
    const scope: Scope = {
      group,
      servedBy,
      sets: new NetworkSetClient(client, group),
      reflector: new Reflector({
        source: this.#believed(localSets(client, group), () => this.#scope === scope),
        store: {
          beginList: () => store.beginList(),
          put: (set) => store.put(set),
          remove: (set) => store.remove(set),
          endList: () => {
            scope.isListed = true;
            store.endList();
            this.#update();
          },
          abandonList: () => store.abandonList(),
        },
        clock,
        random,
        onLink: (facts) => this.#noteLink(facts),
      }),
      information: this.#followed({
        path: clusterInformationPath(group),
        decode: decodeDatastoreReady,
        onChange: () => this.#update(),
      }),
      abort,
      isListed: false,
    };
    this.#scope = scope;
    this.#spawn(scope.information.run(signal));
    this.#spawn(scope.reflector.run(signal));
  }

  #leave(): void {
    const scope = this.#scope;
    this.#scope = undefined;
    this.#linkFault = undefined;
    scope?.sets.retire();
    scope?.abort.abort();
  }

  /**
   * A list is believed when a look after it finds the collection in the same hands. Without that, the list that follows
   * the removal of Calico's API server would be one of native CRDs, and empty.
   */
  #believed(source: ListWatch<ActualSet>, isSame: () => boolean): ListWatch<ActualSet> {
    return {
      list: async (request) => {
        const page = await source.list(request);
        if (page.continueToken !== "") return page;
        await this.#discover(request.signal);
        if (!isSame()) throw new Fault("aborted", "list network sets: they are kept elsewhere now");
        return page;
      },
      watch: async (request) => source.watch(request),
      probe: async (request) => source.probe(request),
    };
  }

  #noteLink({ isHealthy, lastFault }: LinkFacts): void {
    if (isHealthy) {
      this.#linkFault = undefined;
      this.#discoveryFault = undefined;
    } else {
      this.#linkFault = lastFault?.message ?? "unknown";
      if (lastFault?.code === "not-found") this.#look();
    }
    this.#update();
  }

  #migrationsSeen(): Seen<readonly MigrationFacts[]> {
    if (this.#discovery === undefined) return { kind: "unknown", why: "no answer yet" };
    if (this.#migrations === undefined) return { kind: "absent" };
    const { seen } = this.#migrations.kind;
    return seen.kind === "known" ? { kind: "known", value: [...seen.value.values()] } : seen;
  }

  #gateNow(): WriteGate {
    const information = this.#scope?.information.seen;
    const ready: Seen<boolean | undefined> =
      information === undefined
        ? { kind: "unknown", why: "no answer yet" }
        : information.kind === "known"
          ? { kind: "known", value: information.value.get("default") }
          : information;
    return writeGate(ready, this.#migrationsSeen());
  }

  /** Draws the conclusions of whatever changed. */
  #update(): void {
    const scope = this.#scope;
    this.#gate = this.#gateNow();
    if (this.#gate.kind === "paused") this.#wasPaused = true;
    if (this.#gate.kind === "open" && this.#wasPaused) {
      this.#wasPaused = false;
      if (scope !== undefined) scope.isListed = false;
      scope?.reflector.relist();
    }
    const [was, status] = [this.#status, this.#describe()];
    const isSame =
      was.answers === status.answers &&
      was.servedBy === status.servedBy &&
      was.group === status.group &&
      was.mayWrite === status.mayWrite &&
      was.message === status.message &&
      was.notes.join("\n") === status.notes.join("\n");
    if (isSame) return;
    this.#status = status;
    this.#tell(was, status);
    if (status.mayWrite && !was.mayWrite) this.#parts.onResync();
  }

  #describe(): LocalCalicoStatus {
    const { kind, why, notes } = this.#gate;
    const scope = this.#scope;
    const fault = this.#discoveryFault ?? this.#linkFault;
    const mayWrite = kind === "open" && scope?.isListed === true;
    const unreadable = this.#discovery?.unreadable;
    let message = fault;
    if (message === undefined && scope === undefined) message = this.#none;
    message ??=
      kind === "open" ? `sets are written to ${scope?.group}` : `sets are not written: ${why}`;
    return {
      answers: fault === undefined,
      group: scope?.group,
      servedBy: scope?.servedBy,
      mayWrite,
      message,
      notes: [
        ...notes,
        ...(unreadable === undefined ? [] : [`APIService cannot be read: ${unreadable}`]),
      ],
    };
  }

  #tell(was: LocalCalicoStatus, { answers, group, message, notes }: LocalCalicoStatus): void {
    const { log, onStatus } = this.#parts;
    const isNew = message !== was.message;
    if (isNew && group === undefined) log.warn("local cluster not usable yet", { reason: message });
    else if (isNew && !answers) log.warn("local cluster does not answer", { error: message });
    else if (isNew && this.#gate.kind === "paused") {
      log.warn("network sets are not written for now", { reason: this.#gate.why });
    } else if (isNew && answers) log.info("local cluster is followed", { state: message });
    for (const note of notes) {
      if (!was.notes.includes(note)) log.info("part of Calico's state is not considered", { note });
    }
    onStatus?.(this.#status);
  }

  #followed<T>(options: {
    readonly path: string;
    readonly fieldSelector?: string;
    readonly decode: (object: unknown) => { readonly name: string; readonly value: T };
    readonly onChange: () => void;
  }): FollowedKind<T> {
    const { client, clock, random } = this.#parts;
    const { onChange, ...source } = options;
    return new FollowedKind({ source: jsonListWatch(client, source), clock, random, onChange });
  }

  #spawn(task: Promise<void>): void {
    task.catch((error: unknown) => this.#bug?.(error));
  }
}

/** The GlobalNetworkSets of the local cluster: all of them, since selectors on a watch cannot be trusted (calico.md 1.7). */
export function localSets(client: ApiClient, group: CalicoGroup): ListWatch<ActualSet> {
  return jsonListWatch(client, {
    path: collectionPath(group),
    decode: (object) => decodeSet(group, object),
  });
}
