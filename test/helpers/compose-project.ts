import { ComposeDriver } from '../../src/core/input/input.js';

/** A project with a service for each role, as an operator writes it. */
export function composeInput(more: object = {}): ComposeDriver {
  return ComposeDriver.parse({ ...COMPOSE, ...more });
}

/** The same, before it is parsed. */
export const COMPOSE = {
  type: 'compose',
  project: 'temporal',
  files: ['/srv/temporal/compose.yaml'],
  services: ['frontend', 'history', 'matching', 'worker'].map((role) => ({ service: role, roles: [role] })),
};
