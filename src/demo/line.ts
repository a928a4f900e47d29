/** How a piece of text stands out. Nothing assumes a background: these are the terminal's own colours. */
export type Look = "plain" | "bold" | "dim" | "good" | "bad";

/** A piece of a line in one look. */
export interface Span {
  readonly text: string;
  readonly look: Look;
}

/** One line of a picture. */
export type Line = readonly Span[];

/** Select Graphic Rendition parameters (ECMA-48 8.3.117). */
const CODES: Readonly<Record<Look, string>> = {
  plain: "",
  bold: "1",
  dim: "2",
  good: "32",
  bad: "31",
};
const COLOURS: ReadonlySet<Look> = new Set(["good", "bad"]);

/** A piece of text. */
export function span(text: string, look: Look = "plain"): Span {
  return { text, look };
}

/** `text` in exactly `width` columns; what does not fit is cut, with `~` at its end. */
export function fit(text: string, width: number): string {
  return text.length <= width ? text.padEnd(width) : `${text.slice(0, Math.max(0, width - 1))}~`;
}

/** A line cut to `width` columns. */
export function clip(line: Line, width: number): Line {
  const kept: Span[] = [];
  let left = width;
  for (const { text, look } of line) {
    if (left <= 0) break;
    kept.push({ text: text.length > left ? fit(text, left) : text, look });
    left -= text.length;
  }
  return kept;
}

/** The line without its looks, and without blanks at its end. */
export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join("")
    .trimEnd();
}

/** The line for a terminal. Without `colour` it still has bold and dim. */
export function paint(line: Line, colour: boolean): string {
  return line
    .map(({ text, look }) => {
      const code = !colour && COLOURS.has(look) ? CODES.bold : CODES[look];
      return code === "" ? text : `\u001B[${code}m${text}\u001B[0m`;
    })
    .join("");
}
