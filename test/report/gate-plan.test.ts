import { expect, test } from '@jest/globals';
import { ApprovalPolicy } from '../../src/core/input/approval.js';
import { gateLines } from '../../src/report/gate-plan.js';

type Gates = Parameters<typeof gateLines>[0]['gates'];
const lines = (live: Parameters<typeof ApprovalPolicy.parse>[0], gates: Partial<Gates> = {}) =>
  gateLines({
    gates: { staging: [], live: ['promote', 'schema', 'servers'], ...gates },
    approval: { staging: ApprovalPolicy.parse({}), live: ApprovalPolicy.parse(live) },
  });

test('says for each target where a person decides, and who may', () => {
  expect(lines({})).toEqual([
    'staging gates: incidents alone: one person, by the name that is said',
    'live gates: promote, schema, servers, and incidents: one person, by the name that is said',
  ]);
});

test('says all that the policy asks for', () => {
  const windows = {
    timeZone: 'Europe/Berlin',
    open: [
      { days: ['mon' as const, 'tue' as const], from: '22:00', to: '05:00' },
      { from: '12:00', to: '13:00' },
    ],
    closed: [
      { from: '2026-12-18', to: '2027-01-04' },
      { from: '2026-05-01', to: '2026-05-01' },
    ],
  };
  const policy = { approvers: ['ada', '*@sre'], identity: 'claimed' as const, count: 2, starterMayApprove: false };
  expect(lines({ ...policy, reasonRequired: true, expires: '24h', windows }, { live: ['schema'] })[1]).toBe(
    'live gates: schema, and incidents: 2 different people of ada, *@sre, by the identity that the client claims, ' +
      'not who started it, with a reason; schema and servers mon tue 22:00 to 05:00, daily 12:00 to 13:00 Europe/Berlin, ' +
      'not 2026-12-18 to 2027-01-04, 2026-05-01; an incident after 1d',
  );
  expect(lines({ automatic: true })[1]).toMatch(/; passed by itself when all before it passed$/);
});
