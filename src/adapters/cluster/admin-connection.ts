import { Connection } from '@temporalio/client';
import type { ConnectionCtorOptions } from '@temporalio/client/lib/connection.js';
import protobuf from 'protobufjs';

/**
 * The part needed of the server's own `temporal.server.api.adminservice.v1.AdminService`, which the SDK does not know
 * (proto/internal/temporal/server/api/adminservice/v1 of the server, the same from 1.0 on); other fields are skipped.
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
    AdminService: {
      methods: {
        DescribeHistoryHost: {
          requestType: 'DescribeHistoryHostRequest',
          responseType: 'DescribeHistoryHostResponse',
        },
      },
    },
  },
});
const Request = admin.lookupType('DescribeHistoryHostRequest');
const Response = admin.lookupType('DescribeHistoryHostResponse');
const describeHistoryHost = admin.lookupService('AdminService').get('DescribeHistoryHost');

/** What a history process says of itself. */
export interface HistoryHost {
  readonly address: string;
  readonly shardsNumber: number;
  readonly shardIds: readonly number[];
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

  /** As `Connection.connect`, which makes one of the class that it is called on but does not say so. */
  static override async connect(options: Parameters<typeof Connection.connect>[0]): Promise<AdminConnection> {
    const connection = await super.connect(options);
    if (!(connection instanceof AdminConnection)) throw new TypeError('the SDK makes another class of connection');
    return connection;
  }

  /** Asks the history process at `hostAddress` (host:port) what it holds, through this frontend. */
  async describeHistoryHost(hostAddress: string): Promise<HistoryHost> {
    // The namespace means nothing here; but frontends before 1.25 refuse every request that has room for one and gives none
    // (common/rpc/interceptor/namespace_validator.go). This one every cluster has.
    const request = Request.encode({ hostAddress, namespace: 'temporal-system' }).finish();
    const response = await new Promise<Uint8Array>((resolve, reject) => {
      if (!(describeHistoryHost instanceof protobuf.Method)) throw new TypeError('DescribeHistoryHost is not defined');
      this.#call(describeHistoryHost, request, (error, answer) => {
        if (answer) resolve(answer);
        else reject(error ?? new Error(`no answer about history host ${hostAddress}`));
      });
    });
    const { address, shardsNumber, shardIds } = Response.toObject(Response.decode(response), {
      defaults: true,
    }) as HistoryHost;
    return { address, shardsNumber, shardIds };
  }
}
