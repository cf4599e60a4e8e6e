import { Connection } from '@temporalio/client';
import type { ConnectionCtorOptions } from '@temporalio/client/lib/connection.js';
import protobuf from 'protobufjs';
import { connectOrClose } from '../connect.js';
import { SHARD_INFO, type ShardInfo } from '../shard-info.js';

/**
 * The part needed of the server's own `temporal.server.api.adminservice.v1.AdminService`, which the SDK does not know
 * (proto/internal/temporal/server/api of the server, the same from 1.0 on); other fields are skipped.
 */
const admin = protobuf.Root.fromJSON({
  nested: {
    DescribeHistoryHostRequest: {
      fields: { hostAddress: { type: 'string', id: 1 }, namespace: { type: 'string', id: 3 } },
    },
    DescribeHistoryHostResponse: {
      fields: {
        shardsNumber: { type: 'int32', id: 1 },
        shardIds: { rule: 'repeated', type: 'int32', id: 2 },
        address: { type: 'string', id: 5 },
      },
    },
    DescribeClusterRequest: { fields: {} },
    DescribeClusterResponse: { fields: { membershipInfo: { type: 'MembershipInfo', id: 3 } } },
    MembershipInfo: { fields: { rings: { rule: 'repeated', type: 'RingInfo', id: 3 } } },
    RingInfo: {
      fields: { role: { type: 'string', id: 1 }, members: { rule: 'repeated', type: 'HostInfo', id: 3 } },
    },
    HostInfo: { fields: { identity: { type: 'string', id: 1 } } },
    RefreshWorkflowTasksRequest: {
      fields: { execution: { type: 'WorkflowExecution', id: 2 }, namespaceId: { type: 'string', id: 3 } },
    },
    RefreshWorkflowTasksResponse: { fields: {} },
    WorkflowExecution: { fields: { workflowId: { type: 'string', id: 1 }, runId: { type: 'string', id: 2 } } },
    GetShardRequest: { fields: { shardId: { type: 'int32', id: 1 } } },
    GetShardResponse: { fields: { shardInfo: { type: 'ShardInfo', id: 1 } } },
    ...SHARD_INFO,
    AdminService: {
      methods: {
        DescribeHistoryHost: {
          requestType: 'DescribeHistoryHostRequest',
          responseType: 'DescribeHistoryHostResponse',
        },
        DescribeCluster: { requestType: 'DescribeClusterRequest', responseType: 'DescribeClusterResponse' },
        GetShard: { requestType: 'GetShardRequest', responseType: 'GetShardResponse' },
        RefreshWorkflowTasks: {
          requestType: 'RefreshWorkflowTasksRequest',
          responseType: 'RefreshWorkflowTasksResponse',
        },
      },
    },
  },
});
const service = admin.lookupService('AdminService');

type AdminCall = 'DescribeHistoryHost' | 'DescribeCluster' | 'GetShard' | 'RefreshWorkflowTasks';

/** What a history process says of itself. */
export interface HistoryHost {
  readonly address: string;
  readonly shardsNumber: number;
  readonly shardIds: readonly number[];
}

/** Members of one role as a frontend sees them; `identity` is the address (host:port) by which they are called. */
export interface RingInfo {
  readonly role: string;
  readonly members: readonly { readonly identity: string }[];
}

/** A connection to a frontend that can also ask for what only administrators may: with the same TLS, rights and deadlines. */
export class AdminConnection extends Connection {
  readonly #call: protobuf.RPCImpl;

  protected constructor(options: ConnectionCtorOptions) {
    super(options);
    this.#call = Connection.generateRPCImplementation({
      serviceName: 'temporal.server.api.adminservice.v1.AdminService',
      client: options.client,
      callContextStorage: options.callContextStorage,
      // Not tried again here, unlike the SDK's own calls: a host that is away is an answer, and who asks asks again.
      interceptors: [],
      staticMetadata: options.options.metadata,
      apiKeyFnRef: options.apiKeyFnRef,
    });
  }

  /** As `Connection.connect`, but nothing is left of one that fails. */
  static override async connect(options: Parameters<typeof Connection.connect>[0]): Promise<AdminConnection> {
    const connection = this.lazy(options);
    if (!(connection instanceof AdminConnection)) throw new TypeError('the SDK makes another class of connection');
    return connectOrClose(connection);
  }

  /** Asks the history process at `hostAddress` (host:port) what it holds, through this frontend. */
  async describeHistoryHost(hostAddress: string): Promise<HistoryHost> {
    // The namespace means nothing here; but frontends before 1.25 refuse every request that has room for one and gives none
    // (common/rpc/interceptor/namespace_validator.go). This one every cluster has.
    const answer = await this.#ask('DescribeHistoryHost', { hostAddress, namespace: 'temporal-system' });
    const { address, shardsNumber, shardIds } = answer as HistoryHost;
    return { address, shardsNumber, shardIds };
  }

  /** The ring of each role as this frontend sees it. */
  async describeRings(): Promise<readonly RingInfo[]> {
    const { membershipInfo } = (await this.#ask('DescribeCluster', {})) as {
      readonly membershipInfo: { readonly rings: readonly RingInfo[] } | null;
    };
    return membershipInfo?.rings ?? [];
  }

  /** The row of a shard as the history process that owns it reads it. @throws Error when the answer holds none */
  async getShard(shardId: number): Promise<ShardInfo> {
    const { shardInfo } = (await this.#ask('GetShard', { shardId })) as { readonly shardInfo: ShardInfo | null };
    if (shardInfo === null) throw new Error(`the server has no row of shard ${shardId}`);
    return shardInfo;
  }

  /** Makes the tasks of a run anew, among them the one that writes it to visibility; those that are due twice are dropped. */
  async refreshWorkflowTasks(
    namespaceId: string,
    execution: { readonly workflowId: string; readonly runId: string },
  ): Promise<void> {
    await this.#ask('RefreshWorkflowTasks', { namespaceId, execution });
  }

  async #ask(name: AdminCall, fields: object): Promise<object> {
    const method = service.get(name);
    if (!(method instanceof protobuf.Method)) throw new TypeError(`${name} is not defined`);
    const [Request, Response] = [admin.lookupType(method.requestType), admin.lookupType(method.responseType)];
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      this.#call(method, Request.encode(fields).finish(), (error, bytes) => {
        if (bytes) resolve(bytes);
        else reject(error ?? new Error(`no answer to ${name}`));
      });
    });
    return Response.toObject(Response.decode(answer), { defaults: true });
  }
}
