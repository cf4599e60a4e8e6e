import type { Reason, RollSetting, RollSettings } from '../core/plan.js';
import { paceText } from '../core/planning/roll-pace.js';
import { sourced, wrap } from './columns.js';

/** What a roll sets, as other programs read it. */
export function rollJson({ style, settings, kept, limits, pace }: RollSettings): RollSettings {
  return {
    style,
    settings: settings.map(settingJson),
    kept: kept.map(settingJson),
    limits: limits.map(limitJson),
    ...(pace === undefined ? {} : { pace }),
  };
}

function settingJson({ key, value, role, why, source }: RollSetting): RollSetting {
  return { key, value, role, why, source };
}

function limitJson({ id, text, source }: Reason): Reason {
  return { id, text, source };
}

/** What is set while servers are replaced, and what clients can notice all the same; explained, each setting with its why. */
export function rollLines({ style, settings, kept, limits, pace }: RollSettings, explain: boolean): string[] {
  const count = settings.length === 1 ? '1 setting' : `${settings.length} settings`;
  const summary = `~ ${count} while servers are replaced, taken back after it (${style})`;
  const detail = settings.flatMap(({ key, value, why, source }) => sourced(`~ ${key} ${value}: ${why}`, source));
  return [
    ...(pace === undefined ? [] : wrap(`~ ${paceText(pace)}`, '  ', '    ')),
    ...(settings.length === 0
      ? []
      : explain
        ? [...wrap(`${summary}:`, '  ', '    '), ...detail]
        : wrap(summary, '  ', '    ')),
    ...kept.flatMap(({ key, value }) =>
      wrap(`~ ${key} is set already and stays; ${value} would be written`, '  ', '    '),
    ),
    ...limits.flatMap(({ text, source }) => {
      const line = `≈ while servers are replaced: ${text}`;
      return explain ? sourced(line, source) : wrap(line, '  ', '    ');
    }),
  ];
}
