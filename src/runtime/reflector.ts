import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { LinkProof } from "../core/model/link.ts";
import { start, transition } from "../core/reflector/machine.ts";
import {
  DEFAULT_LIMITS,
  type Effect,
  type Input,
  type ReflectorLimits,
  type State,
  type StateKind,
  type Step,
} from "../core/reflector/state.ts";
import type { Store } from "../core/reflector/store.ts";
import type { CancelTimer, Clock } from "./clock.ts";
import type { ListWatch } from "./list-watch.ts";

/** What is known of the connection to one collection. A snapshot: it does not change after it was given. */
export interface LinkFacts {
  readonly state: StateKind;
  /** Whether the store was a whole copy once. It stays true through later trouble: the copy is then old, not empty. */
  readonly synced: boolean;
  /** When the server last said something true of the collection (a page, an accepted watch, an event, a bookmark, a probe's answer), ms since the epoch. */
  readonly proofOfLifeAt: number | undefined;
  /** The same moment on the monotonic clock, for ages: a step of the wall clock does not change them. */
  readonly proofOfLifeMonotonic: number | undefined;
  /** What last went wrong, also when it has healed since. */
  readonly lastFault: Fault | undefined;
  /** When, ms since the epoch. */
  readonly lastFaultAt: number | undefined;
  /** Whether nothing has gone wrong since the server last spoke. */
  readonly isHealthy: boolean;
  /** Lists begun, the first included. */
  readonly lists: number;
  /** Watches that ended, by how: `ended`, `silence`, a fault's code, or `went-back` where a probe found an older version. */
  readonly watchEnds: Readonly<Record<string, number>>;
}

/** What `linkAt` wants to know, on the monotonic clock. */
export function linkProof(facts: LinkFacts, removed: boolean): LinkProof {
  return { synced: facts.synced, provenAt: facts.proofOfLifeMonotonic, removed };
}

/** What a Reflector is made of. */
export interface ReflectorOptions<T> {
  readonly source: ListWatch<T>;
  readonly store: Store<T>;
  readonly clock: Clock;
  /** A number in [0, 1). @default Math.random */
  readonly random?: () => number;
  readonly limits?: Partial<ReflectorLimits>;
  /** Told on every change of state and every fault, not on each event; `link()` is always current. Must not throw. */
  readonly onLink?: (facts: LinkFacts) => void;
}

/** `reason` of the Fault that says that a server's version went back: it was restored or replaced. */
export const WENT_BACK = "VersionWentBack";

/** One request: what comes from it once it is not the current one any more is dropped. */
interface Request {
  readonly abort: AbortController;
  cancelSilence: CancelTimer;
  cancelDeadline: CancelTimer;
  lastByteAt: number;
}

/** What goes on beside an open watch: one probe, or the timer for the next. */
interface Side {
  readonly abort: AbortController;
  cancelTimer: CancelTimer;
}

/** Keeps a Store equal to a server's collection by list and watch. The decisions are core/reflector's; this carries them out. */
export class Reflector<T> {
  readonly #source: ListWatch<T>;
  readonly #store: Store<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #limits: ReflectorLimits;
  readonly #onLink: (facts: LinkFacts) => void;
  readonly #watchEnds = new Map<string, number>();

