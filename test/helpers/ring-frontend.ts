import proto from '@temporalio/proto';
import { parseRolloutInput, type Target } from '../../src/core/input/input.js';
import { listedNodes } from '../../src/core/input/listed-nodes.js';
import { describeCluster } from './described-cluster.js';
import { startGrpcServer } from './grpc-server.js';
import { rolloutText } from './rollout-input.js';

const { GetSystemInfoResponse } = proto.temporal.api.workflowservice.v1;

/** A frontend that says who is in the ring of history, and the target whose frontend it is. */
export interface RingFrontend {
  readonly address: string;
  readonly target: Target;
  /** Address of who is in the ring, as it sees it. */
  seen: string;
  /** How often it was asked. */
  readonly asked: number;
  close(): Promise<void>;
}

/** Starts one that sees `seen`. A stand-in, as no real one can be told what it is to see. */
export async function startRingFrontend(seen: string): Promise<RingFrontend> {
  const ring = { seen, asked: 0 };
  const server = await startGrpcServer({
    GetSystemInfo: () => GetSystemInfoResponse.encode({}).finish(),
    DescribeCluster: () => {
      ring.asked += 1;
      return describeCluster('history', ring.seen);
    },
  });
  const { address } = server;
  const { live } = parseRolloutInput(rolloutText());
  const nodes = (listedNodes(live) ?? []).map((node) =>
    node.role === 'frontend' ? { ...node, rpcAddress: address } : node,
  );
  return Object.assign(ring, {
    address,
    // The address alone differs, which the driver's own kind says nothing of.
    target: { ...live, connection: { address }, driver: { ...live.driver, nodes } as Target['driver'] },
    close: () => server.close(),
  });
}
