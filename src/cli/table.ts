/** Rows as aligned columns under `head`, two spaces apart, as kubectl prints them; without `head`, rows only. */
export function tableText(
  head: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
): string {
  const lines = head === undefined ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const line of lines) {
    for (const [column, cell] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
