import { expect, test } from '@jest/globals';
import { compareRings, type Member, type RingView } from '../../../src/adapters/meter/sample-rings.js';

const RINGS = { frontend: ['a:1', 'b:1'], history: ['a:2', 'b:2'], worker: ['a:3'] };
const members = (changes: Readonly<Record<string, boolean | undefined>> = {}): Member[] =>
  (['frontend', 'history', 'worker'] as const).flatMap((role) =>
    RINGS[role].map((rpcAddress) => ({
      role,
      rpcAddress,
      isUp: rpcAddress in changes ? changes[rpcAddress] : true,
    })),
  );
const view = (frontend: string, changes: object = {}): RingView => ({ frontend, rings: { ...RINGS, ...changes } });
const silent = (frontend: string): RingView => ({ frontend, problem: 'no answer' });

test('every frontend names what is up, and nothing else', () => {
  expect(compareRings([view('a:1'), view('b:1')], members())).toEqual({ equal: true });
  // A ring that the servers have and the target does not need is empty.
  expect(compareRings([view('a:1', { 'internal-frontend': [] })], members())).toEqual({ equal: true });
});

test('by its address, not by how many there are, and whatever the address by which the frontends were asked', () => {
  const rings = { history: ['a:2', 'old:2'] };
  const views = [view('balancer:1', rings), view('balancer:2', rings)];
  expect(compareRings(views, members())).toEqual({
    equal: false,
    problem: expect.stringContaining('b:2, which is up'),
  });
});

test('a member of a role of which nothing is up is one too many', () => {
  const found = compareRings([view('a:1')], members({ 'a:3': false }));
  expect(found).toEqual({ equal: false, problem: expect.stringContaining('the ring of worker has a:3') });
});

test('a member that the target does not name is one too many, also in a role that it does not have', () => {
  const found = compareRings([view('a:1', { matching: ['c:9'] })], members());
  expect(found).toEqual({ equal: false, problem: expect.stringContaining('the ring of matching has c:9') });
});

test('frontends that see other members', () => {
  const found = compareRings([view('a:1'), view('b:1', { history: ['a:2'] })], members());
  expect(found).toEqual({ equal: false, problem: 'a:1 and b:1 name other members' });
});

test('a frontend that is down says nothing, and need not; one that is up, or of which nobody knows, has to', () => {
  const without = { frontend: ['b:1'] };
  expect(compareRings([silent('a:1'), view('b:1', without)], members({ 'a:1': false }))).toEqual({ equal: true });
  for (const isUp of [true, undefined]) {
    const found = compareRings([silent('a:1'), view('b:1')], members({ 'a:1': isUp }));
    expect(found).toEqual({ problem: expect.stringContaining('a:1: no answer') });
  }
  expect(compareRings([silent('balancer:1')], members())).toEqual({ problem: 'balancer:1: no answer' });
});

test('what nobody knows is neither equal nor not; but what is surely wrong is', () => {
  expect(compareRings([view('a:1')], members({ 'a:3': undefined }))).toEqual({
    problem: expect.stringContaining('whether a:3 runs'),
  });
  const found = compareRings([view('a:1', { history: ['a:2'] })], members({ 'a:3': undefined }));
  expect(found).toMatchObject({ equal: false });
});

test('all frontends are down', () => {
  const found = compareRings([silent('a:1'), silent('b:1')], members({ 'a:1': false, 'b:1': false }));
  expect(found).toEqual({ problem: 'every frontend is down' });
});
