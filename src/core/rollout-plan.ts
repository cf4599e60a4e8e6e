import type { Catalogue } from './catalogue.js';
import { UPGRADE_GUIDE } from './findings.js';
import { planPath } from './path.js';
import type { Finding, RolloutPlan, StoreKind } from './plan.js';
import type { StorePart } from './schema-version.js';

/** What is known of a target before its path is planned. */
export interface PresentState {
  /** Server version that it runs, in full. */
  readonly version: string;
  readonly stores: Readonly<Record<StorePart, StoreKind>>;
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
  const stagingPath = planPath({ catalogue, from: staging.version, to, pins, stores: staging.stores });
  const livePath = planPath({ catalogue, from: live.version, to, pins, stores: live.stores });
  const findings: Finding[] = [];

  const unrehearsed = livePath.path.slice(1).filter((version) => !stagingPath.path.slice(1).includes(version));
  if (unrehearsed.length > 0) {
    findings.push({
      id: 'not-rehearsed',
      severity: 'warning',
      message:
        `live would pass through ${unrehearsed.join(', ')}, which staging does not in this roll-out: staging starts at ` +
        `${staging.version}, live at ${live.version}. Bring staging to ${live.version} first to rehearse every hop`,
      source: UPGRADE_GUIDE,
    });
  }
  if (stagingPath.hops.length === 0 && livePath.hops.length === 0) {
    findings.push({
      id: 'nothing-to-do',
      severity: 'blocking',
      message: `staging and live run ${live.version} already; there is nothing to upgrade, ask for a version above ${live.version}`,
      source: UPGRADE_GUIDE,
    });
  }
  const [stagingEnd, liveEnd] = [stagingPath.path.at(-1), livePath.path.at(-1)];
  if (stagingEnd !== liveEnd) {
    findings.push({
      id: 'different-end',
      severity: 'blocking',
      message: `staging would end at ${stagingEnd}, live at ${liveEnd}; both have to end at the same version`,
      source: UPGRADE_GUIDE,
    });
  }
  for (const part of ['default', 'visibility'] as const) {
    const [onStaging, onLive]: readonly string[] = [staging.stores[part], live.stores[part]];
    if (onStaging === onLive) continue;
    findings.push({
      id: 'different-store',
      severity: 'warning',
      message: `the ${part} store is ${onStaging} on staging and ${onLive} on live: its schema steps are not rehearsed`,
      source: UPGRADE_GUIDE,
    });
  }
  return { staging: stagingPath, live: livePath, findings };
}
