import type { Fault } from "../model/fault.ts";
import type { Failures } from "./backoff.ts";

/** The numbers of one Reflector. */
export interface ReflectorLimits {
  /** Objects asked for in one page of a list, at least 1. */
  readonly pageLimit: number;
  /** A list request that brings no byte for this long is given up. */
  readonly listSilenceMs: number;
  /** A page that is not complete after this long is given up. */
  readonly pageDeadlineMs: number;
  /** A watch request that is not answered after this long is given up. */
  readonly openDeadlineMs: number;
  /** An open watch that brings no byte for this long is given up. Bookmarks come about once a minute. */
  readonly watchSilenceMs: number;
  /** An open watch that brings no event or bookmark for this long is helped by a probe on the side. At least 50. */
  readonly probeAfterMs: number;
  /** A probe that is not answered after this long has failed. */
  readonly probeDeadlineMs: number;
  /** The server is asked to end a watch after a random time between these, so that a fleet does not reconnect at once. */
  readonly watchMinSeconds: number;
  readonly watchMaxSeconds: number;
}

/** What suits a Kubernetes API server. */
export const DEFAULT_LIMITS: ReflectorLimits = {
  pageLimit: 500,
  listSilenceMs: 30_000,
  pageDeadlineMs: 60_000,
  openDeadlineMs: 15_000,
  watchSilenceMs: 90_000,
  probeAfterMs: 15_000,
  probeDeadlineMs: 10_000,
  watchMinSeconds: 300,
  watchMaxSeconds: 600,
};

/** What outlives a state. */
export interface Memory {
  readonly limits: ReflectorLimits;
  /** The version of the last page, and since then the newest of an event or bookmark; "" before the first. Never "0". */
  readonly resourceVersion: string;
  /** The server does not know `resourceVersion`, or has gone back behind it (it was restored): the next list must not name it. */
  readonly forgetVersion: boolean;
  /** Whether a list was ever completed: the store is a whole copy, though perhaps an old one. */
  readonly synced: boolean;
  /** Failures since a watch last worked. */
  readonly failures: Failures;
  /** Lists after the first since the last healthy spell. */
  readonly relists: number;
  /** When the last list was completed, monotonic ms. */
  readonly listedAt: number;
}

/**
 * Where a Reflector stands. Each state has one thing under way: `listing` a page, `opening` and `watching` the same
 * watch request, `waiting` a timer, `stopped` nothing. `watching` has a probe besides, or the timer for the next one.
 */
export type State =
  | {
      readonly kind: "listing";
      readonly memory: Memory;
      /** Of the page under way; "" for the first. */
      readonly continueToken: string;
    }
  | { readonly kind: "opening"; readonly memory: Memory }
  | {
      readonly kind: "watching";
      readonly memory: Memory;
      /** When the server answered, monotonic ms. */
      readonly since: number;
      /** Whether this watch moved `resourceVersion`. */
      readonly progressed: boolean;
      /** When the server last spoke: its answer, an event or bookmark that is not older than what is known, or a probe's. */
      readonly heardAt: number;
      /** The version that was held when the probe under way was sent; undefined while a timer runs instead. */
      readonly probing: string | undefined;
      /** Probes of this watch that failed since one was answered. */
      readonly probeFailures: Failures;
    }
  | { readonly kind: "waiting"; readonly memory: Memory; readonly next: "list" | "watch" }
  | { readonly kind: "stopped"; readonly memory: Memory };

/** What can happen to a Reflector. Requests and timers that a state has left behind bring no more inputs. */
export type Input =
  /** A page arrived whole, and its items are in the store. */
  | { readonly kind: "page"; readonly resourceVersion: string; readonly continueToken: string }
  /** The server accepted the watch. */
  | { readonly kind: "opened" }
  /** An object changed, and the store knows. */
  | { readonly kind: "event"; readonly resourceVersion: string }
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  /** The server ended the watch as servers do. */
  | { readonly kind: "ended" }
  /** The request under way failed. */
  | { readonly kind: "failed"; readonly fault: Fault }
  /** The request under way passed its silence limit or its deadline. */
  | { readonly kind: "silence" }
  /** The timer of a wait. */
  | { readonly kind: "timer" }
  /** The timer for the next probe. */
  | { readonly kind: "probeDue" }
  /** The probe's answer: the version of the collection's most recent state. */
  | { readonly kind: "probed"; readonly resourceVersion: string }
  /** The probe failed, or passed its deadline. */
  | { readonly kind: "probeFailed"; readonly fault: Fault }
  /** The owner wants a fresh list. */
  | { readonly kind: "relist" }
  | { readonly kind: "stop" };

/** What the shell must do, in order. A request, wait or probe is always last. */
export type Effect =
  | { readonly kind: "beginList" }
  | { readonly kind: "endList" }
  | { readonly kind: "abandonList" }
  /** Give up the request or timer under way, and what is beside it; nothing more may come from them. */
  | { readonly kind: "cancel" }
  | {
      readonly kind: "list";
      /** "" asks for the most recent state; else not older than it. */
      readonly resourceVersion: string;
      readonly continueToken: string;
      readonly limit: number;
      readonly silenceMs: number;
      readonly deadlineMs: number;
    }
  | {
      readonly kind: "watch";
      readonly resourceVersion: string;
      readonly timeoutSeconds: number;
      /** Until the answer. */
      readonly openDeadlineMs: number;
      /** From then on, between bytes. */
      readonly silenceMs: number;
      /** For the whole watch, also one that drips bytes and never ends. */
      readonly deadlineMs: number;
    }
  | { readonly kind: "wait"; readonly delayMs: number }
  /** Beside the watch, and given up with it: ask for the most recent version. */
  | { readonly kind: "probe"; readonly deadlineMs: number }
  /** Beside the watch, and given up with it: a timer. */
  | { readonly kind: "probeLater"; readonly delayMs: number };

/** A transition's outcome. */
export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** The circumstances of an input: monotonic milliseconds, and a fresh random number in [0, 1). */
export interface At {
  readonly now: number;
  readonly random: number;
}

export type StateKind = State["kind"];
export type InputKind = Input["kind"];
export type StateOf<K extends StateKind> = Extract<State, { readonly kind: K }>;
export type InputOf<K extends InputKind> = Extract<Input, { readonly kind: K }>;
