import { configDefaults, defineConfig } from 'vitest/config';

/** Files that measure, or that load the whole machine: they run one at a time, after all others. */
const ALONE = [
  'test/chaos/**/*.test.ts',
  'test/media/**/*.test.ts',
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
          exclude: [...configDefaults.exclude, ...ALONE],
          // Two cores: files that start servers, browsers or kill processes share them badly.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
