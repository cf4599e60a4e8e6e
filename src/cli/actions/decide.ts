import { createInterface } from 'node:readline/promises';
import { decide, identityAskedFor, queryStatus, withControlPlane, type ControlPlane } from '../../client.js';
import { RequestError } from '../../core/request-error.js';
import type { DecisionKind, Gate } from '../../core/decision.js';
import { needsReason } from '../../core/shown-payload.js';
import { shellWord } from '../../report/escape.js';
import { statusText } from '../../report/status-text.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';
import { paintStdout } from '../paint.js';
import { isAnswered, saysYes } from './ask.js';

export interface DecideOptions extends CommonOptions {
  readonly gate?: string;
  readonly by: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

interface Sending extends DecideOptions, Omit<Asking, keyof DecideOptions> {
  /** Whether somebody said who decides; the name of the local user stands there else. */
  readonly isSaid: boolean;
  /** Whether the decision is one about a gate. */
  readonly isOfGate: boolean;
}

/** Sends one decision, and prints what the roll-out answered. @throws RequestError when it is refused, or not to be sent */
export async function sendDecision(workflowId: string, { isSaid, isOfGate, ...options }: Sending): Promise<void> {
  const { kind } = options;
  await withControlPlane(options, async (client) => {
    const { gate, reason } = isOfGate ? await askAtGate(client, workflowId, options) : options;
    // The name of the local user would only contradict a surer one.
    const by = isSaid || (await identityAskedFor(client, workflowId, gate)) === 'said' ? options.by : undefined;
    const answer = await decide(client, workflowId, kind, { gate, by, reason });
    print(options.output, { workflowId, decision: kind, gate, by, reason, answer }, answer);
  });
}

interface Asking extends Pick<DecideOptions, 'output' | 'reason' | 'gate' | 'yes'> {
  readonly kind: DecisionKind;
  /** Of the command. */
  readonly name: string;
}

interface Asked {
  readonly gate: string;
  readonly reason?: string | undefined;
}

/**
 * A decision names its gate. A person at a terminal sees what it rests on first, and is asked; nobody else is, and without the
 * gate nothing is sent. @throws RequestError when it is not to be sent
 */
async function askAtGate(client: ControlPlane, workflowId: string, asking: Asking): Promise<Asked> {
  const { kind, name, output, reason, gate, yes = false } = asking;
  const answered = isAnswered(output);
  if (gate !== undefined && (yes || !answered)) return { gate, reason };
  const status = await queryStatus(client, workflowId);
  const open = status.waiting?.for === 'decision' ? status.waiting : undefined;
  if (gate === undefined) {
    if (open === undefined) throw new RequestError(`${workflowId} has no open gate; nothing was sent`);
    if (!answered || !open.allowed.includes(kind)) throw new RequestError(openGate(open, workflowId, name));
  }
  process.stdout.write(`${statusText(status, Date.now(), { paint: paintStdout })}\n\n`);
  const named = gate ?? open?.name ?? '';
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    if (!(await saysYes(terminal, `${name} ${named}`))) throw new RequestError('nothing was sent');
    if (reason !== undefined || open?.name !== named || !needsReason(open, kind)) return { gate: named, reason };
    const given = (await terminal.question('reason: ')).trim();
    return { gate: named, reason: given === '' ? undefined : given };
  } finally {
    terminal.close();
  }
}

function openGate({ name: gate, allowed, evidence }: Gate, workflowId: string, name: string): string {
  return [
    `name the gate that you decide on; nothing was sent. Open is ${gate} (${allowed.join(', ')}):`,
    ...evidence.map((line) => `  ${line}`),
    `temporal-upgrade ${name} ${shellWord(workflowId)} --gate ${shellWord(gate)}`,
  ].join('\n');
}
