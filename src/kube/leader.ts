import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import {
  checkLimits,
  isLeading,
  mayWrite,
  startElection,
  transition,
} from "../core/lease/election.ts";
import {
  DEFAULT_LEASE_LIMITS,
  type Claim,
  type Instant,
  type LeaseEffect,
  type LeaseInput,
  type LeaseLimits,
  type LeaseRecord,
  type LeaseState,
  type LeaseStep,
  type LossReason,
} from "../core/lease/state.ts";
import { Fault, errorText, faultCode } from "../core/model/fault.ts";
import type { CancelTimer, Clock } from "../runtime/clock.ts";
import type { ApiRequest, ApiResponse } from "./api-client.ts";
import { asObject, type JsonObject } from "./json.ts";
import { decodeLease, encodeLease, leasePath, microTime } from "./lease.ts";

/** What a LeaderElection runs on. */
export interface LeaderElectionOptions {
  /** Sends requests as ApiClient does. It must not be one that is fenced by this election. */
  readonly api: { request(request: ApiRequest): Promise<Pick<ApiResponse, "body">> };
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Ours alone, also among processes of one host: see `leaseIdentity`. */
  readonly identity: string;
  readonly clock: Clock;
  /** A number in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** @default 15 s, 10 s, 2 s */
  readonly limits?: Partial<LeaseLimits>;
  /** We lead from now on. Must not throw. */
  readonly onElected?: () => void;
  /** We lead no more; `holder` is who was last seen to. The campaign goes on. Must not throw. */
  readonly onLost?: (reason: LossReason, holder: string) => void;
  /** The Lease could not be read or written; told when the code differs from that of the try before. Must not throw. */
  readonly onFault?: (fault: Fault) => void;
}

/** What is known of an election. A snapshot. */
export interface LeadershipFacts {
  readonly isLeader: boolean;
  /** Who holds the Lease, as last seen; "" when nobody does, or nothing was seen. */
  readonly holder: string;
  readonly transitions: number;
  /** What went wrong at the last try; undefined when it went well. */
  readonly fault: Fault | undefined;
}

const RELEASE_TRIES = 3;
const RELEASE_TIMEOUT_MS = 2_000;
/** What client-go leaves on a Lease that it gives back. */
const RELEASED_DURATION_MS = 1_000;

/** `<host>_<uuid>`: told apart from every other process, and from this one after a restart. */
export function leaseIdentity(): string {
  return `${hostname()}_${randomUUID()}`;
}

