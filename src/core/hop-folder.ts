import type { Environment } from './plan.js';

/** What a folder of backups is of. */
export interface HopFolder {
  readonly environment: Environment;
  readonly from: string;
  readonly to: string;
  /** 1 for the first try of the hop. */
  readonly attempt: number;
}

const PATTERN = /^(staging|live)-(\d+\.\d+\.\d+)-to-(\d+\.\d+\.\d+)-(\d+)$/;

/** Name of the folder in which the backups of a hop lie: `live-1.30.7-to-1.31.2-1`. */
export function nameOfHopFolder({ environment, from, to, attempt }: HopFolder): string {
  return `${environment}-${from}-to-${to}-${attempt}`;
}

/** What the folder of that name is of; undefined where it is none of a hop. */
export function parseHopFolder(name: string): HopFolder | undefined {
  const [, environment, from = '', to = '', attempt] = PATTERN.exec(name) ?? [];
  return environment === 'staging' || environment === 'live'
    ? { environment, from, to, attempt: Number(attempt) }
    : undefined;
}
