import { systemClock } from "../runtime/clock.ts";
import { repeat } from "../runtime/repeat.ts";
import { picture, type View } from "./picture.ts";
import { plainLine } from "./plain.ts";
import type { Row } from "./story.ts";
import { Terminal } from "./terminal.ts";

/** How a demo is shown. */
export interface Show {
  /** A row of the story, once. */
  readonly row: (row: Row) => void;
  /** What `view` would give may have changed. */
  readonly change: () => void;
  /** The script is at its end, and the demo goes on. */
  readonly over: () => void;
  /** Ends it; then ordinary text can be printed. */
  readonly close: () => void;
}

/** Where a demo is shown, and what people do there. */
export interface ShowParts {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly view: () => View;
  readonly onQuit: () => void;
  readonly onAgain: () => void;
}

/** The shortest time between two pictures, and the longest: the clock in it goes on. */
const FRAME_MS = 80;
const TICK_MS = 1_000;

/** Whether pictures can be shown there. */
export function canShowPictures({
  stdout,
  environment,
}: Pick<ShowParts, "stdout" | "environment">): boolean {
  return stdout.isTTY && environment["TERM"] !== "dumb";
}

/** Shows lines, one after another. */
export function plainShow(stdout: NodeJS.WritableStream): Show {
  let isOpen = true;
  return {
    row: (row) => {
      if (isOpen) stdout.write(`${plainLine(row)}\n`);
    },
    change: () => {},
    over: () => {
      stdout.write("The clusters stay, for you to change things. Ctrl-C ends them.\n");
    },
    close: () => {
      isOpen = false;
    },
  };
}

/** Shows a picture that fills the terminal. */
export function pictureShow(parts: ShowParts): Show {
  const { stdin, stdout, environment, view, onQuit, onAgain } = parts;
  const ended = new AbortController();
  // https://no-color.org
  const colour = (environment["NO_COLOR"] ?? "") === "";
  const draw = (): void => terminal.draw(picture(view(), terminal.size));
  const terminal = new Terminal(stdin, stdout, colour, {
    onKey: (key) => {
      if (key === "q" || key === "\u0003") onQuit();
      if (key === "r") onAgain();
    },
    onResize: draw,
  });
  let isDue = false;
  const change = (): void => {
    if (isDue) return;
    isDue = true;
    systemClock.after(FRAME_MS, () => {
      isDue = false;
      draw();
    });
  };
  repeat(systemClock, TICK_MS, ended.signal, draw);
  draw();
  return {
    row: change,
    change,
    over: change,
    close: () => {
      ended.abort();
      terminal.close();
    },
  };
}
