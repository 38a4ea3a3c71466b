import { expect, it } from 'vitest';
import { QueueRegistry } from '../../../src/broker/queue-registry.ts';
import type { RedisArg, RedisReply, RedisRouter } from '../../../src/redis/router.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function registryOn(answer: () => Promise<RedisReply>) {
  const sent: (readonly RedisArg[])[] = [];
  const router: Pick<RedisRouter, 'command'> = {
    command: (key, name, args) => {
      sent.push([key, name, ...args]);
      return answer();
    },
  };
  const clock = new FakeClock();
  return { registry: new QueueRegistry({ router, clock }), clock, sent };
}

it('lists a queue once for all who ask, and then knows it', async () => {
  const { registry, sent } = registryOn(async () => 1);
  await Promise.all([registry.ensure('q'), registry.ensure('q'), registry.ensure('r')]);
  expect(registry.ensure('q')).toBeUndefined();
  expect(sent).toEqual([
    ['asynq:queues', 'SADD', 'asynq:queues', 'q'],
    ['asynq:queues', 'SADD', 'asynq:queues', 'r'],
  ]);
});

it('lists it again after a minute', async () => {
  const { registry, clock, sent } = registryOn(async () => 1);
  await registry.ensure('q');
  await clock.advance(59_999);
  expect(registry.ensure('q')).toBeUndefined();
  await clock.advance(1);
  expect(registry.ensure('q')).toBeUndefined();
  expect(sent).toHaveLength(2);
});

it('keeps nobody waiting for a queue that was listed before', async () => {
  const answers: (() => Promise<RedisReply>)[] = [async () => 1, () => new Promise(() => {})];
  const { registry, clock, sent } = registryOn(() => answers[sent.length - 1]?.() ?? Promise.resolve(1));
  await registry.ensure('q');
  await clock.advance(60_000);
  expect(registry.ensure('q')).toBeUndefined();
  expect(registry.ensure('q')).toBeUndefined();
  expect(sent).toHaveLength(2);
});

it('tries again a little later when listing again failed', async () => {
  let fails = false;
  const { registry, clock, sent } = registryOn(async () => {
    if (fails) throw new Error('away');
    return 1;
  });
  await registry.ensure('q');
  await clock.advance(60_000);
  fails = true;
  expect(registry.ensure('q')).toBeUndefined();
  await clock.advance(999);
  expect(registry.ensure('q')).toBeUndefined();
  expect(sent).toHaveLength(2);
  await clock.advance(1);
  fails = false;
  expect(registry.ensure('q')).toBeUndefined();
  expect(sent).toHaveLength(3);
});

it('does not take a failure for an answer', async () => {
  let fails = true;
  const { registry, sent } = registryOn(async () => {
    if (fails) throw new Error('away');
    return 1;
  });
  await expect(registry.ensure('q')).rejects.toThrow('away');
  fails = false;
  await registry.ensure('q');
  expect(sent).toHaveLength(2);
});
