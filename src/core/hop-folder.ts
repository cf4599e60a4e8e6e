import type { Environment } from './plan.js';

/** What a folder of backups is of. */
export interface HopFolder {
  readonly environment: Environment;
  readonly from: string;
  readonly to: string;
  /** 1 for the first try of the hop. */
  readonly attempt: number;
  /** Mark of the roll-out's first run (`run-mark.ts`); absent in folders of earlier releases. */
  readonly run?: string | undefined;
}

const PATTERN = /^(staging|live)-(\d+\.\d+\.\d+)-to-(\d+\.\d+\.\d+)-(\d+)(?:-([\da-f]{8}))?$/;

/** Name of the folder in which the backups of a hop lie: `live-1.30.7-to-1.31.2-1-9695d457`. */
export function nameOfHopFolder({ environment, from, to, attempt, run }: HopFolder): string {
  return [`${environment}-${from}-to-${to}-${attempt}`, ...(run === undefined ? [] : [run])].join('-');
}

/** What the folder of that name is of; undefined where it is none of a hop. */
export function parseHopFolder(name: string): HopFolder | undefined {
  const [, environment, from = '', to = '', attempt, run] = PATTERN.exec(name) ?? [];
  return environment === 'staging' || environment === 'live'
    ? { environment, from, to, attempt: Number(attempt), ...(run === undefined ? {} : { run }) }
    : undefined;
}
