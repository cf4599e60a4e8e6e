/** Where the rule of one minor at a time comes from. */
export const UPGRADE_GUIDE =
  'Temporal documentation, Upgrade the Temporal Server (https://docs.temporal.io/self-hosted-guide/upgrade-server)';

/** Time that History gets after each hop to load and rewrite every shard, in minutes. From the same guide. */
export const SETTLE_MINUTES = 10;

/** For so long no shard may have changed its owner, in minutes: owners that flip are processes stealing from each other. */
export const SETTLE_STEADY_MINUTES = 2;

/**
 * How often each shard's row is to be seen written by its new owner. An owner writes it by itself, idle or not: at the first
 * checkpoint of a queue after the shard was loaded (every 30 s, history.*ProcessorUpdateAckInterval), and from then on at the first one
 * that is history.shardUpdateMinInterval (5 min) after the last (updateShardInfo in service/history/shard/context_impl.go,
 * checkpoint in service/history/queues/queue_base.go; the same from 1.20 to 1.32). So two come within eleven minutes.
 */
export const SETTLE_UPDATES = 2;

/** Where a server's own check of schemas was read: older than expected refuses to start, newer is taken. */
export const SCHEMA_CHECK = 'common/persistence/schema/version.go of the server: only an older schema is refused';
