import { defineConfig } from 'vitest/config';

/** One project per tier; `npm run test:<tier>` runs one, `npm test` runs unit, redis and api. */
const tier = (name: string, options: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    projects: [
      tier('unit'),
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
