import type { ValueMove } from './migration.js';

/** A key that is the same elsewhere, or gone, from one release of the chart on. */
export interface KeyMove extends Omit<ValueMove, 'refused'> {
  /** First version of the chart that reads it at its new place. */
  readonly since: string;
  /** First version whose templates fail on the old key. */
  readonly refusedSince?: string;
}

const CONFIG_MAP = 'templates/server-configmap.yaml';
const FAILS = 'templates/_deprecations.tpl';

/** Each was read in the tags of the chart: the template that read the old key before `since`, and the one that reads the new. */
export const KEY_MOVES: readonly KeyMove[] = [
  {
    from: 'server.config.numHistoryShards',
    to: 'server.config.persistence.numHistoryShards',
    since: '1.0.0-rc.1',
    source: `${CONFIG_MAP} of 0.74.0, values.yaml of 1.0.0-rc.1`,
  },
  {
    from: 'schema.setup.backoffLimit',
    to: 'schema.backoffLimit',
    since: '1.0.0-rc.1',
    refusedSince: '1.0.0',
    source: `templates/server-job.yaml of 0.74.0 and 1.0.0-rc.1, ${FAILS} of 1.0.0`,
  },
  // Which of two templates of the configuration is mounted: there is one again.
  ...['useEntrypointScript', 'setConfigFilePath', 'configMapsToMount'].map((key) => ({
    from: `server.${key}`,
    since: '1.0.0-rc.1',
    source: 'templates/server-deployment.yaml of 0.74.0 and 1.0.0-rc.1',
  })),
  ...['tags', 'excludeTags', 'prefix'].map((key) => ({
    from: `server.metrics.${key}`,
    to: `server.config.metrics.${key}`,
    since: '1.0.0-rc.3',
    source: `${CONFIG_MAP} of 1.0.0-rc.2 and 1.0.0-rc.3`,
  })),
  {
    from: 'server.config.prometheus',
    to: 'server.config.metrics.prometheus',
    since: '1.0.0-rc.3',
    source: `${CONFIG_MAP} of 1.0.0-rc.2 and 1.0.0-rc.3`,
  },
  {
    from: 'server.internalFrontend',
    to: 'server.internal-frontend',
    since: '1.0.0-rc.3',
    refusedSince: '1.1.0',
    source: `UPGRADING.md (7); ${CONFIG_MAP} of 1.0.0-rc.3, ${FAILS} of 1.1.0`,
  },
];

/** First version of the chart with `server.config.persistence.datastores`, and without sub-charts (UPGRADING.md). */
export const DATASTORES_SINCE = '1.0.0-rc.1';
/** First version that fails on the keys before. Candidates before it ignore them, and fail on stores that are missing. */
export const REFUSED_SINCE = '1.0.0';
/** First version that makes the Secrets of passwords by a hook, where `schema.useHelmHooks` is not false. */
export const SECRET_HOOKS_SINCE = '1.1.0';
/** First version without `server.sidecarContainers`. */
export const NO_SIDECARS_SINCE = '0.56.0';
/** Where the chart names what it refuses. */
export const FAILS_SOURCE = `UPGRADING.md, ${FAILS} of ${REFUSED_SINCE}`;
