import type { RolloutInputText } from '../../src/core/input/input.js';

type TargetText = RolloutInputText['staging'];
type ProcessText = Extract<TargetText['driver'], { type: 'process' }>;

const ROLES = ['matching', 'history', 'frontend', 'worker'] as const;

/** A target that is right in every field, on addresses of its own. */
export function targetText(name: string): TargetText & { readonly driver: ProcessText } {
  const host = `${name}.example.com`;
  return {
    name,
    connection: { address: `${host}:7233` },
    stores: {
      default: { type: 'postgresql', host, database: 'temporal', user: 'temporal', password: { env: 'PGPASSWORD' } },
      visibility: { type: 'postgresql', host, database: 'temporal_visibility', user: 'temporal' },
    },
    driver: {
      type: 'process',
      nodes: ROLES.map((role, index) => ({
        name: `${role}-1`,
        role,
        rpcAddress: `${host}:${7230 + index}`,
        metricsAddress: `${host}:${9230 + index}`,
        configDir: `/etc/temporal/${role}-1`,
        logFile: `/var/log/temporal/${role}-1.log`,
      })),
    },
    backupDir: '/var/backups/temporal',
  };
}

/** A roll-out that is right in every field, with nothing in it that has a default. */
export function rolloutText(): RolloutInputText {
  return { to: '1.31', staging: targetText('staging'), live: targetText('live') };
}
