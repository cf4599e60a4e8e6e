import protobuf from 'protobufjs';
import type { ClusterRecord } from '../../core/survey/store-survey.js';

/**
 * The fields needed of `temporal.server.api.persistence.v1.ClusterMetadata`
 * (proto/internal/temporal/server/api/persistence/v1/cluster_metadata.proto of the server); others are skipped.
 */
const ClusterMetadata = protobuf.Root.fromJSON({
  nested: {
    ClusterMetadata: {
      fields: {
        clusterName: { type: 'string', id: 1 },
        historyShardCount: { type: 'int32', id: 2 },
        clusterId: { type: 'string', id: 3 },
        clusterAddress: { type: 'string', id: 6 },
        failoverVersionIncrement: { type: 'int64', id: 7 },
        initialFailoverVersion: { type: 'int64', id: 8 },
        isGlobalNamespaceEnabled: { type: 'bool', id: 9 },
        isConnectionEnabled: { type: 'bool', id: 10 },
      },
    },
  },
}).lookupType('ClusterMetadata');

/** A row of `cluster_metadata_info` as the database gives it. */
export interface RawClusterRow {
  readonly cluster_name: string;
  readonly data: Uint8Array;
  readonly data_encoding: string;
}

/** Decodes a row of `cluster_metadata_info`. @throws Error when it is not written in the encoding known here */
export function decodeClusterRow({ cluster_name, data, data_encoding }: RawClusterRow): ClusterRecord {
  if (data_encoding !== 'Proto3') {
    throw new Error(`the record of cluster "${cluster_name}" is written as "${data_encoding}", not "Proto3"`);
  }
  const { clusterAddress, ...record } = ClusterMetadata.toObject(ClusterMetadata.decode(data), {
    longs: Number,
    defaults: true,
  }) as Omit<ClusterRecord, 'address'> & { readonly clusterAddress: string };
  return { ...record, clusterName: cluster_name, address: clusterAddress };
}
