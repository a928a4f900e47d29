import { expired } from "../api/errors.ts";
import type { Page } from "../api/list.ts";
import type { WatchEvent, WatchSink } from "../api/watch.ts";
import type { FaultAction } from "./rules.ts";

/** A page as the rules want it. */
export function faultyPage(page: Page, actions: readonly FaultAction[]): Page {
  let { items } = page;
  let { metadata } = page;
  for (const { kind } of actions) {
    if (kind === "empty-list") {
      items = [];
      metadata = { resourceVersion: metadata["resourceVersion"] ?? "" };
    }
    if (kind === "duplicate") items = items.flatMap((item) => [item, item]);
    if (kind === "reorder") items = items.toReversed();
  }
  return { items, metadata };
}

/** A sink that is told events as the rules want them. */
export function faultySink(sink: WatchSink, actions: readonly FaultAction[]): WatchSink {
  const kinds = new Set(actions.map((action) => action.kind));
  if (actions.some((action) => action.kind === "expire" && action.as === "event"))
    return expiredSink(sink);
  if (!kinds.has("duplicate") && !kinds.has("reorder")) return sink;
  let held: WatchEvent | undefined;
  const send = (event: WatchEvent): boolean => {
    const copies = kinds.has("duplicate") && event.type !== "ERROR" ? 2 : 1;
    let ready = true;
    for (let copy = 0; copy < copies; copy++) ready = sink.send(event);
    return ready;
  };
  return {
    send: (event) => {
      const moves = kinds.has("reorder") && event.type !== "BOOKMARK" && event.type !== "ERROR";
      if (moves && held === undefined) {
        held = event;
        return true;
      }
      const ready = send(event);
      const other = held;
      held = undefined;
      return other === undefined ? ready : send(other);
    },
    whenReady: (resume) => sink.whenReady(resume),
    end: () => {
      if (held !== undefined) send(held);
      sink.end();
    },
  };
}

/** Answers the first event by ERROR 410, and ends. */
function expiredSink(sink: WatchSink): WatchSink {
  let done = false;
  const finish = (): void => {
    if (done) return;
    done = true;
    sink.send({
      type: "ERROR",
      error: expired("too old resource version: by a rule of the simulation"),
    });
    sink.end();
  };
  return {
    send: () => {
      finish();
      return true;
    },
    whenReady: () => {},
    end: finish,
  };
}
