import { rangeOf, rollTable } from './roll/measured-roll.js';
import { readRolls } from './roll/rolls-file.js';
import { WAYS } from './roll/ways.js';

/** Prints the table of rolls that were measured before, and the middle slice of each way: `node dist/bench/print-rolls.js docs/rolls.jsonl`. */
const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('expected a file of rolls, as docs/rolls.jsonl\n');
  process.exit(2);
}
const rolls = await readRolls(file);
process.stdout.write(`${rollTable(rolls).join('\n')}\n`);
for (const way of WAYS) {
  const middles = rolls
    .filter((one) => one.way === way)
    .map(({ series }) => rangeOf(series.map(({ p99 }) => p99)).median);
  const { low, median, high } = rangeOf(middles);
  if (middles.length > 0)
    process.stdout.write(
      `${way}: p99 of the middle slice of ten seconds ${median.toFixed(0)} ms (${low.toFixed(0)} to ${high.toFixed(0)})\n`,
    );
}
