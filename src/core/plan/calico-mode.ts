/** The API groups that can serve GlobalNetworkSets. */
export type CalicoGroup = "projectcalico.org/v3" | "crd.projectcalico.org/v1";

/** The groups, the public one first. */
export const CALICO_GROUPS: readonly CalicoGroup[] = [
  "projectcalico.org/v3",
  "crd.projectcalico.org/v1",
];

/** What `--calico-api-group` can say. */
export type CalicoGroupChoice = "auto" | CalicoGroup;

/**
 * Who answers for `projectcalico.org/v3`: Calico's aggregated API server (its APIService names a Service),
 * the API server itself from CRDs, or `unknown`, when it is served and the APIService cannot be read.
 */
export type ServedBy = "aggregated" | "crd" | "unknown";

/** What discovery shows; a resource counts as served when it can be created and updated (a dying CRD can only be read). */
export interface ServedGroups {
  /** Undefined when it does not serve GlobalNetworkSets. */
  readonly v3: ServedBy | undefined;
  /** Whether `crd.projectcalico.org/v1` serves them. */
  readonly v1: boolean;
}

/** What is known of objects that a cluster need not have, or need not let us read. */
export type Seen<T> =
  /** Neither an answer nor a refusal so far. */
  | { readonly kind: "unknown"; readonly why: string }
  /** The kind is not served. */
  | { readonly kind: "absent" }
  /** The server refuses, and never told before. */
  | { readonly kind: "forbidden"; readonly why: string }
  | { readonly kind: "known"; readonly value: T };

/**
 * A DatastoreMigration (`migration.projectcalico.org`, v1beta1 since Calico 3.32 and v1 since 3.33), which copies all of
 * Calico's objects from `crd.projectcalico.org/v1` to native CRDs of `projectcalico.org/v3`. Group, versions, plural and
 * phases are those of Calico's own source (kube-controllers, controllers/migration), read and not yet seen running.
 */
export interface MigrationFacts {
  readonly name: string;
  /** `status.phase`; "" before its controller has seen it. */
  readonly phase: string;
  /** Being deleted: before `Converged` that rolls the migration back. */
  readonly isDeleting: boolean;
}

/** The collection to read and write, or why there is none. */
export type CollectionChoice =
  | { readonly kind: "use"; readonly group: CalicoGroup; readonly servedBy: ServedBy }
  /** No group serves the sets. */
  | { readonly kind: "none"; readonly why: string }
  /** It takes an answer that is missing; what was used so far remains. */
  | { readonly kind: "undecided"; readonly why: string };

/** Phases after which everything is in `projectcalico.org/v3`, which Calico's components are then told to use. */
const MIGRATED: ReadonlySet<string> = new Set(["Converged", "Complete"]);

/** Phases in which nothing is copied, and `datastoreReady` says whether the store is locked. */
const RESTING: ReadonlySet<string> = new Set([...MIGRATED, "Failed"]);

function use(group: CalicoGroup, { v3 }: ServedGroups): CollectionChoice {
  // CRDs are all that ever serves the raw group.
  return { kind: "use", group, servedBy: group === "projectcalico.org/v3" ? (v3 ?? "crd") : "crd" };
}

function isServed(group: CalicoGroup, served: ServedGroups): boolean {
  return group === "projectcalico.org/v3" ? served.v3 !== undefined : served.v1;
}

/**
 * The collection that Calico itself takes its sets from, one row an installation:
 *
 * | v3 | v1 | migration | use |
 * |---|---|---|---|
 * | any | no | | v3 |
 * | no | yes | | v1 |
 * | aggregated | yes | | v3: the server in front of v1 validates, and keeps its metadata |
 * | crd or unknown | yes | Converged or Complete | v3: Calico's components are switched by then |
 * | crd or unknown | yes | any other, or none | v1: Calico takes v1 wherever both are present and nothing else is said |
 *
 * A choice other than `auto` is followed wherever it is served, and never replaced.
 */