  #state: State | undefined;
  #request: Request | undefined;
  #side: Side | undefined;
  #cancelWait: CancelTimer | undefined;
  #proofOfLifeAt: number | undefined;
  #proofOfLifeMonotonic: number | undefined;
  #lastFault: Fault | undefined;
  #lastFaultAt: number | undefined;
  #isHealthy = true;
  #lists = 0;
  #settle: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#source = options.source;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#onLink = options.onLink ?? (() => {});
  }

  /**
   * Follows the collection until `signal` aborts, then resolves. No fault of the server ends it.
   * Rejects only with what the store or `onLink` threw, which is a bug of theirs; nothing runs on after that.
   * May be called once.
   */
  run(signal: AbortSignal): Promise<void> {
    if (this.#settle !== undefined) throw new Error("run reflector: it ran already");
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#input({ kind: "stop" });
      const done = (): void => signal.removeEventListener("abort", onAbort);
      this.#settle = {
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener("abort", onAbort);
      this.#guard(() => this.#take(start(this.#limits)));
    });
  }

  /** Asks for a list even though nothing is known to be wrong. Without effect while one runs, or before and after `run`. */
  relist(): void {
    this.#input({ kind: "relist" });
  }

  /** What is known now. */
  link(): LinkFacts {
    return {
      state: this.#state?.kind ?? "stopped",
      synced: this.#state?.memory.synced ?? false,
      proofOfLifeAt: this.#proofOfLifeAt,
      proofOfLifeMonotonic: this.#proofOfLifeMonotonic,
      lastFault: this.#lastFault,
      lastFaultAt: this.#lastFaultAt,
      isHealthy: this.#isHealthy,
      lists: this.#lists,
      watchEnds: Object.fromEntries(this.#watchEnds),
    };
  }

  #input(input: Input): void {
    this.#guard(() => {
      const before = this.#state;
      if (before === undefined || before.kind === "stopped") return;
      const fault = this.#isHealthy ? undefined : this.#lastFault;
      this.#note(before, input);
      const at = { now: this.#clock.monotonic(), random: this.#random() };
      const step = transition(before, input, at);
      if (input.kind === "probed" && step.state.kind !== "watching") {
        this.#noteWentBack(before, input.resourceVersion);
      }
      const isNews = fault !== (this.#isHealthy ? undefined : this.#lastFault);
      this.#take(step, before.kind, isNews);
    });
  }

  #note(before: State, input: Input): void {
    switch (input.kind) {
      case "page":
      case "opened":
      case "event":
      case "bookmark":
      case "probed":
        this.#proofOfLifeAt = this.#clock.now();
        this.#proofOfLifeMonotonic = this.#clock.monotonic();
        this.#isHealthy = true;
        return;
      case "failed":
        this.#fault(input.fault);
        this.#countWatchEnd(before, input.fault.code);
        return;
      case "silence":
        this.#fault(new Fault("timeout", `${before.kind}: the server went silent`));
        this.#countWatchEnd(before, "silence");
        return;
      case "probeFailed":
        this.#fault(input.fault);
        return;
      case "ended":
        this.#countWatchEnd(before, "ended");
        return;
      case "timer":
      case "probeDue":
      case "relist":
      case "stop":
        return;
    }
  }

  #noteWentBack(before: State, version: string): void {
    const text = `the server's version went back to ${version} from ${before.memory.resourceVersion}`;
    this.#fault(new Fault("gone", text, { reason: WENT_BACK }));
    this.#countWatchEnd(before, "went-back");
  }

  #fault(fault: Fault): void {
    this.#lastFault = fault;
    this.#lastFaultAt = this.#clock.now();
    this.#isHealthy = false;
  }

  #countWatchEnd(before: State, reason: string): void {
    if (before.kind !== "opening" && before.kind !== "watching") return;
    this.#watchEnds.set(reason, (this.#watchEnds.get(reason) ?? 0) + 1);
  }

  #take(step: Step, before?: StateKind, isNews = false): void {
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
    if (step.state.kind !== before || isNews) this.#onLink(this.link());
    if (step.state.kind === "stopped") this.#settle?.resolve();
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "beginList":
        this.#lists++;
        this.#store.beginList();
        return;
      case "endList":
        this.#store.endList();
        return;
      case "abandonList":
        this.#store.abandonList();
        return;
      case "cancel":
        this.#cancel();
        return;
      case "wait":
        this.#cancelWait = this.#clock.after(effect.delayMs, () => this.#input({ kind: "timer" }));
        return;
      case "list":
        void this.#list(effect);
        return;
      case "watch":
        void this.#watch(effect);
        return;
      case "probe":
        void this.#probe(effect.deadlineMs);
        return;
      case "probeLater":
        this.#beside(effect.delayMs, () => ({ kind: "probeDue" }));
        return;
    }
  }

  async #list(effect: Extract<Effect, { kind: "list" }>): Promise<void> {
    const request = this.#begin(effect.silenceMs, effect.deadlineMs);
    let input: Input;
    try {
      const page = await this.#source.list({
        resourceVersion: effect.resourceVersion,
        continueToken: effect.continueToken,
        limit: effect.limit,
        signal: request.abort.signal,
        onBytes: () => this.#alive(request),
        onItem: (item) => this.#ifCurrent(request, () => this.#store.put(item)),
      });
      input = { kind: "page", ...page };
    } catch (error) {
      input = { kind: "failed", fault: asFault(error) };
    }
    this.#finish(request, input);
  }

  async #watch(effect: Extract<Effect, { kind: "watch" }>): Promise<void> {
    const request = this.#begin(effect.openDeadlineMs, effect.deadlineMs);
    let input: Input;
    try {
      await this.#source.watch({
        resourceVersion: effect.resourceVersion,
        timeoutSeconds: effect.timeoutSeconds,
        signal: request.abort.signal,
        onBytes: () => this.#alive(request),
        onOpen: () =>
          this.#ifCurrent(request, () => {
            this.#watchSilence(request, effect.silenceMs);
            this.#input({ kind: "opened" });
          }),
        onEvent: (event) =>
          this.#ifCurrent(request, () => {
            if (event.kind === "put") this.#store.put(event.item);
            else if (event.kind === "remove") this.#store.remove(event.item);
            const kind = event.kind === "bookmark" ? "bookmark" : "event";
            this.#input({ kind, resourceVersion: event.resourceVersion });
          }),
      });
      input = { kind: "ended" };
    } catch (error) {
      input = { kind: "failed", fault: asFault(error) };
    }
    this.#finish(request, input);
  }

  async #probe(deadlineMs: number): Promise<void> {
    const side = this.#beside(deadlineMs, () => {
      side.abort.abort();
      const text = `probe: no answer within ${deadlineMs} ms`;
      return { kind: "probeFailed", fault: new Fault("timeout", text) };
    });
    let input: Input;
    try {
      const { resourceVersion } = await this.#source.probe({ signal: side.abort.signal });
      input = { kind: "probed", resourceVersion };
    } catch (error) {
      input = { kind: "probeFailed", fault: asFault(error) };
    }
    if (this.#side !== side) return;
    this.#endSide();
    this.#input(input);
  }

  /** Puts something beside the watch, which becomes `late()` unless it is over within `delayMs`. */
  #beside(delayMs: number, late: () => Input): Side {
    this.#endSide();
    const side: Side = { abort: new AbortController(), cancelTimer: () => {} };
    this.#side = side;
    side.cancelTimer = this.#clock.after(delayMs, () => {
      if (this.#side !== side) return;
      this.#side = undefined;
      this.#input(late());
    });
    return side;
  }

  #endSide(): void {
    const side = this.#side;
    this.#side = undefined;
    side?.cancelTimer();
    side?.abort.abort();
  }

  #begin(silenceMs: number, deadlineMs: number): Request {
    const request: Request = {
      abort: new AbortController(),
      cancelSilence: () => {},
      cancelDeadline: () => {},
      lastByteAt: 0,
    };
    this.#request = request;
    this.#watchSilence(request, silenceMs);
    request.cancelDeadline = this.#clock.after(deadlineMs, () =>
      this.#ifCurrent(request, () => this.#input({ kind: "silence" })),
    );
    return request;
  }

  /** Bytes only note the time; one timer checks it, so that a storm of events sets no timers. */
  #watchSilence(request: Request, silenceMs: number): void {
    request.cancelSilence();
    request.lastByteAt = this.#clock.monotonic();
    const check = (): void =>
      this.#ifCurrent(request, () => {
        const leftMs = request.lastByteAt + silenceMs - this.#clock.monotonic();
        if (leftMs <= 0) this.#input({ kind: "silence" });
        else request.cancelSilence = this.#clock.after(leftMs, check);
      });
    request.cancelSilence = this.#clock.after(silenceMs, check);
  }

  #alive(request: Request): void {
    request.lastByteAt = this.#clock.monotonic();
  }

  #ifCurrent(request: Request, action: () => void): void {
    if (this.#request === request) this.#guard(action);
  }

  #finish(request: Request, input: Input): void {
    if (this.#request !== request) return;
    this.#release(request);
    this.#input(input);
  }

  #release(request: Request): void {
    this.#request = undefined;
    this.#endSide();
    request.cancelSilence();
    request.cancelDeadline();
  }

  #cancel(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const request = this.#request;
    if (request === undefined) return;
    this.#release(request);
    request.abort.abort();
  }

  /** Runs what may call the owner's code. If that throws, everything stops and `run` rejects with it. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#cancel();
      if (this.#state !== undefined) this.#state = { kind: "stopped", memory: this.#state.memory };
      this.#settle?.reject(error as Error);
    }
  }
}

/** A source that rejects with something else than a Fault has a bug; to the machine it is one more failure. */
function asFault(error: unknown): Fault {
  return faultCode(error) === undefined
    ? new Fault("malformed", errorText(error), { cause: error })
    : (error as Fault);
}
