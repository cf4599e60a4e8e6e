import type { Catalogue } from '../catalogue/catalogue.js';
import type { Finding } from '../finding.js';
import type { Databases } from './databases.js';
import { UnsupportedPathError } from '../errors.js';
import { STORE_PARTS } from '../stores.js';
import { planPath } from './path.js';
import { withRollSettings } from './roll-settings.js';
import type { RollTarget } from './roll-target.js';
import type { Environment, Path, RolloutPlan, Stores } from '../plan.js';
import { UPGRADE_GUIDE } from '../sources.js';

/** What is known of a target before its path is planned. */
export interface PresentState {
  /** Server version that it runs, in full. */
  readonly version: string;
  readonly stores: Stores;
  readonly databases?: Databases | undefined;
  /** How its servers are replaced, where its nodes are known. */
  readonly roll?: RollTarget | undefined;
}

export interface RolloutRequest {
  readonly catalogue: Catalogue;
  readonly to: string;
  readonly pins?: Readonly<Record<string, string>>;
  readonly staging: PresentState;
  readonly live: PresentState;
}

/**
 * The paths of both environments, and what staging does not rehearse for live.
 * @throws UnsupportedPathError, PreconditionError as planPath does
 */
export function planRollout({ catalogue, to, pins = {}, staging, live }: RolloutRequest): RolloutPlan {
  const pathOf = ({ version, stores, databases, roll }: PresentState) => {
    const path = planPath({ catalogue, from: version, to, pins, stores, databases });
    if (path.direction === 'back') throw goesBack(version, to, path);
    return roll === undefined ? path : withRollSettings(path, catalogue, roll);
  };
  const stagingPath = pathOf(staging);
  const livePath = pathOf(live);
  const findings: Finding[] = [...moveFindings('staging', stagingPath), ...moveFindings('live', livePath)];

  const unrehearsed = livePath.path.slice(1).filter((version) => !stagingPath.path.slice(1).includes(version));
  if (unrehearsed.length > 0) {
    findings.push({
      id: 'not-rehearsed',
      severity: 'warn',
      found: `live would pass through ${unrehearsed.join(', ')}, which staging does not in this roll-out`,
      expected: `staging, which starts at ${staging.version}, to start where live does, at ${live.version}`,
      action: `Bring staging to ${live.version} first to rehearse every hop`,
      source: UPGRADE_GUIDE,
    });
  }
  if (stagingPath.hops.length === 0 && livePath.hops.length === 0) {
    findings.push({
      id: 'nothing-to-do',
      severity: 'block',
      found: `staging and live run ${live.version} already; there is nothing to upgrade`,
      expected: 'a newer version to go to',
      action: `Ask for a version above ${live.version}`,
      source: UPGRADE_GUIDE,
    });
  }
  const [stagingEnd, liveEnd] = [stagingPath.path.at(-1), livePath.path.at(-1)];
  if (stagingEnd !== liveEnd) {
    findings.push({
      id: 'different-end',
      severity: 'block',
      found: `staging would end at ${stagingEnd}, live at ${liveEnd}`,
      expected: 'both to end at the same version',
      action: 'Ask for a version that both can reach',
      source: UPGRADE_GUIDE,
    });
  }
  for (const part of STORE_PARTS) {
    const [onStaging = 'absent', onLive = 'absent'] = [staging.stores[part], live.stores[part]];
    if (onStaging === onLive) continue;
    findings.push({
      id: 'different-store',
      severity: 'warn',
      found: `the ${part} store is ${onStaging} on staging and ${onLive} on live`,
      expected: 'the same kind on both',
      action: 'Its schema steps are not rehearsed: make staging like live, or take more time to observe live',
      source: UPGRADE_GUIDE,
    });
  }
  return { staging: stagingPath, live: livePath, findings };
}

function goesBack(from: string, to: string, { path }: Path): UnsupportedPathError {
  return new UnsupportedPathError(
    from,
    to,
    `the target runs ${from}, which is newer than ${path.at(-1)}: a roll-out goes forward only. ` +
      `Ask for a version above ${from}; a hop is taken back by its own roll-back, not by a roll-out`,
  );
}

/** A roll-out changes versions; moving a store to another kind is days of work of people. */
function moveFindings(environment: Environment, { hops }: Path): Finding[] {
  return hops.flatMap(({ from, to, moves }) =>
    moves.map(({ part, fromKind, toKind, source }) => ({
      id: 'move-needed',
      severity: 'block' as const,
      found: `on ${environment} the ${part} store, ${fromKind}, has to become ${toKind} before the hop to ${to}`,
      expected: 'a path on which no store has to be moved',
      action: `Roll out to ${from} first, move the store, and roll out from there`,
      source,
    })),
  );
}
