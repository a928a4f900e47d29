import { Fault } from "../../src/core/model/fault.ts";
import type { ListPage, WatchEvent } from "../../src/core/reflector/store.ts";
import type { ListWatch } from "../../src/runtime/list-watch.ts";

type ListRequest<T> = Parameters<ListWatch<T>["list"]>[0];
type WatchRequest<T> = Parameters<ListWatch<T>["watch"]>[0];
type ProbeRequest = Parameters<ListWatch<unknown>["probe"]>[0];

/** A request that waits for the test's answer. */
export interface PendingList<T> extends ListRequest<T> {
  readonly kind: "list";
  answer(items: readonly T[], page: ListPage): void;
  fail(error: Error, items?: readonly T[]): void;
}

export interface PendingWatch<T> extends WatchRequest<T> {
  readonly kind: "watch";
  open(): void;
  send(...events: readonly WatchEvent<T>[]): void;
  end(): void;
  fail(error: Error): void;
}

export interface PendingProbe extends ProbeRequest {
  answer(resourceVersion: string): void;
  fail(error: Error): void;
}

/** A ListWatch whose every answer the test gives by hand. An aborted request rejects, as the port demands. */
export class ScriptedListWatch<T> implements ListWatch<T> {
  /** All lists and watches so far, oldest first. */
  readonly requests: (PendingList<T> | PendingWatch<T>)[] = [];
  /** All probes so far, oldest first. */
  readonly probes: PendingProbe[] = [];

  list(request: ListRequest<T>): Promise<ListPage> {
    return new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () => reject(new Fault("aborted", "list given up")));
      this.requests.push({
        ...request,
        kind: "list",
        answer: (items, page) => {
          for (const item of items) request.onItem(item);
          resolve(page);
        },
        fail: (error, items = []) => {
          for (const item of items) request.onItem(item);
          reject(error);
        },
      });
    });
  }

  watch(request: WatchRequest<T>): Promise<void> {
    return new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () =>
        reject(new Fault("aborted", "watch given up")),
      );
      this.requests.push({
        ...request,
        kind: "watch",
        open: () => request.onOpen(),
        send: (...events) => {
          request.onBytes();
          for (const event of events) request.onEvent(event);
        },
        end: resolve,
        fail: reject,
      });
    });
  }

  probe(request: ProbeRequest): Promise<{ readonly resourceVersion: string }> {
    return new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () =>
        reject(new Fault("aborted", "probe given up")),
      );
      this.probes.push({
        ...request,
        answer: (resourceVersion) => resolve({ resourceVersion }),
        fail: reject,
      });
    });
  }

  /** The newest probe. */
  get lastProbe(): PendingProbe {
    const last = this.probes.at(-1);
    if (last === undefined) throw new Error("there was no probe");
    return last;
  }

  /** The newest request, which must be a list. */
  get lastList(): PendingList<T> {
    const last = this.requests.at(-1);
    if (last?.kind !== "list") throw new Error(`the last request is ${last?.kind ?? "none"}`);
    return last;
  }

  /** The newest request, which must be a watch. */
  get lastWatch(): PendingWatch<T> {
    const last = this.requests.at(-1);
    if (last?.kind !== "watch") throw new Error(`the last request is ${last?.kind ?? "none"}`);
    return last;
  }
}
