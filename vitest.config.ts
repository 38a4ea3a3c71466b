import { defineConfig } from 'vitest/config';

/** One project per tier; `npm run test:<tier>` runs one, `npm test` runs unit, redis and api. */
const tier = (name: string, options: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      // Ample: on a busy machine, importing alone may take seconds.
      tier('unit', { testTimeout: 20_000 }),
      tier('redis', {
        testTimeout: 30_000,
        hookTimeout: 60_000,
        globalSetup: 'test/support/redis-tier.ts',
      }),
      tier('api', {
        testTimeout: 60_000,
        hookTimeout: 120_000,
        globalSetup: 'test/support/api-tier.ts',
      }),
      tier('e2e', {
        testTimeout: 300_000,
        hookTimeout: 900_000,
        fileParallelism: false,
        globalSetup: 'test/support/e2e-tier.ts',
      }),
    ],
  },
});
