import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeKubernetes, startKubernetes, type LabKubernetes } from '../../src/lab/kubernetes/api-server.js';
import { startStandIn, type StandIn } from '../../src/lab/kubernetes/stand-in.js';

/** A real API server with its controllers. Its pods are the one thing that is not real: they run nothing, and do as they are told. */
export interface PretendedKubernetes {
  /** Of the test; removed at the end. */
  readonly directory: string;
  readonly kubernetes: LabKubernetes;
  readonly standIn: StandIn;
  stop(): Promise<void>;
}

/** Time for its start, in milliseconds: this machine may have to build it. */
export const KUBERNETES_STARTS_WITHIN_MS = 900_000;

/** Starts one in a new folder, whose name begins with `kubernetes-` and `name`; `audited`: every call to the API server is written down. */
export async function startPretendedKubernetes(
  name: string,
  { audited = false }: { readonly audited?: boolean } = {},
): Promise<PretendedKubernetes> {
  const directory = await mkdtemp(join(tmpdir(), `kubernetes-${name}-`));
  const cluster = join(directory, 'cluster');
  const kubernetes = await startKubernetes({ directory: cluster, audited });
  const standIn = await startStandIn({ kubernetes });
  return {
    ...{ directory, kubernetes, standIn },
    async stop() {
      await standIn.stop();
      await kubernetes.stop();
      await removeKubernetes(cluster);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
