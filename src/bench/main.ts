import { MEASUREMENTS } from './figures.js';

/** Prints one line of JSON for each figure; `make bench FIGURE=name` prints one alone. Exits 1 when a goal is missed. */
const all = MEASUREMENTS.flatMap(({ names }) => names);
const [one] = process.argv.slice(2);
const wanted = one === undefined ? all : all.filter((name) => name === one);
if (wanted.length === 0) {
  process.stderr.write(`there is no figure "${one}"; there are ${all.join(', ')}\n`);
  process.exit(2);
}
for (const measurement of MEASUREMENTS) {
  if (!measurement.names.some((name) => wanted.includes(name))) continue;
  for (const result of await measurement.run(wanted, (line) => process.stderr.write(`${line}\n`))) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (!result.holds) process.exitCode = 1;
  }
}
