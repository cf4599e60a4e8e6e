/** Of a server's log: lines of JSON with `ts`, ISO 8601. Others, as of a crash, belong to the line before them. */
const MOMENT = /"ts":"([^"]+)"/;

/** The lines of a log that were written within `withinMs` of one of some moments (milliseconds since 1970). */
export function linesAround(log: string, moments: readonly number[], withinMs: number): string[] {
  let isNear = false;
  return log.split('\n').filter((line) => {
    const at = Date.parse(MOMENT.exec(line)?.[1] ?? '');
    if (!Number.isNaN(at)) isNear = moments.some((moment) => Math.abs(at - moment) <= withinMs);
    return isNear && line !== '';
  });
}
