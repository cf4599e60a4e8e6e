import { worstSeverity, type Finding } from '../core/finding.js';

/** Exit codes of every command; documented in docs/cli.md. */
export const ExitCode = {
  ok: 0,
  /** A bug, or something that nobody thought of. */
  unexpected: 1,
  /** The request cannot be carried out as it stands: wrong input, closed gate, nothing running, no connection. */
  request: 2,
  /** A roll-out that was waited for ended without reaching its version. */
  notCompleted: 3,
  /** `check`, `doctor`: the worst finding is one to look at. */
  warned: 4,
  /** `check`, `doctor`: the worst finding stands in the way of an upgrade. `backups verify`: one cannot be restored. */
  blocked: 5,
  /** `observe`: a check failed. */
  failed: 6,
  /** `observe`: there is not enough evidence for a pass. */
  inconclusive: 7,
  /** As a shell says of what it cannot run: `bin/temporal-upgrade` finds no Node that will do, or nothing built. */
  notRunnable: 127,
  /** As a shell says of what SIGINT ended: `watch` by Ctrl-C, `dev` and `worker` by a second one. */
  interrupted: 130,
} as const;

/** Exit code by the worst finding. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const worst = worstSeverity(findings);
  if (worst === 'block') return ExitCode.blocked;
  return worst === 'warn' ? ExitCode.warned : ExitCode.ok;
}
