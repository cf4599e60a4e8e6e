import { CancellationScope, isCancellation, log, sleep } from '@temporalio/workflow';
import { NOTICE_WORKFLOW } from '../contract/names.js';
import type { Gate } from '../core/decision.js';
import type { NoticeKind, Notices } from '../core/input/notices.js';
import type { Notice } from '../core/notice.js';
import { shownKind } from '../core/shown-payload.js';
import { signalCommand } from '../report/status-markdown.js';
import { startBeside } from './background.js';
import type { NoticeRequest } from './notice.js';

/** Where the roll-out is, as far as a notice says it. */
export type NoticePlace = Pick<Notice, 'rolloutId' | 'cluster' | 'from' | 'to'>;

/** Tells people, wherever they want to be told. Never throws, and waits for nobody. */
export class Notifier {
  #notices: Notices = { channels: [] };
  #mark = '';
  #sent = 0;

  /** What the roll-out wants told, and what tells this run from all others. */
  know(notices: Notices, mark: string): void {
    this.#notices = notices;
    this.#mark = mark;
  }

  /** Tells of a gate, and again while `open` lasts, as often as the policy says. */
  async whileOpen<T>(gate: Gate, place: NoticePlace, open: () => Promise<T>): Promise<T> {
    await this.#tellOf(gate, place, gate.kind === 'incident' ? 'incident' : 'gate');
    const { remind, channels } = this.#notices;
    if (remind === undefined || remind === 0 || channels.length === 0) return open();
    const scope = new CancellationScope();
    const reminding = scope
      .run(async () => {
        for (;;) {
          await sleep(remind, { summary: `reminder of ${gate.name}` });
          await this.#tellOf(gate, place, 'reminder');
        }
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) log.warn('no more reminders', { error: String(error) });
      });
    try {
      return await open();
    } finally {
      scope.cancel();
      await reminding;
    }
  }

  async tell(kind: NoticeKind, place: NoticePlace, more: Pick<Notice, 'evidence' | 'gate' | 'command'>): Promise<void> {
    const channels = this.#notices.channels.filter(({ about }) => about === undefined || about.includes(kind));
    if (channels.length === 0) return;
    this.#sent += 1;
    // Of the run too: another roll-out of the same cluster has the same workflow id.
    const id = `${place.rolloutId}-notice-${this.#mark}-${this.#sent}`;
    const request: NoticeRequest = { notice: { id, kind, ...place, at: new Date().toISOString(), ...more }, channels };
    try {
      await CancellationScope.nonCancellable(() =>
        startBeside(NOTICE_WORKFLOW, { workflowId: id, request, summary: `${kind} of ${place.rolloutId}` }),
      );
    } catch (error) {
      log.warn('notice not started', { id, error: String(error) });
    }
  }

  #tellOf(gate: Gate, place: NoticePlace, kind: NoticeKind): Promise<void> {
    const command = signalCommand(place.rolloutId, shownKind(gate), gate);
    const lines = gate.evidence.slice(0, MOST_LINES).map((line) => line.slice(0, LINE_LENGTH));
    return this.tell(kind, place, { gate: gate.name, evidence: lines, command });
  }
}

/** Of the evidence: a notice is read on a small screen. */
const [MOST_LINES, LINE_LENGTH] = [20, 300];
