/** Why each check is made, in one line; ids are stable. docs/observation.md has the same list with bounds and sources. */
export const WHY = {
  window: 'what was not looked at may have been bad',
  'process-samples': 'a process that was not heard of is not known to be well',
  'database-samples': 'a database that was not asked is not known to be well',
  'baseline-evidence': 'a window is only as good as what it is compared with',
  names: 'a name that is not found would count as zero',
  'counters-whole': 'what a process counted and nobody saw may have been errors',
  requests: 'ratios of a few requests say nothing',
  health: 'a persistent health failure is a reason to go back',
  restarts: 'a process that restarts by itself will do it again',
  versions: 'the cluster runs something else than was planned',
  rings: 'frontends that disagree send the same shard to two processes',
  'never-expected': 'panics, dead letters and corruption never happen in a healthy server',
  'error-ratio': 'clients get errors that are not theirs; a rise of more than 5 % is a reason to go back',
  'error-minute': 'a short burst of errors disappears in the average of a window',
  'persistence-errors': 'trouble with the database is a reason to go back',
  'visibility-errors': 'lists, counts and schedules depend on the visibility store',
  'workflows-failing': 'workflows that fail more often than before are a reason to go back',
  'latency-start': 'starting workflows became slower for clients',
  'latency-signal': 'signalling workflows became slower for clients',
  'latency-respond': 'every step of every workflow became slower',
  'queue-lag-immediate': 'shards fall behind with their tasks',
  'queue-lag-scheduled': 'timers fire late',
  'backlog-age': 'tasks wait for longer than before',
  'database-reached': 'no server works without its database',
  'database-query': 'a slow database makes all else slow',
  'database-latency': 'the servers wait for the database longer than before',
  'database-connections': 'old and new processes together need room for their connections',
  'database-size': 'shown: what the window added',
  cpu: 'shown: processor cores that the servers use',
  memory: 'shown: resident memory of the largest process',
  load: 'canaries prove work, not just numbers',
  'load-started': 'load that did not arrive proves nothing',
  'load-verified': 'canaries that nobody looked at may be lost',
  'load-left-out': 'what the load does not do any more is not proved to work',
  'load-lost': 'a started workflow that is not there is lost work',
  'load-duplicated': 'a step that is done twice corrupts what it does',
  'load-wrong': 'a workflow that ends with another result was run wrong',
  'load-failed': 'a canary never fails by itself: failing workflows are a reason to go back',
  'load-failed-calls': 'a call that fails after the SDK’s retries reaches the user',
  'load-latency': 'starts take longer from the moment at which they were meant',
  'probe-recorded': 'a gap in the record is no proof that all went well',
  'probe-attempts': 'a probe that hardly called proves nothing',
  'probe-failed-calls': 'a call that fails after the SDK’s retries reaches the user',
  'probe-failed-attempts': 'each is a moment at which the cluster did not answer',
  'probe-gap': 'clients were without any answer for that long',
  'probe-latency': 'clients wait longer than before',
} as const;

export type CheckId = keyof typeof WHY;

/** Why a check is made; `id` may carry a store or process after a slash. */
export function whyOf(id: string): string {
  const [base = ''] = id.split('/', 1);
  return base in WHY ? WHY[base as CheckId] : '';
}
