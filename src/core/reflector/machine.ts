import { Fault } from "../model/fault.ts";
import { addFailure, failureDelayMs, MIN_DELAY_MS, NO_FAILURES, relistDelayMs } from "./backoff.ts";
import type {
  At,
  Effect,
  Input,
  InputKind,
  InputOf,
  Memory,
  ReflectorLimits,
  State,
  StateKind,
  StateOf,
  Step,
} from "./state.ts";
import { isOlderVersion } from "./version.ts";

/** A watch that lived this long worked: it may be reopened at once, and past failures are forgotten. */
export const WORKED_MS = 5_000;
/** A list that stayed good for this long ends a row of relists. */
export const HEALTHY_MS = 60_000;

/** `reason` of a Fault for a version that the server has not reached (status 504 with cause ResourceVersionTooLarge). */
export const TOO_LARGE_VERSION = "ResourceVersionTooLarge";

/** What one cell of the table does. */
type Cell<S extends StateKind, I extends InputKind> = (
  state: StateOf<S>,
  input: InputOf<I>,
  at: At,
) => Step;

type Table = { readonly [S in StateKind]: { readonly [I in InputKind]: Cell<S, I> } };

/**
 * The transition table (README.md draws it). `stay` stands where an input has nothing to say to a state:
 * the shell drops what an abandoned request still brings, so those cells are never reached in practice.
 */
const TABLE: Table = {
  listing: {
    page: pageArrived,
    opened: stay,
    event: stay,
    bookmark: stay,
    ended: stay,
    failed: (state, input, at) => listFailed(state, input.fault, [], at),
    silence: (state, _input, at) => listFailed(state, silent(), [{ kind: "cancel" }], at),
    timer: stay,
    probeDue: stay,
    probed: stay,
    probeFailed: stay,
    relist: stay,
    stop: ({ memory }) => stop(memory, [{ kind: "cancel" }, { kind: "abandonList" }]),
  },
  opening: {
    page: stay,
    opened: ({ memory }, _input, { now }) => watching(memory, now),
    event: ({ memory }, input, at) => openedWith(memory, input.resourceVersion, at),
    bookmark: ({ memory }, input, at) => openedWith(memory, input.resourceVersion, at),
    ended: (state, _input, at) =>
      rewatch(state.memory, addFailure(state.memory.failures, "connection"), at),
    failed: (state, input, at) => watchFailed(state.memory, input.fault, [], at),
    silence: (state, _input, at) => watchFailed(state.memory, silent(), [{ kind: "cancel" }], at),
    timer: stay,
    probeDue: stay,
    probed: stay,
    probeFailed: stay,
    relist: ({ memory }) => firstPage(memory, [{ kind: "cancel" }]),
    stop: ({ memory }) => stop(memory, [{ kind: "cancel" }]),
  },
  watching: {
    page: stay,
    opened: stay,
    event: (state, input, at) => heard(state, input.resourceVersion, at),
    bookmark: (state, input, at) => heard(state, input.resourceVersion, at),
    ended: watchEnded,
    failed: (state, input, at) => watchFailed(afterWatch(state, at), input.fault, [], at),
    silence: (state, _input, at) =>
      watchFailed(afterWatch(state, at), silent(), [{ kind: "cancel" }], at),
    timer: stay,
    probeDue,
    probed,
    probeFailed,
    relist: (state, _input, at) => firstPage(afterWatch(state, at), [{ kind: "cancel" }]),
    stop: ({ memory }) => stop(memory, [{ kind: "cancel" }]),
  },
  waiting: {
    page: stay,
    opened: stay,
    event: stay,
    bookmark: stay,
    ended: stay,
    failed: stay,
    silence: stay,
    timer: ({ memory, next }, _input, at) =>
      next === "list" ? firstPage(memory, []) : openWatch(memory, [], at),
    probeDue: stay,
    probed: stay,
    probeFailed: stay,
    relist: ({ memory }) => ({ state: { kind: "waiting", memory, next: "list" }, effects: [] }),
    stop: ({ memory }) => stop(memory, [{ kind: "cancel" }]),
  },
  stopped: {
    page: stay,
    opened: stay,
    event: stay,
    bookmark: stay,
    ended: stay,
    failed: stay,
    silence: stay,
    timer: stay,
    probeDue: stay,
    probed: stay,
    probeFailed: stay,
    relist: stay,
    stop: stay,
  },
};

/** The first step of a Reflector that knows nothing: a list of the most recent state. */
export function start(limits: ReflectorLimits): Step {
  return firstPage(
    {
      limits,
      resourceVersion: "",
      forgetVersion: false,
      synced: false,
      failures: NO_FAILURES,
      relists: 0,
      listedAt: 0,
    },
    [],
  );
}