/**
 * Campaigns for a coordination.k8s.io/v1 Lease and keeps it. The decisions are core/lease's; this carries them out.
 *
 * Of two processes at most one has `mayWrite()` true at any instant. What was begun under it must have ended within
 * `writeGraceMs`, by a request timeout; a write that a server still works on after that is caught by its own
 * resourceVersion, or it is not caught. Assumed: clocks differ in speed by less than lease duration to renew deadline do,
 * no machine is suspended and has its wall clock set back at once, and nobody deletes a Lease that is held while a
 * candidate starts that has never seen it.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #limits: LeaseLimits;
  readonly #clock: Clock;
  readonly #random: () => number;

  #state: LeaseState | undefined;
  /** The object that the state's record was read from: what we do not understand of it is kept. */
  #lease: JsonObject | undefined;
  #isStopped = false;
  #hasWritten = false;
  #fault: Fault | undefined;
  #abort: AbortController | undefined;
  #request: Promise<void> = Promise.resolve();
  #cancelWait: CancelTimer | undefined;
  #stamp = { base: 0, more: 0 };

  /** Throws when the limits make no election. */
  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LEASE_LIMITS, ...options.limits };
    checkLimits(this.#limits);
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
  }

  /** How long a write may take that began under `mayWrite()`. */
  get writeGraceMs(): number {
    return this.#limits.leaseDurationMs - this.#limits.renewDeadlineMs;
  }

  /** Begins to campaign. Once. */
  start(): void {
    if (this.#state !== undefined) throw new Error("start leader election: it was started already");
    this.#take(startElection(this.#options.identity, this.#limits, this.#at()));
  }

  /** Whether we were elected and have not lost since. For people and for what only reads; a write asks `mayWrite`. */
  isLeader(): boolean {
    return !this.#isStopped && this.#state !== undefined && isLeading(this.#state);
  }

  /** The fence: whether a write may begin at this instant. Ask before every batch, as late as possible. */
  mayWrite(): boolean {
    return !this.#isStopped && this.#state !== undefined && mayWrite(this.#state, this.#at());
  }

  /** What is known now. */
  facts(): LeadershipFacts {
    const seen = this.#state?.seen;
    return {
      isLeader: this.isLeader(),
      holder: seen?.holder ?? "",
      transitions: seen?.transitions ?? 0,
      fault: this.#fault,
    };
  }

  /**
   * Ends the campaign: no write may begin from now on, and nothing is renewed; the Lease stays ours until it expires, or
   * is released. Resolves when no request is under way. May be called again, and without `start`. `onLost` is not called.
   */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelWait?.();
    this.#abort?.abort();
    await this.#request;
  }

  /**
   * Gives the Lease back, so that another need not wait for its end. Only after `stop`, and after the last write has ended.
   * Resolves with whether it was ours to give; rejects with a Fault when that could not be done.
   */
  async release(): Promise<boolean> {
    if (!this.#isStopped) throw new Error("release lease: the election was not stopped");
    if (!this.#hasWritten) return false;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#release();
      } catch (error) {
        // A renewal that was given up may have been carried out after all.
        if (faultCode(error) === "not-found") return false;
        if (faultCode(error) !== "conflict" || tries === RELEASE_TRIES) throw error;
      }
    }
  }

  async #release(): Promise<boolean> {
    const { record, lease } = await this.#send({ method: "GET", timeoutMs: RELEASE_TIMEOUT_MS });
    if (record.holder !== this.#options.identity) return false;
    const claim = { holder: "", transitions: record.transitions, isNew: true };
    const body = this.#encode({ ...claim, durationMs: RELEASED_DURATION_MS }, lease);
    await this.#send({ method: "PUT", body, timeoutMs: RELEASE_TIMEOUT_MS });
    return true;
  }

  #input(input: LeaseInput): void {
    if (this.#isStopped || this.#state === undefined) return;
    this.#take(transition(this.#state, input, { ...this.#at(), random: this.#random() }));
  }

  #take(step: LeaseStep): void {
    this.#state = step.state;
    for (const effect of step.effects) this.#perform(effect);
  }

  #perform(effect: LeaseEffect): void {
    switch (effect.kind) {
      case "elected":
        this.#options.onElected?.();
        return;
      case "lost":
        this.#options.onLost?.(effect.reason, effect.holder);
        return;
      case "wait":
        this.#cancelWait = this.#clock.after(effect.delayMs, () => this.#input({ kind: "timer" }));
        return;
      case "read":
      case "write":
        // A callback may have stopped us.
        if (!this.#isStopped) this.#request = this.#ask(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  async #ask(effect: Extract<LeaseEffect, { kind: "read" | "write" }>): Promise<void> {
    this.#abort = new AbortController();
    const facts = { timeoutMs: effect.timeoutMs, signal: this.#abort.signal };
    let input: LeaseInput;
    try {
      if (effect.kind === "read") {
        const { record, lease } = await this.#send({ method: "GET", ...facts });
        this.#lease = lease;
        input = { kind: "found", record };
      } else {
        this.#hasWritten = true;
        const { claim, over } = effect;
        const body = this.#encode(
          { ...claim, durationMs: this.#limits.leaseDurationMs },
          over === undefined ? undefined : this.#lease,
        );
        const method = over === undefined ? "POST" : "PUT";
        const { record, lease } = await this.#send({ method, body, ...facts });
        this.#lease = lease;
        input = { kind: "written", record };
      }
      this.#fault = undefined;
    } catch (error) {
      input = this.#failed(effect.kind, asFault(error));
    }
    this.#input(input);
  }

  #failed(asked: "read" | "write", fault: Fault): LeaseInput {
    if (asked === "read" && fault.code === "not-found") {
      this.#lease = undefined;
      this.#fault = undefined;
      return { kind: "missing" };
    }
    const isNews = this.#fault?.code !== fault.code;
    this.#fault = fault;
    if (isNews && !this.#isStopped) this.#options.onFault?.(fault);
    const { code, retryAfterMs } = fault;
    return { kind: "failed", code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }

  async #send(
    request: Pick<ApiRequest, "method" | "body" | "timeoutMs" | "signal">,
  ): Promise<{ readonly record: LeaseRecord; readonly lease: JsonObject }> {
    const { api, namespace, name } = this.#options;
    const path = leasePath(namespace, request.method === "POST" ? undefined : name);
    const { body } = await api.request({ path, ...request });
    return { record: decodeLease(body), lease: asObject(body) ?? {} };
  }

  #encode(
    claim: Claim & { readonly durationMs: number },
    over: JsonObject | undefined,
  ): JsonObject {
    const { namespace, name } = this.#options;
    return encodeLease({ namespace, name }, claim, this.#renewTime(), over);
  }

  /** Never the same twice in a row, or others would not see a renewal, even if the wall clock stands still. */
  #renewTime(): string {
    const base = Math.floor(this.#clock.now()) * 1_000;
    this.#stamp = { base, more: base === this.#stamp.base ? this.#stamp.more + 1 : 0 };
    return microTime(base + this.#stamp.more);
  }

  #at(): Instant {
    return { now: this.#clock.monotonic(), wall: this.#clock.now() };
  }
}

/** What is no Fault is a bug below us; to the election it is one more failure. */
function asFault(error: unknown): Fault {
  return faultCode(error) === undefined
    ? new Fault("malformed", errorText(error), { cause: error })
    : (error as Fault);
}
