import type { ShardPicture } from '../core/shard-picture.js';
import { WIDTH, wrap } from './columns.js';
import { cell, inline, oneLine } from './escape.js';

const BAR = 20;
/** Owners that are drawn one by one. */
const DRAWN = 12;
const UNKNOWN = 'version ?';

/** The shards by owner and version, a bar each, as lines of a terminal of 80 columns. */
export function shardLines(picture: ShardPicture): string[] {
  const { owners, hidden } = shown(picture);
  const rows = owners.map(
    ({ address, version = UNKNOWN, shards }) => [oneLine(address), oneLine(version), shards] as const,
  );
  const [addressWidth, versionWidth] = [0, 1].map((column) =>
    Math.max(0, ...rows.map((row) => String(row[column]).length)),
  );
  const drawn = rows.map(
    ([address, version, shards]) =>
      `        ${address.padEnd(addressWidth ?? 0)}  ${version.padEnd(versionWidth ?? 0)}  ${bar('#', shards, picture).padEnd(BAR)} ${shards}`,
  );
  // Addresses may be names of any length: then each has a line of its own, and its bar the next.
  const isNarrow = drawn.every((line) => line.length <= WIDTH);
  const below = rows.flatMap(([address, version, shards]) => [
    ...wrap(`${address}  ${version}`, '        ', '          '),
    `          ${bar('#', shards, picture).padEnd(BAR)} ${shards}`,
  ]);
  return [
    ...wrap(headline(picture), 'shards  ', '        '),
    ...(isNarrow ? drawn : below),
    ...(hidden === undefined ? [] : [`        ${hidden}`]),
    ...picture.waitsFor.flatMap((line) => wrap(`waits for: ${oneLine(line)}`, '        ', '          ')),
  ];
}

/** The same as Markdown. */
export function shardTable(picture: ShardPicture): string[] {
  const { owners, hidden } = shown(picture);
  return [
    `Shards: ${headline(picture)}`,
    '',
    ...(owners.length === 0 ? [] : ['| owner | version | shards | |', '| --- | --- | ---: | --- |']),
    ...owners.map(
      ({ address, version = UNKNOWN, shards }) =>
        `| ${cell(address)} | ${cell(version)} | ${shards} | ${bar('█', shards, picture)} |`,
    ),
    ...(hidden === undefined ? [] : ['', hidden]),
    ...(picture.waitsFor.length === 0 ? [] : ['', ...picture.waitsFor.map((line) => `- waits for: ${inline(line)}`)]),
  ];
}

function headline({ at, wanted, shards, owners, unproved, waitsFor }: ShardPicture): string {
  if (owners.length === 0) return `could not be read at ${oneLine(at)}`;
  const moved = owners.reduce((sum, owner) => sum + (owner.version === wanted ? owner.shards : 0), 0);
  const open = unproved === 0 && waitsFor.length === 0 ? 'all proved' : `${unproved} not proved yet`;
  return `${moved} of ${shards} on ${oneLine(wanted)}, ${open}, at ${oneLine(at)}`;
}

function shown({ owners }: ShardPicture): {
  readonly owners: ShardPicture['owners'];
  readonly hidden?: string;
} {
  if (owners.length <= DRAWN) return { owners };
  const rest = owners.slice(DRAWN);
  const shards = rest.reduce((sum, owner) => sum + owner.shards, 0);
  return { owners: owners.slice(0, DRAWN), hidden: `and ${rest.length} more owners with ${shards} shards` };
}

/** At least one mark for whoever owns a shard at all. */
function bar(mark: string, count: number, { shards }: ShardPicture): string {
  if (count <= 0 || shards <= 0) return '';
  return mark.repeat(Math.min(BAR, Math.max(1, Math.round((count / shards) * BAR))));
}
