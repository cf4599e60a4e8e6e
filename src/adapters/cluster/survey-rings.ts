import type { RingView } from '../../core/cluster-survey.js';
import type { NodeState } from '../../core/cluster.js';
import type { Target } from '../../core/input.js';
import type { Seen } from '../../core/seen.js';
import { frontendsOf } from '../open-target.js';
import type { Work } from '../store.js';
import type { ToolResolver } from '../tools/tools.js';
import { look } from './look.js';
import { createTdbg, type Tdbg } from './tdbg.js';

export interface RingOptions {
  readonly nodes: Seen<readonly NodeState[]>;
  readonly tools: ToolResolver;
  /** Versions whose tdbg is taken first; else that of what runs. Any will do (see `createTdbg`). */
  readonly versions: readonly string[];
  readonly work?: Work;
}

/** The rings as every frontend sees them. One whose process does not run is not asked. Brings no tdbg. */
export async function surveyRings(target: Target, options: RingOptions): Promise<RingView[]> {
  const down = ('seen' in options.nodes ? options.nodes.seen : []).filter(({ running }) => !running);
  const tdbg = await look(() => tdbgAtHand(target, options));
  return Promise.all(
    frontendsOf(target).map(async (frontend): Promise<RingView> => {
      const node = down.find(({ rpcAddress }) => rpcAddress === frontend);
      if (node !== undefined) return { frontend, rings: { unseen: `${node.name} does not run` } };
      return { frontend, rings: 'unseen' in tdbg ? tdbg : await look(() => tdbg.seen.listRings(frontend)) };
    }),
  );
}

async function tdbgAtHand(target: Target, { nodes, tools, versions, work }: RingOptions): Promise<Tdbg> {
  const { connection } = target;
  const running = ('seen' in nodes ? nodes.seen : []).map(({ version }) => version);
  const wanted = [...new Set([...versions, ...running, target.version])].filter((version) => version !== undefined);
  for (const version of wanted) {
    const place = await tools.lookForServerTool('tdbg', version, work);
    if ('at' in place) return createTdbg({ connection, version, tools });
  }
  const which = wanted.length === 0 ? 'of a version that is known' : wanted.join(' or ');
  throw new Error(
    `there is no tdbg ${which} at hand; unpack a release archive into a folder and set TEMPORAL_UPGRADE_TOOLS_DIR to it`,
  );
}
