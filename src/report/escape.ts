/*
 * People and tools write much of what is shown: names, reasons, messages of programs. Here it is made plain, so that none of
 * it reads as something that the roll-out says, is run by a shell, or steers a terminal.
 */

/** As one line without control characters, such as those that colour or move a terminal's text. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** As Markdown that shows just this text, in one line. */
export function inline(text: string): string {
  return oneLine(text).replaceAll(/[\\`<[]/g, '\\$&');
}

/** As `inline`, in a cell of a table. */
export function cell(text: string): string {
  return inline(text).replaceAll('|', '\\|');
}

/** As one word of a POSIX shell's command. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
