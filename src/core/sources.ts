/** Where the rule of one minor at a time comes from. */
export const UPGRADE_GUIDE =
  'Temporal documentation, Upgrade the Temporal Server (https://docs.temporal.io/self-hosted-guide/upgrade-server)';

/** Time that History gets after each hop to load and rewrite every shard, in minutes. From the same guide. */
export const SETTLE_MINUTES = 10;

/** Where a server's own check of schemas was read: older than expected refuses to start, newer is taken. */
export const SCHEMA_CHECK = 'common/persistence/schema/version.go of the server: only an older schema is refused';
