import type { Clock } from "../../runtime/clock.ts";
import type { Reply } from "../http/reply.ts";
import type { FaultAction } from "./rules.ts";

/** A Reply whose bytes are cut, held back or slowed down before they reach the client. */
export class FaultyReply implements Reply {
  private readonly reply: Reply;
  private readonly clock: Clock;
  private readonly ending: { readonly at: number; readonly how: "reset" | "clean" | "stall" };
  private readonly drip: { readonly bytes: number; readonly everyMs: number } | undefined;
  /** What waits to be sent, drop by drop. */
  private pending: Buffer = Buffer.alloc(0);
  private timer: (() => void) | undefined;
  private sent = 0;
  private over = false;
  private endWhenDry = false;
  private resume: (() => void) | undefined;

  constructor(reply: Reply, clock: Clock, actions: readonly FaultAction[]) {
    this.reply = reply;
    this.clock = clock;
    this.ending = endOf(actions);
    this.drip = actions.find((action) => action.kind === "drip");
    reply.whenClosed(() => {
      this.over = true;
      this.timer?.();
    });
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    const own: Record<string, string> = { ...headers };
    // A body that ends early but well has another length than was meant.
    if (this.ending.how === "clean") delete own["Content-Length"];
    this.reply.begin(status, own);
    if (this.ending.at === 0) this.finish();
  }

  write(chunk: Buffer | string): boolean {
    if (this.over) return true;
    const data = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (this.drip === undefined) return this.send(data);
    this.pending = Buffer.concat([this.pending, data]);
    this.drop();
    return this.pending.length < this.drip.bytes;
  }

  whenReady(resume: () => void): void {
    if (this.drip === undefined) this.reply.whenReady(resume);
    else this.resume = resume;
  }

  end(): void {
    if (this.over) return;
    if (this.pending.length > 0) this.endWhenDry = true;
    else this.reply.end();
  }

  whenClosed(callback: () => void): void {
    this.reply.whenClosed(callback);
  }

  destroy(): void {
    this.reply.destroy();
  }

  /** Sends what may be sent. Once the end is reached nothing more is. */
  private send(data: Buffer): boolean {
    const left = this.ending.at - this.sent;
    if (data.length < left) {
      this.sent += data.length;
      return this.reply.write(data);
    }
    if (left > 0) this.reply.write(data.subarray(0, left));
    this.sent = this.ending.at;
    this.finish();
    return true;
  }

  private finish(): void {
    this.over = true;
    this.timer?.();
    if (this.ending.how === "clean") this.reply.end();
    // What was written must reach the client before the connection breaks.
    else if (this.ending.how === "reset") this.clock.after(10, () => this.reply.destroy());
  }

  private drop(): void {
    const { drip } = this;
    if (drip === undefined || this.timer !== undefined || this.over) return;
    this.timer = this.clock.after(drip.everyMs, () => {
      this.timer = undefined;
      const data = this.pending.subarray(0, drip.bytes);
      this.pending = this.pending.subarray(drip.bytes);
      if (data.length > 0) this.send(data);
      if (this.over) return;
      if (this.pending.length > 0) this.drop();
      else if (this.endWhenDry) this.reply.end();
      else {
        const { resume } = this;
        this.resume = undefined;
        resume?.();
      }
    });
  }
}

function endOf(actions: readonly FaultAction[]): {
  readonly at: number;
  readonly how: "reset" | "clean" | "stall";
} {
  let out: { at: number; how: "reset" | "clean" | "stall" } = { at: Infinity, how: "reset" };
  for (const action of actions) {
    if (action.kind === "truncate" && action.at < out.at)
      out = { at: action.at, how: action.ending };
    if (action.kind === "stall" && action.at < out.at) out = { at: action.at, how: "stall" };
  }
  return out;
}