/** The step that `input` causes in `state`. Pure and total; `stopped` is final. */
export function transition(state: State, input: Input, at: At): Step {
  const cell = TABLE[state.kind][input.kind] as (state: State, input: Input, at: At) => Step;
  return cell(state, input, at);
}

function stay(state: State): Step {
  return { state, effects: [] };
}

function stop(memory: Memory, effects: readonly Effect[]): Step {
  return { state: { kind: "stopped", memory }, effects };
}

function firstPage(memory: Memory, effects: readonly Effect[]): Step {
  const version = memory.forgetVersion ? "" : memory.resourceVersion;
  return {
    state: { kind: "listing", memory, continueToken: "" },
    effects: [...effects, { kind: "beginList" }, pageEffect(memory.limits, version, "")],
  };
}

function pageEffect(limits: ReflectorLimits, resourceVersion: string, token: string): Effect {
  return {
    kind: "list",
    resourceVersion,
    continueToken: token,
    limit: limits.pageLimit,
    silenceMs: limits.listSilenceMs,
    deadlineMs: limits.pageDeadlineMs,
  };
}

function pageArrived(state: StateOf<"listing">, page: InputOf<"page">, at: At): Step {
  const { resourceVersion, continueToken } = page;
  if (!isVersion(resourceVersion)) {
    const fault = new Fault("malformed", `list answered resourceVersion "${resourceVersion}"`);
    return listFailed(state, fault, [], at);
  }
  if (continueToken !== "" && continueToken === state.continueToken) {
    return listFailed(state, new Fault("malformed", "list repeats a continue token"), [], at);
  }
  const memory = { ...state.memory, resourceVersion, forgetVersion: false };
  if (continueToken !== "") {
    return {
      state: { kind: "listing", memory, continueToken },
      effects: [pageEffect(memory.limits, "", continueToken)],
    };
  }
  return openWatch({ ...memory, synced: true, listedAt: at.now }, [{ kind: "endList" }], at);
}

function listFailed(
  state: StateOf<"listing">,
  fault: Fault,
  before: readonly Effect[],
  at: At,
): Step {
  const effects: readonly Effect[] = [...before, { kind: "abandonList" }];
  // An expired continue token says nothing about the server's health, and a list can only start over.
  if (fault.code === "gone" && state.continueToken !== "") {
    return relist(state.memory, effects, at);
  }
  const forgetVersion =
    state.memory.forgetVersion || fault.code === "gone" || isForeignVersion(fault);
  const failures = addFailure(state.memory.failures, fault.code);
  return wait(
    { ...state.memory, forgetVersion, failures },
    "list",
    failureDelayMs(failures, fault.retryAfterMs, at.random),
    effects,
  );
}

function openWatch(memory: Memory, effects: readonly Effect[], { random }: At): Step {
  const { limits } = memory;
  const span = limits.watchMaxSeconds - limits.watchMinSeconds;
  const timeoutSeconds = limits.watchMinSeconds + Math.floor(random * span);
  const watch: Effect = {
    kind: "watch",
    resourceVersion: memory.resourceVersion,
    timeoutSeconds,
    openDeadlineMs: limits.openDeadlineMs,
    silenceMs: limits.watchSilenceMs,
    deadlineMs: timeoutSeconds * 1_000 + limits.watchSilenceMs,
  };
  return { state: { kind: "opening", memory }, effects: [...effects, watch] };
}

/**
 * After an attempt that failed, the server that answers may not be what it was, so it is asked for its version at once:
 * a watch from a version that it has not reached would stay open and silent.
 */
function watching(memory: Memory, now: number): Step {
  const state = {
    kind: "watching",
    memory,
    since: now,
    progressed: false,
    heardAt: now,
    probing: undefined,
    probeFailures: NO_FAILURES,
  } as const;
  return memory.failures.count > 0 ? probe(state) : probeLater(state, memory.limits.probeAfterMs);
}

function openedWith(memory: Memory, version: string, at: At): Step {
  const { state, effects } = watching(memory, at.now);
  return { state: heard(state as StateOf<"watching">, version, at).state, effects };
}

/** An event or bookmark. One that is older than what is known says nothing, and must not hide that the server went back. */
function heard(state: StateOf<"watching">, version: string, { now }: At): Step {
  const { memory } = state;
  if (isOlderVersion(version, memory.resourceVersion)) return stay(state);
  const moved = isVersion(version) && version !== memory.resourceVersion;
  return {
    state: {
      ...state,
      memory: moved ? { ...memory, resourceVersion: version } : memory,
      progressed: state.progressed || moved,
      heardAt: now,
    },
    effects: [],
  };
}

