import { basename } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** Those that take minutes, the longest first. */
const LONGEST = [
  'cassandra-store',
  'rollout',
  'store-contract',
  'driver-contract',
  'observe',
  'load',
  'probe',
  'cluster-survey',
  'restart',
  'cli',
  'web-ui',
  'running-work',
  'mysql-store',
  'incidents',
].map((name) => `${name}.test.ts`);

/** On a clean clone Jest knows of no test how long it takes, and would leave the longest one alone at the end. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const order = (test) =>
      LONGEST.includes(basename(test.path)) ? LONGEST.indexOf(basename(test.path)) : LONGEST.length;
    return super.sort(tests).toSorted((a, b) => order(a) - order(b));
  }
}
