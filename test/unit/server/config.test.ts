import { describe, expect, test } from 'vitest';
import { resolveConfig, type ServerConfig } from '../../../src/server/config.ts';
import type { GroupAggregator } from '../../../src/server/group-aggregator.ts';
import { Task } from '../../../src/tasks/task.ts';

describe('the configuration of a server', () => {
  test("has Go's defaults", () => {
    expect(resolveConfig({})).toMatchObject({
      queues: { default: 1 },
      strictPriority: false,
      taskCheckInterval: 1_000,
      shutdownTimeout: 8_000,
      healthCheckInterval: 15_000,
      groupGracePeriod: 60_000,
      groupMaxDelay: 0,
      groupMaxSize: 0,
      leaseDuration: 30_000,
      janitorInterval: 8_000,
      janitorBatchSize: 100,
    });
    expect(resolveConfig({}).concurrency).toBeGreaterThanOrEqual(1);
    expect(resolveConfig({}).isFailure(new Error('x'))).toBe(true);
  });

  test('the default delay draws from the random source that is given', () => {
    const [least, most] = [0, 0.999].map((chance) =>
      resolveConfig({ random: () => chance }).retryDelay(1, undefined, new Task('t')),
    );
    expect([least, most]).toEqual([16_000, 74_000]);
  });

  test('an option that is undefined is one that is not given', () => {
    const careless = { concurrency: undefined, queues: undefined } as unknown as ServerConfig;
    expect(resolveConfig(careless).queues).toEqual({ default: 1 });
  });

  test.each<[ServerConfig, string]>([
    [{ concurrency: 0 }, 'concurrency: expected a whole number from 1, got 0'],
    [{ concurrency: 1.5 }, 'concurrency: expected a whole number from 1, got 1.5'],
    [{ janitorBatchSize: Number.NaN }, 'janitorBatchSize: expected a whole number from 1, got NaN'],
    [{ taskCheckInterval: 0 }, 'taskCheckInterval: expected milliseconds above 0, got 0'],
    [{ shutdownTimeout: -1 }, 'shutdownTimeout: expected milliseconds from 0, got -1'],
    [{ shutdownTimeout: Number.NaN }, 'shutdownTimeout: expected milliseconds from 0, got NaN'],
    [{ groupMaxDelay: -1 }, 'groupMaxDelay: expected milliseconds from 0, got -1'],
    [{ groupGracePeriod: 999 }, 'groupGracePeriod: expected milliseconds from 1000, got 999'],
    [{ groupMaxSize: 1.5 }, 'groupMaxSize: expected a whole number from 0, got 1.5'],
    [
      { groupAggregator: {} as GroupAggregator },
      'groupAggregator: expected a function or an object with a method aggregate, got {}',
    ],
    [
      { leaseDuration: 4_000 },
      'leaseDuration: expected milliseconds from 5000 that are whole seconds, got 4000',
    ],
    [
      { leaseDuration: 5_500 },
      'leaseDuration: expected milliseconds from 5000 that are whole seconds, got 5500',
    ],
    [{ logLevel: 'loud' as 'info' }, "logLevel: expected debug, info, warn, error, got 'loud'"],
    [{ stopGrace: -1 }, 'stopGrace: expected milliseconds from 0, got -1'],
    [{ queues: {} }, 'queues: expected at least one queue, got {}'],
    [{ queues: { a: 0 } }, "queue 'a': expected a priority that is a whole number from 1, got 0"],
  ])('says what is wrong with %j', (config, message) => {
    expect(() => resolveConfig(config)).toThrow(message);
    expect(() => resolveConfig(config)).toThrow(
      expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID' }) as Error,
    );
  });

  test.each(['', ' ', '}x'])('refuses a queue by the name %j', (name) => {
    const refused = () => resolveConfig({ queues: { [name]: 1 } });
    expect(refused).toThrow(expect.objectContaining({ code: 'ASYNQ_QUEUE_NAME_INVALID' }) as Error);
  });
});
