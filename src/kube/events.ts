import { LRUCache } from "lru-cache";
import { errorText, faultCode, Fault, type FaultCode } from "../core/model/fault.ts";
import { sleep, type CancelTimer, type Clock } from "../runtime/clock.ts";
import { TokenBucket, type Rate } from "../runtime/token-bucket.ts";
import type { ApiRequest } from "./api-client.ts";
import { microTime } from "./lease.ts";

/** The object that an Event is about. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for a cluster-scoped object; its Events are in `default`. */
  readonly namespace?: string;
  /** Of the very object, where it is known: `kubectl describe` asks for it. */
  readonly uid?: string;
}

/** Something that happened, for people. */
export interface EventFacts {
  readonly regarding: ObjectReference;
  /** `Warning` for what a person should look at. */
  readonly type: "Normal" | "Warning";
  /** In CamelCase, e.g. `SetCreated`; few different ones. */
  readonly reason: string;
  /** A sentence with numbers rather than lists; cut to 1024 bytes. */
  readonly note: string;
  /** What was done about the object, in CamelCase. @default the reason */
  readonly action?: string;
}

/** Why an Event was not written: too many, too many waiting, the server said no, or it did not answer. */
export type DropReason = "rate" | "queue" | "refused" | "unsent";

/** What became of the events recorded so far. */
export interface EventCounts {
  /** Events made on the server. */
  readonly created: number;
  /** Those that only raised the count of an Event. */
  readonly folded: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
}

/** The numbers of an EventRecorder. */
export interface EventLimits {
  /** New Events about one object. */
  readonly perObject: Rate;
  /** Requests about all objects. */
  readonly total: Rate;
  /** Events that wait to be sent. */
  readonly queue: number;
  /** Counts are brought up to date this often. */
  readonly seriesMs: number;
  /** What comes again after this much quiet is a new Event. */
  readonly quietMs: number;
  /** Events and objects that are remembered. */
  readonly remembered: number;
}

/** What an API server bears from a controller that nobody looks at. */
export const DEFAULT_EVENT_LIMITS: EventLimits = {
  perObject: { burst: 10, perSecond: 1 / 60 },
  total: { burst: 100, perSecond: 5 },
  queue: 500,
  seriesMs: 30_000,
  quietMs: 6 * 60_000,
  remembered: 4_096,
};

/** What an EventRecorder runs on. */
export interface EventRecorderOptions {
  readonly api: { request(request: ApiRequest): Promise<unknown> };
  readonly clock: Clock;
  /** Who we are among our replicas, e.g. the pod's name; cut to 128 characters. */
  readonly reportingInstance: string;
  /** @default "wayleave.dev/operator" */
  readonly reportingController?: string;
  readonly limits?: Partial<EventLimits>;
  /** Told of each event that is dropped. Must not throw. */
  readonly onDropped?: (reason: DropReason, why: string) => void;
}

/** An Event, and how often it was seen. */
interface Series {
  readonly path: string;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly key: string;
  count: number;
  lastMicros: number;
  /** Monotonic. */
  lastAt: number;
  state: "queued" | "written" | "dropped";
  /** How often it was seen by what the server has. */
  writtenCount: number;
}

const API_VERSION = "events.k8s.io/v1";
const MAX_NOTE_BYTES = 1_024;
const MAX_TEXT = 128;
const TRIES = 4;
const RETRY_MS = 1_000;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_RETRY_AFTER_MS = 30_000;
/** What can be over soon. */
const PASSING: ReadonlySet<FaultCode> = new Set<FaultCode>([
  "connection",
  "timeout",
  "unavailable",
  "server-error",
  "too-many-requests",
]);
/** So long nothing is tried after the server denied us: a missing permission is not asked for with every event. */
const DENIED_MS = 60_000;