function probe(state: StateOf<"watching">): Step {
  const { limits, resourceVersion } = state.memory;
  return {
    state: { ...state, probing: resourceVersion },
    effects: [{ kind: "probe", deadlineMs: limits.probeDeadlineMs }],
  };
}

function probeLater(state: StateOf<"watching">, delayMs: number): Step {
  return {
    state: { ...state, probing: undefined },
    effects: [{ kind: "probeLater", delayMs: Math.max(MIN_DELAY_MS, delayMs) }],
  };
}

function probeDue(state: StateOf<"watching">, _input: Input, { now }: At): Step {
  if (state.probing !== undefined) return stay(state);
  const leftMs = state.heardAt + state.memory.limits.probeAfterMs - now;
  return leftMs <= 0 || state.probeFailures.count > 0 ? probe(state) : probeLater(state, leftMs);
}

/**
 * The answer is compared with the version that was held when the probe was sent: events may have overtaken it since.
 * It never becomes the version to go on from, because the events before it have not come yet.
 */
function probed(state: StateOf<"watching">, { resourceVersion }: InputOf<"probed">, at: At): Step {
  const { probing } = state;
  if (probing === undefined) return stay(state);
  if (!isVersion(resourceVersion)) {
    const fault = new Fault("malformed", `probe answered resourceVersion "${resourceVersion}"`);
    return probeFailed(state, { kind: "probeFailed", fault }, at);
  }
  if (isOlderVersion(resourceVersion, probing)) {
    return relist({ ...afterWatch(state, at), forgetVersion: true }, [{ kind: "cancel" }], at);
  }
  const answered = { ...state, heardAt: at.now, probeFailures: NO_FAILURES };
  return probeLater(answered, state.memory.limits.probeAfterMs);
}

/** The watch stays open: whether it still lives is for its own silence to say. */
function probeFailed(
  state: StateOf<"watching">,
  { fault }: InputOf<"probeFailed">,
  { random }: At,
): Step {
  if (state.probing === undefined) return stay(state);
  const probeFailures = addFailure(state.probeFailures, fault.code);
  const delayMs = failureDelayMs(probeFailures, fault.retryAfterMs, random);
  return probeLater({ ...state, probeFailures }, delayMs);
}

/** The memory after a watch, whose success ends a row of failures. */
function afterWatch({ memory, since, progressed }: StateOf<"watching">, { now }: At): Memory {
  return progressed || now - since >= WORKED_MS ? { ...memory, failures: NO_FAILURES } : memory;
}

function watchEnded(state: StateOf<"watching">, _input: Input, at: At): Step {
  const memory = afterWatch(state, at);
  return at.now - state.since >= WORKED_MS
    ? openWatch(memory, [], at)
    : rewatch(memory, addFailure(memory.failures, "connection"), at);
}

function rewatch(memory: Memory, failures: Memory["failures"], { random }: At): Step {
  return wait({ ...memory, failures }, "watch", failureDelayMs(failures, undefined, random), []);
}

function watchFailed(memory: Memory, fault: Fault, effects: readonly Effect[], at: At): Step {
  if (fault.code === "gone") return relist(memory, effects, at);
  if (isForeignVersion(fault)) return relist({ ...memory, forgetVersion: true }, effects, at);
  const failures = addFailure(memory.failures, fault.code);
  return wait(
    { ...memory, failures },
    "watch",
    failureDelayMs(failures, fault.retryAfterMs, at.random),
    effects,
  );
}

function relist(before: Memory, effects: readonly Effect[], { now, random }: At): Step {
  const isHealthy = before.synced && now - before.listedAt >= HEALTHY_MS;
  const relists = isHealthy ? 1 : before.relists + 1;
  const memory = { ...before, relists };
  const delayMs = relistDelayMs(relists, random);
  return delayMs === 0 ? firstPage(memory, effects) : wait(memory, "list", delayMs, effects);
}

function wait(
  memory: Memory,
  next: "list" | "watch",
  delayMs: number,
  effects: readonly Effect[],
): Step {
  return {
    state: { kind: "waiting", memory, next },
    effects: [...effects, { kind: "wait", delayMs }],
  };
}

function silent(): Fault {
  return new Fault("timeout", "no sign of life");
}

/** "0" asks a server for any state, however old, so it is never taken for a version to go on from. */
function isVersion(text: string): boolean {
  return text !== "" && text !== "0";
}

/** Whether the server does not know the version that the request named: not reached yet, or not one of its own. */
function isForeignVersion(fault: Fault): boolean {
  return (
    fault.reason === TOO_LARGE_VERSION || fault.code === "bad-request" || fault.code === "invalid"
  );
}
