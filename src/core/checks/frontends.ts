import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { groupBy, listed, unseenOf } from './words.js';
import { answersOf, downAddresses } from './who-runs.js';

/** Every frontend answers, and all are of one cluster. */
export const checkFrontends: Check = ({ cluster }, { hop }) => {
  const down = downAddresses(cluster);
  const asked = cluster.frontends.filter(({ address }) => !down.has(address));
  const silent = [
    ...unseenOf(
      asked,
      ({ info }) => info,
      ({ address }) => address,
    ),
  ].map(([reason, addresses]): Finding => ({
    id: 'frontend-unseen',
    severity: hop === undefined ? 'warn' : 'block',
    found: `frontend ${listed(addresses)} could not be asked: ${reason}`,
    expected: 'an answer of every frontend',
    action: 'See that it runs and that this worker reaches it, or correct the "frontends" of the input',
    source: 'GetClusterInfo of each frontend',
  }));
  const clusters = groupBy(
    answersOf(cluster),
    ({ clusterId }) => clusterId,
    ({ address }) => address,
  );
  if (clusters.size <= 1) return silent;
  const groups = [...clusters].map(([id, addresses]) => `${listed(addresses)} of ${id}`);
  return [
    ...silent,
    {
      id: 'frontends-of-different-clusters',
      severity: 'block',
      found: `the frontends belong to different clusters: ${listed(groups)}`,
      expected: 'frontends of one cluster',
      action: 'Correct the "connection" and the "frontends" of the input',
      source: 'GetClusterInfo of each frontend',
    },
  ];
};
