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

/** They hold a real cluster against bounds of time, and so have the machine to themselves. */
const ALONE = ['load', 'load-scenarios', 'observe', 'probe', 'rollout'].map(
  (name) => `<rootDir>/test/real/${name}.test.ts`,
);

/** They need an API server that takes minutes to build, and wait for its controllers. */
const KUBERNETES = '<rootDir>/test/real/kubernetes-';

// `quick` needs no cluster; `full` and `alone` start real databases and clusters, two files of `full` at a time. `make test`
// leaves out `kubernetes` (`make test-kubernetes`) and `long`, whole roll-outs of minutes each.
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
      testPathIgnorePatterns: [...ALONE, KUBERNETES],
    },
    { ...shared, displayName: 'alone', testMatch: ALONE },
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
