import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ProbeWindow } from '../../src/core/ledger.js';
import type { RolloutResult } from '../../src/core/rollout-result.js';
import type { RolloutStatus } from '../../src/core/status.js';
import type { RolloutLab, RolloutLabOptions } from '../../src/lab/rollout-lab.js';
import { readLoadWindow } from '../../src/load/load-window.js';
import { listServerProcesses, type ServerProcess } from '../../src/adapters/process/server-process.js';
import { startTestLab, statusNow, until } from './rollout-lab.js';

/** Over this hop the servers alone can go back. */
export const FROM = '1.30.7';
export const TO = '1.31.2';
export const SCHEMA_AFTER = { default: '1.19', visibility: '1.14' };

/** Load on live, with calls of the client probe. */
export const LOAD = { startsPerSecond: 2, longRunning: 3, probesPerSecond: 10 };

/**
 * As those of a roll, which leaves alone what stands in the file already, and shorter: haproxy takes six seconds to give a frontend
 * up (three checks, two seconds apart).
 */
const SHORT_DRAINS = {
  'frontend.shutdownFailHealthCheckDuration': '8s',
  'frontend.shutdownDrainDuration': '10s',
  'history.alignMembershipChange': '5s',
  'history.startupMembershipJoinDelay': '3s',
  'matching.alignMembershipChange': '5s',
};

/**
 * A lab whose live, behind haproxy, has the nodes given and servers that drain in seconds. Staging runs the new version already: it has
 * nothing to do in these tests.
 */
export async function startLiveLab(
  nodesPerRole: NonNullable<RolloutLabOptions['live']>['nodesPerRole'],
): ReturnType<typeof startTestLab> {
  const live = { nodesPerRole, shards: 32, balanced: true, dynamicConfig: SHORT_DRAINS };
  return startTestLab({ version: FROM, staging: { version: TO }, live });
}

interface Following {
  /** Names of incidents begin with one of these that are let pass with a reason. */
  readonly letPass?: readonly string[];
  readonly see?: (status: RolloutStatus) => void;
}

/** What a machine that others use too may break by itself, before and after the servers are replaced: it is looked at anew. */
const LOOKED_AT_ANEW = ['baseline', 'observe-schema', 'observe-servers'].map(
  (phase) => `live/${TO}/${phase}/incident/`,
);

/**
 * Follows the roll-out until `isOver`, approves the gates on its way, and has what is looked at without a server being replaced looked at
 * anew where it was not good. @throws Error at another incident that is not to be let pass
 */
export async function followUntil(
  { lab, workflowId }: { readonly lab: RolloutLab; readonly workflowId: string },
  isOver: (status: RolloutStatus) => boolean,
  { letPass = [], see }: Following = {},
): Promise<RolloutStatus> {
  return until(async () => {
    const status = await statusNow(lab, workflowId);
    if (status === undefined) return undefined;
    see?.(status);
    if (isOver(status)) return status;
    if (status.state === 'aborted') throw new Error('the roll-out was aborted');
    if (status.waiting?.for !== 'decision') return undefined;
    const { name, kind } = status.waiting;
    const isOneOf = (begins: readonly string[]) => begins.some((begin) => name.startsWith(begin));
    const isAnew = isOneOf(LOOKED_AT_ANEW);
    if (kind === 'incident' && !isAnew && !isOneOf(letPass)) throw new Error(`${name}: ${status.problem ?? ''}`);
    const decision = { gate: name, by: 'test', reason: 'as the test expects' };
    await lab.client.workflow.getHandle(workflowId).signal(isAnew ? 'retry' : 'approve', decision);
    return undefined;
  });
}

/** The incidents of a roll-out, by their names, without those of {@link LOOKED_AT_ANEW}. */
export function incidentsOf({ incidents }: RolloutResult): string[] {
  return incidents.map(({ name }) => name).filter((name) => !LOOKED_AT_ANEW.some((begin) => name.startsWith(begin)));
}

/** Whether the roll-out waits at an incident of that phase of live's hop. */
export function atIncident(phase: string): (status: RolloutStatus) => boolean {
  return ({ waiting }) =>
    waiting?.for === 'decision' &&
    waiting.kind === 'incident' &&
    waiting.name.startsWith(`live/${TO}/${phase}/incident/`);
}

/** Name of the gate or incident that the roll-out waits at; empty where it waits at none. */
export function gateOf({ waiting }: RolloutStatus): string {
  return waiting?.for === 'decision' ? waiting.name : '';
}

/** What the client probe saw of live between two moments (milliseconds since 1970), over all roll-outs of the lab. */
export async function probeBetween(lab: RolloutLab, from: number, to: number): Promise<ProbeWindow | undefined> {
  const folder = join(lab.directory, 'data', 'ledgers');
  const file = (await readdir(folder)).find((name) => /-live-live-.*\.sqlite$/.test(name)) ?? '';
  const loadId = basename(file, '.sqlite');
  return readLoadWindow({ file: join(folder, file), loadId, policy: LOAD, from, to }).probe;
}

/** The process of a node of live, of which there is one. @throws Error when none runs */
export async function serverOf(lab: RolloutLab, name: string): Promise<ServerProcess> {
  const configDir = lab.live.nodes.find((node) => node.name === name)?.configDir;
  const server = (await listServerProcesses()).find((process) => process.configDir === configDir);
  if (server === undefined) throw new Error(`${name} of live does not run`);
  return server;
}
