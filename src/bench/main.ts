import { FIGURES } from './figures.js';
import { measureRollout } from './measure-rollout.js';

/** Prints one line of JSON for each figure; `make bench FIGURE=name` prints one alone. Exits 1 when a goal is missed. */
const wanted = process.argv[2];
const figures = FIGURES.filter(({ name }) => wanted === undefined || wanted === name);
if (figures.length === 0) {
  process.stderr.write(`there is no figure "${wanted}"; there are ${FIGURES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
const measured = await measureRollout((line) => process.stderr.write(`${line}\n`));
for (const { name, unit, goal, read } of figures) {
  const { value, anchor } = read(measured);
  const holds = value <= goal;
  process.stdout.write(`${JSON.stringify({ figure: name, value, unit, anchor, goal, holds })}\n`);
  if (!holds) process.exitCode = 1;
}
