import { expect, test } from '@jest/globals';
import type { ShardPicture } from '../../src/core/shard-picture.js';
import { shardLines, shardTable } from '../../src/report/shard-picture.js';
import { statusMarkdown } from '../../src/report/status-markdown.js';
import { statusText } from '../../src/report/status-text.js';
import { status } from '../helpers/statuses.js';

const picture = (more: Partial<ShardPicture> = {}): ShardPicture => ({
  at: '2026-01-01T10:05:00.000Z',
  wanted: '1.31.2',
  shards: 16,
  owners: [
    { address: '10.0.0.1:7234', version: '1.31.2', shards: 8 },
    { address: '10.0.0.2:7234', version: '1.30.7', shards: 7 },
    { address: '10.0.0.12:7234', shards: 1 },
    { address: '10.0.0.3:7234', version: '1.31.2', shards: 0 },
  ],
  unproved: 8,
  waitsFor: ['shard 3 its owner is still 10.0.0.2:7234'],
  ...more,
});
const PROVED = picture({
  owners: [{ address: '10.0.0.1:7234', version: '1.31.2', shards: 16 }],
  unproved: 0,
  waitsFor: [],
});

test('shows shards by owner and version', () => {
  expect(shardLines(picture())).toEqual([
    'shards  8 of 16 on 1.31.2, 8 not proved yet, at 2026-01-01T10:05:00.000Z',
    '        10.0.0.1:7234   1.31.2     ##########           8',
    '        10.0.0.2:7234   1.30.7     #########            7',
    '        10.0.0.12:7234  version ?  #                    1',
    '        10.0.0.3:7234   1.31.2                          0',
    '        waits for: shard 3 its owner is still 10.0.0.2:7234',
  ]);
  expect(shardLines(PROVED)[0]).toBe('shards  16 of 16 on 1.31.2, all proved, at 2026-01-01T10:05:00.000Z');
});

test('shows the same as Markdown', () => {
  expect(shardTable(picture())).toEqual([
    'Shards: 8 of 16 on 1.31.2, 8 not proved yet, at 2026-01-01T10:05:00.000Z',
    '',
    '| owner | version | shards | |',
    '| --- | --- | ---: | --- |',
    '| 10.0.0.1:7234 | 1.31.2 | 8 | ██████████ |',
    '| 10.0.0.2:7234 | 1.30.7 | 7 | █████████ |',
    '| 10.0.0.12:7234 | version ? | 1 | █ |',
    '| 10.0.0.3:7234 | 1.31.2 | 0 |  |',
    '',
    '- waits for: shard 3 its owner is still 10.0.0.2:7234',
  ]);
});

test('a look that saw nothing says why', () => {
  const blank = picture({ shards: 0, owners: [], unproved: 0, waitsFor: ['history node history-2 is down'] });
  expect(shardLines(blank)).toEqual([
    'shards  could not be read at 2026-01-01T10:05:00.000Z',
    '        waits for: history node history-2 is down',
  ]);
  expect(shardTable(blank).join('\n')).not.toContain('|');
});

test('many owners are summed up, and what they are called does not break the page', () => {
  const owners = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index}:7234`, shards: 2 }));
  expect(shardLines(picture({ owners }))).toContain('        and 88 more owners with 176 shards');
  expect(shardTable(picture({ owners }))).toContain('and 88 more owners with 176 shards');
  const rude = picture({ owners: [{ address: '\u001b[2Jx|y', version: '`1`', shards: 16 }], waitsFor: ['a\nb'] });
  const lines = [...shardLines(rude), ...shardTable(rude)];
  expect(lines.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
  expect(lines).toContain(String.raw`|  [2Jx\|y | \`1\` | 16 | ████████████████████ |`.replace('|  [2J', '| \\[2J'));
});

test('is part of the status, in text and in Markdown', () => {
  expect(statusText(status({ shards: picture() }), Date.parse('2026-01-01T10:05:00.000Z'))).toContain(
    'shards  8 of 16 on 1.31.2',
  );
  expect(statusMarkdown(status({ shards: picture() }))).toContain('| 10.0.0.1:7234 | 1.31.2 | 8 |');
  expect(statusText(status(), 0)).not.toContain('shards  ');
  expect(statusMarkdown(status())).not.toContain('Shards:');
});