/**
 * Writes events.k8s.io/v1 Events. `record` never waits and never throws: what is the same as before, or too much, raises
 * the count of an Event that is there; what cannot be counted so, or cannot be sent, is dropped and counted here.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #limits: EventLimits;
  readonly #clock: Clock;
  readonly #total: TokenBucket;
  readonly #perObject: LRUCache<string, TokenBucket>;
  /** By all that makes events equal. */
  readonly #same: LRUCache<string, Series>;
  /** The last Event by object, type, reason and action: what too many notes are counted on. */
  readonly #similar: LRUCache<string, Series>;
  readonly #queue: Series[] = [];
  readonly #stale = new Set<Series>();
  readonly #abort = new AbortController();
  readonly #dropped: Record<DropReason, number> = { rate: 0, queue: 0, refused: 0, unsent: 0 };
  #created = 0;
  #folded = 0;
  #lastMicros = 0;
  #deniedUntil = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #cancelRefresh: CancelTimer | undefined;
  #isStopped = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_EVENT_LIMITS, ...options.limits };
    this.#clock = options.clock;
    this.#total = new TokenBucket(this.#limits.total, this.#clock.monotonic());
    const max = this.#limits.remembered;
    this.#perObject = new LRUCache({ max });
    this.#similar = new LRUCache({ max });
    this.#same = new LRUCache({ max });
  }

  /** What became of all that was recorded. */
  counts(): EventCounts {
    return { created: this.#created, folded: this.#folded, dropped: { ...this.#dropped } };
  }

  /** Takes note of an event; it is written soon, if at all. */
  record(event: EventFacts): void {
    const now = this.#clock.monotonic();
    if (this.#isStopped || now < this.#deniedUntil) {
      this.#drop("refused", this.#isStopped ? "stopped" : "the server denied events before");
      return;
    }
    const { regarding, type, reason, action = reason } = event;
    const object = JSON.stringify([
      regarding.apiVersion,
      regarding.kind,
      regarding.namespace,
      regarding.name,
      regarding.uid,
    ]);
    const kind = JSON.stringify([object, type, reason, action]);
    const key = JSON.stringify([kind, event.note]);
    const known = this.#same.get(key);
    if (known !== undefined && this.#isAlive(known, now)) {
      this.#fold(known, now);
      return;
    }
    if (!this.#mayCreate(object, now)) {
      const similar = this.#similar.get(kind);
      if (similar !== undefined && this.#isAlive(similar, now)) this.#fold(similar, now);
      else this.#drop("rate", "too many events");
      return;
    }
    if (this.#queue.length >= this.#limits.queue) {
      this.#drop("queue", "too many events wait");
      return;
    }
    const series = this.#series(event, key, now);
    this.#same.set(key, series);
    this.#similar.set(kind, series);
    this.#enqueue(series);
  }

  /** Sends what waits, for at most `patienceMs`, and drops the rest; what is recorded later is dropped. */
  async stop(patienceMs = 2_000): Promise<void> {
    this.#isStopped = true;
    this.#cancelRefresh?.();
    for (const series of this.#stale) this.#enqueue(series);
    const cancel = this.#clock.after(patienceMs, () => this.#abort.abort());
    await this.#sending;
    cancel();
  }

  #isAlive(series: Series, now: number): boolean {
    return series.state !== "dropped" && now - series.lastAt < this.#limits.quietMs;
  }

  #mayCreate(object: string, now: number): boolean {
    let bucket = this.#perObject.get(object);
    if (bucket === undefined) {
      this.#perObject.set(object, (bucket = new TokenBucket(this.#limits.perObject, now)));
    }
    return bucket.take(now) && this.#total.take(now);
  }

  #series(event: EventFacts, key: string, now: number): Series {
    const { regarding, type, reason, action = reason } = event;
    const { reportingInstance, reportingController = "wayleave.dev/operator" } = this.#options;
    const micros = this.#micros();
    const namespace = regarding.namespace ?? "default";
    const name = `${eventPrefix(regarding.name)}.${micros.toString(16)}`;
    return {
      path: `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/events`,
      name,
      body: {
        apiVersion: API_VERSION,
        kind: "Event",
        metadata: { name, namespace },
        eventTime: microTime(micros),
        type,
        reason: reason.slice(0, MAX_TEXT),
        action: action.slice(0, MAX_TEXT),
        note: cutToBytes(event.note, MAX_NOTE_BYTES),
        regarding,
        reportingController,
        reportingInstance: reportingInstance.slice(0, MAX_TEXT),
      },
      key,
      count: 1,
      lastMicros: micros,
      lastAt: now,
      state: "queued",
      writtenCount: 0,
    };
  }

  #fold(series: Series, now: number): void {
    this.#folded++;
    series.count++;
    series.lastAt = now;
    series.lastMicros = this.#micros();
    if (series.state !== "written") return;
    this.#stale.add(series);
    this.#cancelRefresh ??= this.#clock.after(this.#limits.seriesMs, () => this.#refresh());
  }

  /** Brings the counts on the server up to date; those that are too many for now keep until the next time. */
  #refresh(): void {
    this.#cancelRefresh = undefined;
    for (const series of this.#stale) {
      if (this.#queue.length >= this.#limits.queue) break;
      if (!this.#total.take(this.#clock.monotonic())) break;
      this.#enqueue(series);
    }
    if (this.#stale.size > 0) {
      this.#cancelRefresh = this.#clock.after(this.#limits.seriesMs, () => this.#refresh());
    }
  }

  #enqueue(series: Series): void {
    this.#stale.delete(series);
    this.#queue.push(series);
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    for (let series = this.#queue.shift(); series !== undefined; series = this.#queue.shift()) {
      await this.#send(series);
    }
    this.#sending = undefined;
  }

  async #send(series: Series): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (this.#clock.monotonic() < this.#deniedUntil) {
          throw new Fault("forbidden", "the server denied events before");
        }
        await this.#write(series);
        return;
      } catch (error) {
        const wait = this.#retryAfterMs(error, tries);
        if (wait === undefined) {
          this.#giveUp(series, error);
          return;
        }
        await sleep(this.#clock, wait, this.#abort.signal).catch(() => {});
      }
    }
  }

  async #write(series: Series): Promise<void> {
    const { count, path, name } = series;
    const seen = { count, lastObservedTime: microTime(series.lastMicros) };
    const send = async (request: Pick<ApiRequest, "method" | "path" | "body" | "contentType">) =>
      this.#options.api.request({
        ...request,
        timeoutMs: REQUEST_TIMEOUT_MS,
        signal: this.#abort.signal,
      });
    const create = async (): Promise<void> => {
      const body = count === 1 ? series.body : { ...series.body, series: seen };
      try {
        await send({ method: "POST", path, body });
        this.#created++;
      } catch (error) {
        // An earlier try arrived after all.
        if (faultCode(error) !== "already-exists") throw error;
        this.#created++;
      }
    };
    if (series.state === "queued") await create();
    else {
      try {
        await send({
          method: "PATCH",
          path: `${path}/${encodeURIComponent(name)}`,
          body: { series: seen },
          contentType: "application/merge-patch+json",
        });
      } catch (error) {
        // Servers forget Events after an hour.
        if (faultCode(error) !== "not-found") throw error;
        await create();
      }
    }
    series.state = "written";
    series.writtenCount = count;
    // Seen again while it was under way.
    if (series.count > count && !this.#isStopped) {
      this.#stale.add(series);
      this.#cancelRefresh ??= this.#clock.after(this.#limits.seriesMs, () => this.#refresh());
    }
  }

  /** How long to wait before the next try; undefined when there is none. */
  #retryAfterMs(error: unknown, tries: number): number | undefined {
    if (tries === TRIES || this.#abort.signal.aborted) return undefined;
    const code = faultCode(error);
    if (code === undefined || !PASSING.has(code)) return undefined;
    const askedMs = Math.min((error as Fault).retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
    return Math.max(RETRY_MS * 2 ** (tries - 1), askedMs);
  }

  #giveUp(series: Series, error: unknown): void {
    const code = faultCode(error);
    const isDenied = code === "unauthorized" || code === "forbidden";
    const now = this.#clock.monotonic();
    if (isDenied && now >= this.#deniedUntil) this.#deniedUntil = now + DENIED_MS;
    const isSent = code === "bad-request" || code === "invalid" || code === "not-found";
    series.state = "dropped";
    this.#stale.delete(series);
    if (this.#same.peek(series.key) === series) this.#same.delete(series.key);
    const lost = series.count - series.writtenCount;
    for (let i = 0; i < lost; i++) {
      this.#drop(isDenied || isSent ? "refused" : "unsent", errorText(error));
    }
  }

  #drop(reason: DropReason, why: string): void {
    this.#dropped[reason]++;
    this.#options.onDropped?.(reason, why);
  }

  /** The wall clock in microseconds, never the same twice: Events are named by it. */
  #micros(): number {
    this.#lastMicros = Math.max(Math.floor(this.#clock.now()) * 1_000, this.#lastMicros + 1);
    return this.#lastMicros;
  }
}

/** The beginning of an Event's name: a DNS subdomain, with room for the rest. */
function eventPrefix(name: string): string {
  const cut = name
    .toLowerCase()
    .replaceAll(/[^-a-z0-9.]/g, "-")
    .slice(0, 200)
    .replace(/^[-.]+/, "")
    .replace(/[-.]+$/, "");
  return cut === "" ? "event" : cut;
}

/** The longest beginning of `text` that has at most `max` bytes of UTF-8, with an ellipsis when it is cut. */
function cutToBytes(text: string, max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  const ellipsis = "…";
  let end = max - Buffer.byteLength(ellipsis);
  // Not within a character: continuation bytes begin with the bits 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString()}${ellipsis}`;
}
