import { expect, test } from '@jest/globals';
import { checkCompose } from '../../../src/core/checks/compose.js';
import type { ComposeServiceSurvey, ComposeSurvey } from '../../../src/core/survey/compose-survey.js';
import type { CheckContext } from '../../../src/core/survey/survey.js';
import { surveyOf } from '../../helpers/surveys.js';

const HISTORY: ComposeServiceSurvey = { service: 'history', roles: ['history'], containers: 1, isChecked: true };
const WELL: ComposeSurvey = {
  project: 'temporal',
  command: 'docker compose',
  version: { seen: 'Docker Compose version v2.40.3' },
  services: { seen: [HISTORY] },
  obstacles: { seen: [] },
  overrideFile: '/srv/compose.temporal-upgrade.yaml',
};
/** Of the context, these checks know only whether a hop comes. */
const IN_HOP = { hop: {} } as CheckContext;
const ALONE = {} as CheckContext;

const findings = (change: Partial<ComposeSurvey>, context = IN_HOP) =>
  checkCompose(surveyOf({ compose: { ...WELL, ...change } }), context);
const found = (change: Partial<ComposeSurvey>, context = IN_HOP) =>
  Object.fromEntries(findings(change, context).map(({ id, severity }) => [id, severity]));

test('all is well, and servers that are no services: nothing is said', () => {
  expect(found({})).toEqual({});
  expect(checkCompose(surveyOf(), IN_HOP)).toEqual([]);
});

test('what was not seen, and a service without a container, stop a hop', () => {
  const gone = { unseen: 'Cannot connect to the Docker daemon' };
  expect(findings({ version: gone, services: gone, obstacles: gone }).map(({ id }) => id)).toEqual([
    'compose-unseen',
    'compose-unseen',
  ]);
  expect(found({ version: gone }, ALONE)).toEqual({ 'compose-unseen': 'warn' });
  expect(found({ services: { seen: [{ ...HISTORY, containers: 0 }] } })).toEqual({
    'service-without-container': 'block',
  });
});

test('what keeps a container from being replaced alone stops a hop, with its remedy', () => {
  const obstacles = { seen: [{ what: 'ui stands on container frontend', remedy: 'take it out of "depends_on"' }] };
  expect(findings({ obstacles })).toMatchObject([
    { id: 'not-replaceable-alone', severity: 'block', action: 'Take it out of "depends_on"' },
  ]);
  expect(found({ obstacles }, ALONE)).toEqual({ 'not-replaceable-alone': 'warn' });
});

test('several roles in one process are told with the gap that they have', () => {
  const all = { ...HISTORY, service: 'temporal', roles: ['frontend', 'history', 'matching', 'worker'] } as const;
  const [one] = findings({ services: { seen: [all] } });
  expect(one).toMatchObject({
    id: 'roles-in-one-process',
    severity: 'warn',
    found: expect.stringMatching(/frontend, history, matching and worker in one process.*until its successor serves/),
  });
  expect(findings({ services: { seen: [{ ...all, containers: 2 }] } })[0]?.found).not.toMatch(/until its successor/);
});

test('images that the next "up" by hand would not keep are told, and how it would', () => {
  expect(findings({ toKeep: 'add COMPOSE_FILE=a:b to /srv/.env' })).toMatchObject([
    { id: 'images-not-kept', severity: 'warn', action: 'Add COMPOSE_FILE=a:b to /srv/.env' },
  ]);
});
