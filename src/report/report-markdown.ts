import { formatDuration } from '../core/duration.js';
import { decidedBy, type DecisionRecord } from '../core/decision.js';
import { findingText } from '../core/finding.js';
import type { RolloutSoFar } from '../core/rollout-result.js';
import type { HopResult, PhaseResult } from '../core/status.js';
import { cell, inline, oneLine } from './escape.js';
import { phaseMark } from './phase-mark.js';

/** What a roll-out has done, for people and auditors. */
export function reportMarkdown(result: RolloutSoFar): string {
  const { staging, live, settle } = result;
  const lines = [
    `# Roll-out ${inline(result.rolloutId)}: ${result.status}`,
    '',
    `From ${result.startedAt} to ${result.endedAt}, ${formatDuration(Date.parse(result.endedAt) - Date.parse(result.startedAt))}.`,
    ...(result.reason === undefined ? [] : ['', `Reason: ${inline(result.reason)}`]),
    '',
    '| target | from | planned | to |',
    '| --- | --- | --- | --- |',
    ...Object.entries({ staging, live }).map(
      ([environment, { name, from, path = [], to }]) =>
        `| ${environment} ${name} | ${from} | ${path.slice(1).join(', ')} | ${to} |`,
    ),
    '',
    `Settle: at least ${formatDuration(settle.atLeastMs)}${settle.reason === undefined ? '' : `, shortened: ${inline(settle.reason)}`}.`,
    '',
    ...policySection(result),
    ...ledgerSection(result),
    ...result.hops.flatMap(hopSection),
    ...presentSection(result),
    ...stepSection(result),
    ...incidentSection(result),
    ...decisionSection(result),
    ...findingSection(result),
    ...removedSection(result),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Every rule that was not the default one: who reads a report does not know the input. */
function policySection({ policy }: RolloutSoFar): string[] {
  if (policy === undefined) return [];
  if (policy.length === 0) return ['Every rule was the default one.', ''];
  return [
    '## Rules that differ from the defaults',
    '',
    '| rule | here | by default | why |',
    '| --- | --- | --- | --- |',
    ...policy.map(
      ({ field, value, byDefault, reason = '' }) => `| ${[field, value, byDefault, reason].map(cell).join(' | ')} |`,
    ),
    '',
  ];
}

/** What was there to go back to, and is not any more. */
function removedSection({ removedBackups = [] }: RolloutSoFar): string[] {
  if (removedBackups.length === 0) return [];
  return ['## Backups removed', '', ...removedBackups.map((folder) => `- ${inline(folder)}`), ''];
}

function ledgerSection({ ledgers }: RolloutSoFar): string[] {
  const rows = Object.entries(ledgers).map(
    ([environment, { started, completed, running, lost, duplicated, wrong, failed, failedCalls }]) =>
      `| ${[environment, started, completed, running, lost, duplicated, wrong, failed, failedCalls].join(' | ')} |`,
  );
  if (rows.length === 0) return [];
  return [
    '## Canaries',
    '',
    '| load on | started | completed | running | lost | duplicated | wrong | failed | failed calls |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}

function hopSection({
  environment,
  target,
  from,
  to,
  outcome,
  phases,
  backups,
  waitedSeconds,
  incidents,
}: HopResult): string[] {
  return [
    `## ${environment} ${target}: ${from} → ${to}, ${outcome}`,
    '',
    ...phaseTable(phases),
    '',
    `${incidents} incidents; ${formatDuration(waitedSeconds * 1_000)} waiting for people.`,
    '',
    ...backups.map(
      ({ store, file, bytes, sha256, kept }) =>
        `- backup of ${store}: \`${oneLine(file)}\`, ${bytes} bytes, sha256 ${sha256}${kept === undefined ? '' : `, ${inline(kept)}`}`,
    ),
    '',
  ];
}

/** The hop that is not over yet. */
function presentSection({ phases = [] }: RolloutSoFar): string[] {
  return phases.length === 0 ? [] : ['## Under way', '', ...phaseTable(phases), ''];
}

function phaseTable(phases: readonly PhaseResult[]): string[] {
  return [
    '| phase | took | result |',
    '| --- | --- | --- |',
    ...phases.map((result) => {
      const { phase, seconds, summary } = result;
      return `| ${phase} | ${formatDuration(seconds * 1_000)} | ${cell(summary)}${phaseMark(result)} |`;
    }),
  ];
}

function stepSection({ steps }: RolloutSoFar): string[] {
  if (steps.length === 0) return [];
  return ['## Between the hops', '', ...steps.map(({ phase, summary }) => `- ${phase}: ${inline(summary)}`), ''];
}

function incidentSection({ incidents = [] }: RolloutSoFar): string[] {
  if (incidents.length === 0) return [];
  const rows = incidents.map(({ name, openedAt, endedAt, problem, decision, by }) => {
    const answer = decision === undefined ? 'open' : `${decision} by ${by ?? 'somebody'}, ${endedAt}`;
    return `| ${[openedAt, name, problem, answer].map(cell).join(' | ')} |`;
  });
  return ['## Incidents', '', '| opened | gate | what was wrong | decided |', '| --- | --- | --- | --- |', ...rows, ''];
}

function decisionSection({ decisions }: RolloutSoFar): string[] {
  if (decisions.length === 0) return [];
  return [
    '## Decisions',
    '',
    '| when | what | gate | by | how sure | reason | counted |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...decisions.map((decision) => {
      const { at, kind, gate, reason, counted, refused } = decision;
      const words = [at, kind, gate ?? '', decidedBy(decision), sureness(decision), reason ?? ''];
      return `| ${[...words, counted ? 'yes' : `no: ${refused}`].map(cell).join(' | ')} |`;
    }),
    '',
  ];
}

/** The grade of the name that counted, and what else the event or the payload says. */
export function sureness({ who, by, identity = {}, via }: DecisionRecord): string {
  if (via === 'policy') return 'policy';
  const names = { said: by, ...identity };
  const counted = who?.name ?? by;
  const others = Object.entries(names).filter(([, name]) => name !== undefined && name !== counted);
  return [
    who?.grade ?? (by === undefined ? 'unknown' : 'said'),
    ...others.map(([grade, name]) => `${grade}: ${name}`),
  ].join('; ');
}

function findingSection({ findings }: RolloutSoFar): string[] {
  if (findings.length === 0) return [];
  return [
    '## Findings',
    '',
    ...findings.map((finding) => `- ${finding.severity}: ${inline(findingText(finding))} (${finding.source})`),
    '',
  ];
}