export function chooseCollection(
  choice: CalicoGroupChoice,
  served: ServedGroups,
  migrations: Seen<readonly MigrationFacts[]>,
): CollectionChoice {
  if (choice !== "auto") {
    return isServed(choice, served)
      ? use(choice, served)
      : {
          kind: "none",
          why: `it does not serve GlobalNetworkSets in ${choice}, which calico-api-group asks for; waiting for it`,
        };
  }
  const [onlyV3, onlyV1] = [served.v3 !== undefined && !served.v1, served.v3 === undefined];
  if (onlyV1 && !served.v1) {
    return {
      kind: "none",
      why: `it serves GlobalNetworkSets neither in ${CALICO_GROUPS.join(" nor in ")}; waiting for Calico to be installed`,
    };
  }
  if (onlyV3 || served.v3 === "aggregated") return use("projectcalico.org/v3", served);
  if (onlyV1) return use("crd.projectcalico.org/v1", served);
  if (migrations.kind === "unknown") {
    return {
      kind: "undecided",
      why: `both groups are served and DatastoreMigrations are not read yet: ${migrations.why}`,
    };
  }
  const isMigrated =
    migrations.kind === "known" && migrations.value.some(({ phase }) => MIGRATED.has(phase));
  return use(isMigrated ? "projectcalico.org/v3" : "crd.projectcalico.org/v1", served);
}

/** Whether Calico's store may be written now. */
export interface WriteGate {
  /** `unknown`: what would tell has not answered yet. Only `open` allows writing. */
  readonly kind: "open" | "paused" | "unknown";
  /** Why not; "" when open. */
  readonly why: string;
  /** What could not be read and is therefore not considered, for people. */
  readonly notes: readonly string[];
}

function isInProgress({ phase, isDeleting }: MigrationFacts): boolean {
  // A phase that is not known is one in which something may be copied.
  return !RESTING.has(phase) || (isDeleting && !MIGRATED.has(phase));
}

function migrationText({ name, phase, isDeleting }: MigrationFacts): string {
  const state = phase === "" ? "not begun" : phase;
  return `DatastoreMigration ${JSON.stringify(name)} is ${state}${isDeleting ? ", and being rolled back" : ""}`;
}

function note(what: string, seen: Seen<unknown>): readonly string[] {
  return seen.kind === "forbidden" ? [`${what} cannot be read: ${seen.why}`] : [];
}

/**
 * Whether sets may be written. Not while a DatastoreMigration is copying or being rolled back (a write would become a
 * conflict in it), and not while `spec.datastoreReady` of the ClusterInformation `default` is false (calico.md 1.1).
 * `datastoreReady` is that field in the group that is written to, undefined where object or field is missing.
 * Kinds that do not exist or may not be read do not stop writing; kinds that have not answered yet do.
 */
export function writeGate(
  datastoreReady: Seen<boolean | undefined>,
  migrations: Seen<readonly MigrationFacts[]>,
): WriteGate {
  const notes = [
    ...note("ClusterInformation", datastoreReady),
    ...note("DatastoreMigrations", migrations),
  ];
  const running =
    migrations.kind === "known" ? migrations.value.filter((each) => isInProgress(each)) : [];
  if (running.length > 0) {
    return { kind: "paused", why: running.map(migrationText).join("; "), notes };
  }
  if (datastoreReady.kind === "known" && datastoreReady.value === false) {
    const why = 'ClusterInformation "default": spec.datastoreReady is false';
    return { kind: "paused", why, notes };
  }
  if (migrations.kind === "unknown") {
    return {
      kind: "unknown",
      why: `DatastoreMigrations are not read yet: ${migrations.why}`,
      notes,
    };
  }
  if (datastoreReady.kind === "unknown") {
    const why = `ClusterInformation is not read yet: ${datastoreReady.why}`;
    return { kind: "unknown", why, notes };
  }
  return { kind: "open", why: "", notes };
}
