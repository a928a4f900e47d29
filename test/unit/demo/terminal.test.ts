import { EventEmitter } from "node:events";
import type { ReadStream, WriteStream } from "node:tty";
import { describe, expect, test } from "@jest/globals";
import { span } from "../../../src/demo/line.ts";
import { Terminal } from "../../../src/demo/terminal.ts";

class FakeStdout extends EventEmitter {
  written = "";
  columns = 80;
  rows = 24;
  write(text: string): boolean {
    this.written += text;
    return true;
  }
}

class FakeStdin extends EventEmitter {
  readonly isTTY = true;
  isRaw = false;
  isPaused = true;
  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }
  resume(): this {
    this.isPaused = false;
    return this;
  }
  pause(): this {
    this.isPaused = true;
    return this;
  }
}

function open(events: Partial<{ onKey: (key: string) => void; onResize: () => void }> = {}): {
  stdin: FakeStdin;
  stdout: FakeStdout;
  terminal: Terminal;
} {
  const stdin = new FakeStdin();
  const stdout = new FakeStdout();
  const terminal = new Terminal(
    stdin as unknown as ReadStream,
    stdout as unknown as WriteStream,
    true,
    { onKey: () => {}, onResize: () => {}, ...events },
  );
  return { stdin, stdout, terminal };
}

describe("the demo's terminal", () => {
  test("is given back as it was found: screen, cursor, input mode, listeners", () => {
    const before = process.listenerCount("exit");
    const { stdin, stdout, terminal } = open();
    expect(stdout.written).toBe("\u001B[?1049h\u001B[?25l");
    expect(stdin).toMatchObject({ isRaw: true, isPaused: false });
    stdout.written = "";
    terminal.close();
    terminal.close();
    expect(stdout.written).toBe("\u001B[?25h\u001B[?1049l");
    expect(stdin).toMatchObject({ isRaw: false, isPaused: true });
    expect(stdin.listenerCount("data") + stdout.listenerCount("resize")).toBe(0);
    expect(process.listenerCount("exit")).toBe(before);
  });

  test("is given back before an uncaught error is printed, and drawing on is without effect", () => {
    const { stdout, terminal } = open();
    const listeners = process.listeners("uncaughtExceptionMonitor");
    listeners.at(-1)?.(new Error("boom"), "uncaughtException");
    expect(stdout.written).toContain("\u001B[?25h\u001B[?1049l");
    stdout.written = "";
    terminal.draw([[span("late")]]);
    expect(stdout.written).toBe("");
  });

  test("is not written to when nothing changed, and drawn anew when its size did", () => {
    let resized = 0;
    const { stdout, terminal } = open({ onResize: () => resized++ });
    const lines = [[span("a")], [span("b", "bold")]];
    stdout.written = "";
    terminal.draw(lines);
    expect(stdout.written).toBe("\u001B[Ha\u001B[K\r\n\u001B[1mb\u001B[0m\u001B[K\u001B[J");
    stdout.written = "";
    terminal.draw(lines);
    expect(stdout.written).toBe("");
    stdout.columns = 100;
    stdout.emit("resize");
    expect(resized).toBe(1);
    expect(terminal.size).toEqual({ columns: 100, rows: 24 });
    terminal.draw(lines);
    expect(stdout.written).not.toBe("");
    terminal.close();
  });

  test("tells keys one by one", () => {
    const keys: string[] = [];
    const { stdin, terminal } = open({ onKey: (key) => keys.push(key) });
    stdin.emit("data", Buffer.from("rq\u0003"));
    expect(keys).toEqual(["r", "q", "\u0003"]);
    terminal.close();
  });
});
