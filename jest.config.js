const swc = (parser, more = {}) => [
  '@swc/jest',
  {
    module: { type: 'es6' },
    jsc: { parser: { syntax: 'typescript', importAttributes: true, ...parser }, target: 'es2022', ...more },
    sourceMaps: 'inline',
  },
];

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  // Source says ./x.js, as Node wants it after the build; under test the file is ./x.ts.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': swc({}),
    '^.+\\.tsx$': swc({ tsx: true }, { transform: { react: { runtime: 'automatic', importSource: 'preact' } } }),
  },
};

const real = (names) => names.map((name) => `<rootDir>/test/real/${name}.test.ts`);

/** They hold a real cluster against bounds of time, and so have the machine to themselves. */
const ALONE = real(['rollout']);
const REST_ALONE = real(['load', 'load-scenarios', 'observe', 'probe']);

/**
 * `make test` has to end within 25 minutes on two cores, so it leaves these to `make test-rest`: every store but PostgreSQL, every
 * driver but that of processes, old servers, and what looks at a cluster without an upgrade.
 */
const REST = real([
  ...[
    'cassandra-store',
    'mysql-store',
    'search-store',
    'store-contract',
    'store-survey',
    'store-tls',
    'postgres-shape',
  ],
  ...['secured-cassandra', 'secured-search', 'driver-contract', 'old-servers', 'server-modules', 'marchers', 'lab'],
  ...['cluster-survey', 'running-work', 'kept-backups', 'refusals', 'offline-cli'],
]);

/** They need an API server that takes minutes to build, and wait for its controllers. */
const KUBERNETES = '<rootDir>/test/real/kubernetes-';

// `quick` needs no cluster; all others start real databases and clusters, two files of `full` and of `rest` at a time. `make test`
// is quick, full and alone, `make test-rest` both of rest; `.ci/run` does both. Left are `kubernetes` (`make test-kubernetes`) and
// `long`, whole roll-outs of minutes each (`make test-long`).
export default {
  projects: [
    {
      ...shared,
      displayName: 'quick',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/real/', '<rootDir>/test/long/'],
    },
    {
      ...shared,
      displayName: 'full',
      testMatch: ['<rootDir>/test/real/**/*.test.ts'],
      testPathIgnorePatterns: [...ALONE, ...REST, ...REST_ALONE, KUBERNETES],
    },
    { ...shared, displayName: 'alone', testMatch: ALONE },
    { ...shared, displayName: 'rest', testMatch: REST },
    { ...shared, displayName: 'rest-alone', testMatch: REST_ALONE },
    { ...shared, displayName: 'kubernetes', testMatch: [`${KUBERNETES}*.test.ts`] },
    { ...shared, displayName: 'long', testMatch: ['<rootDir>/test/long/**/*.test.ts'] },
    // No tests: `npm run record-histories` writes the histories that test/workflows/replay.test.ts replays, and
    // `npm run record-quiet` the rounds of a quiet cluster that test/core/judging/quiet.test.ts judges.
    {
      ...shared,
      displayName: 'record',
      testMatch: ['<rootDir>/test/histories/record.ts', '<rootDir>/test/fixtures/record-quiet.ts'],
    },
  ],
  // Far more than any needs on a quiet machine: tests of workflows run side by side.
  testTimeout: 90_000,
  testSequencer: '<rootDir>/test/longest-first.js',
};
