import { configDefaults, defineConfig } from 'vitest/config';

/** Files that send and receive sound and pictures at their own speed: mostly they wait, and are disturbed by who loads the machine. */
const PACED = ['test/media/**/*.test.ts', 'test/server/telephony/**/*.test.ts'];

/** Files that measure, or that load the whole machine: they run one at a time, after all others. */
const ALONE = [
  'test/chaos/**/*.test.ts',
  'test/security/flood.test.ts',
  'test/e2e/resume/resume.test.ts',
  'test/e2e/recording.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...PACED, ...ALONE],
          // Two cores: files that start servers, browsers or kill processes share them badly.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'paced', include: PACED, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
