import type pg from 'pg';
import { PreconditionError } from '../../core/errors.js';
import type { PostgresStore } from '../../core/input/input.js';
import type { LeftOver } from '../../core/schema/half-done.js';
import { POSTGRES_DIALECT } from '../../core/schema/schema-dialect.js';
import type { SchemaShape } from '../../core/schema/schema-shape.js';
import type { LeftOverStep } from '../../core/survey/store-survey.js';
import type { SchemaPlace } from '../store-parts/survey-parts.js';
import { asLeftOverStep, findUnfinishedStep } from '../store-parts/unfinished-step.js';
import type { Work } from '../store.js';
import { askLong, withoutTimeLimit } from './postgres-rows.js';
import { readShape } from './postgres-shape.js';

const FOREIGN = 'it is not what the scripts make, and a schema tool passes over it, or fails at it';

/**
 * What is left of a step that was not finished. PostgreSQL keeps each statement by itself. What is there already ("… already exists")
 * the tool passes over; what is gone ("… does not exist") it does not (tools/common/schema/updatetask.go of the server).
 */
export async function findLeftOvers(place: SchemaPlace, found: SchemaShape): Promise<LeftOverStep[]> {
  const { left, changed } = await findUnfinishedStep(place, found, POSTGRES_DIALECT);
  return [...left.map(asStep), ...changed];
}

function asStep(one: LeftOver): LeftOverStep {
  const step = asLeftOverStep(one);
  if (one.isOther) return { ...step, doubt: FOREIGN };
  return one.gone === true ? step : { ...step, passedOver: true };
}

/**
 * Brings back what a tool dropped that was killed within a step, so that the step can drop it again. The caller holds the lock of the
 * schema, and no tool is at work. Killed in between, it goes on with what is left.
 * @returns what was brought back, a line each
 * @throws PreconditionError when somebody else made something under a name of the coming scripts; nothing was changed then
 */
export async function bringBackDropped(
  client: pg.Client,
  { database, host, port }: Pick<PostgresStore, 'database' | 'host' | 'port'>,
  place: SchemaPlace,
  work: Work,
): Promise<string[]> {
  const { left } = await findUnfinishedStep(place, await readShape(client), POSTGRES_DIALECT);
  const foreign = left.filter(({ isOther }) => isOther);
  if (foreign.length > 0) {
    const lines = foreign.map(({ what, takeBack }) => `${what}, and ${FOREIGN}: ${takeBack}`);
    throw new PreconditionError(
      `the scripts after schema ${place.from} cannot be run in database "${database}" at ${host}:${port}:\n${lines.join('\n')}\n` +
        'Find out who made it, take it back, then try again; or restore the backup of this hop',
      { reason: 'schema-half-done', database, at: place.from, to: place.to, left: foreign.length },
    );
  }
  const lines: string[] = [];
  for (const { what, takeBack } of left.filter(({ gone }) => gone === true)) {
    work.signal?.throwIfAborted();
    work.onProgress?.(`bringing back what an unfinished step dropped: ${takeBack}`);
    await withoutTimeLimit(client); // an index of a large table takes its time
    await askLong(client, takeBack);
    lines.push(`${what}, left by an unfinished step: made anew, so that the step can drop it`);
  }
  return lines;
}
