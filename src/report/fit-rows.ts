/** A part of a screen, and what is left of it where the screen is too low. */
export interface ScreenPart {
  readonly lines: readonly string[];
  /** Shorter, the same; absent where nothing of it can go. */
  readonly short?: (rows: number) => readonly string[];
}

/**
 * As many rows as there are, at most. What can be shortened is, one part after the other in the order of `cut` (places in
 * `parts`), each by no more than is needed; a screen that is too low all the same loses its end.
 */
export function fitRows(parts: readonly ScreenPart[], rows: number, cut: readonly number[]): string[] {
  const shown = parts.map(({ lines }) => lines);
  for (const index of cut) {
    const over = shown.reduce((sum, lines) => sum + lines.length, 0) - rows;
    const part = parts[index];
    if (over <= 0 || part?.short === undefined || part.lines.length === 0) continue;
    shown[index] = part.short(Math.max(1, part.lines.length - over));
  }
  return shown.flat().slice(0, rows);
}
