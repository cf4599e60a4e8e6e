import type { NoticeKind } from './input/notices.js';

/** What people are told, wherever they are. */
export interface Notice {
  /** The same in every try to send it, and of no other notice. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly rolloutId: string;
  /** ISO 8601. */
  readonly at: string;
  /** Name of the target that it is about; live's where it is about the whole roll-out. */
  readonly cluster: string;
  readonly from?: string | undefined;
  readonly to: string;
  /** The gate or incident that is open. */
  readonly gate?: string | undefined;
  /** What a decision rests on, or how it ended, a line each. */
  readonly evidence: readonly string[];
  /** What answers it, for a shell. */
  readonly command?: string | undefined;
}

const WORDS: Readonly<Record<NoticeKind, string>> = {
  gate: 'waits for a decision',
  reminder: 'still waits for a decision',
  incident: 'has an incident',
  completed: 'is complete',
  aborted: 'was aborted',
};

/** One line. */
export function noticeSubject({ kind, rolloutId, cluster, from, to }: Notice): string {
  const versions = from === undefined ? to : `${from} → ${to}`;
  return `${cluster} ${versions}: ${rolloutId} ${WORDS[kind]}`;
}

/** All of it, as plain text. */
export function noticeText(notice: Notice): string {
  const { gate, evidence, command } = notice;
  return [
    noticeSubject(notice),
    ...(gate === undefined ? [] : ['', gate]),
    ...(evidence.length === 0 ? [] : ['', ...evidence.map((line) => `- ${line}`)]),
    ...(command === undefined ? [] : ['', command]),
  ].join('\n');
}
