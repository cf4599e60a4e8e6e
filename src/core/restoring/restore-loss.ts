/** What happened in one namespace since a backup was taken. */
export interface NamespaceLoss {
  readonly namespace: string;
  /** Started since: they would be gone. */
  readonly started: number;
  /** Closed since, and running at the backup: they would run again. */
  readonly closed: number;
  /** Running now and at the backup: their progress since would be lost. */
  readonly running: number;
}

/** Canaries of the load, kept apart from the workflows of others. */
export interface CanaryLoss {
  readonly started: number;
  readonly unfinished: number;
}

export interface RestoreLoss {
  /** When the backup of the default store was taken, and when this was counted; ISO 8601. */
  readonly backupAt: string;
  readonly countedAt: string;
  /** Who was asked: a frontend, or the tables where none answered. */
  readonly countedBy: string;
  readonly namespaces: readonly NamespaceLoss[];
  readonly canaries?: CanaryLoss | undefined;
}

/** Namespaces that are named one by one. */
const SHOWN = 15;

/** What a restore would lose, a line each, the namespace with the most first. */
export function lossLines(loss: RestoreLoss): string[] {
  const { backupAt, countedAt, countedBy, namespaces, canaries } = loss;
  const largest = namespaces.filter((one) => sizeOf(one) > 0).toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const rest = largest.slice(SHOWN);
  return [
    `everything since ${backupAt} would be undone; counted at ${countedAt} ${countedBy}, and it grows until the servers stop:`,
    ...(largest.length === 0 ? ['no workflow was started, closed or running since'] : []),
    ...largest.slice(0, SHOWN).map((one) => `namespace ${one.namespace}: ${countsOf(one)}`),
    ...(rest.length === 0 ? [] : [`${rest.length} more namespaces: ${countsOf(sumOf(rest))}`]),
    ...(largest.length < 2 ? [] : [`all of them: ${countsOf(sumOf(largest))}`]),
    ...(canaries === undefined
      ? []
      : [`canaries of the load: ${canaries.started} started since, ${canaries.unfinished} unfinished at the backup`]),
    'what clients were told since is forgotten: a client that got an answer for a start would find nothing, and signals, updates and results of activities since are gone; what workers did outside stays done, and is done again',
  ];
}

function countsOf({ started, closed, running }: Omit<NamespaceLoss, 'namespace'>): string {
  return (
    `${started} started since (they would be gone), ${closed} closed since (they would run again), ` +
    `${running} running then and now (their progress since would be lost)`
  );
}

function sizeOf({ started, closed, running }: Omit<NamespaceLoss, 'namespace'>): number {
  return started + closed + running;
}

function sumOf(namespaces: readonly NamespaceLoss[]): Omit<NamespaceLoss, 'namespace'> {
  const sum = (field: 'started' | 'closed' | 'running') => namespaces.reduce((total, one) => total + one[field], 0);
  return { started: sum('started'), closed: sum('closed'), running: sum('running') };
}
