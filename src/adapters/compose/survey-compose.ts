import { shellLine } from '../../core/shell-line.js';
import { type ComposeDriver, overrideFileOf } from '../../core/input/input.js';
import type { ComposeSurvey } from '../../core/survey/compose-survey.js';
import type { Seen } from '../../core/survey/seen.js';
import { look } from '../cluster/look.js';
import { countOf, lookAtProject } from './context.js';
import { howToKeep, isReadByItself } from './kept-version.js';
import { obstaclesIn } from './obstacles.js';
import { createPrograms, type Programs } from './programs.js';

/** Looks at what Compose and its engine say of a target; changes nothing, and never throws for what they say. */
export async function surveyCompose(
  input: ComposeDriver,
  programs: Programs = createPrograms(input),
): Promise<ComposeSurvey> {
  const [version, found, isKept] = await Promise.all([
    look(async () => ((await programs.compose(['version'])).stdout.trim().split('\n')[0] ?? '').trim()),
    look(() => lookAtProject({ input, programs, work: {}, places: new Map() })),
    isReadByItself(input),
  ]);
  return {
    project: input.project,
    command: shellLine(input.command),
    version,
    services: mapSeen(found, ({ slots }) =>
      input.services.map(({ service, roles }) => {
        const own = slots.filter((slot) => slot.service.service === service);
        const made = own.filter(({ container }) => container !== undefined);
        return {
          service,
          roles,
          containers: made.length === 0 ? 0 : countOf(slots, service),
          isChecked: made.some(({ container }) => container?.health !== undefined),
        };
      }),
    ),
    obstacles: mapSeen(found, (seen) => obstaclesIn(seen, input)),
    overrideFile: overrideFileOf(input),
    ...(isKept ? {} : { toKeep: howToKeep(input) }),
  };
}

function mapSeen<T, R>(seen: Seen<T>, change: (value: T) => R): Seen<R> {
  return 'seen' in seen ? { seen: change(seen.seen) } : seen;
}
