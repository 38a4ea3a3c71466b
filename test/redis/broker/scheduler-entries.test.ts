import { beforeEach, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import type { SchedulerEntryRecord } from '../../../src/wire/scheduler-entry.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';

const redis = rawCluster();
const clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000);
const second = clock.now() / 1000;
const log = new RecordingLogger();
const testedRouter = testRouter();
const entries = new SchedulerEntries({ router: testedRouter, clock, log });

let scheduler: string;
let key: string;
beforeEach(() => {
  scheduler = uniqueQueue('host:1');
  key = `asynq:schedulers:{${scheduler}}`;
});

const entry = (id: string): SchedulerEntryRecord => ({
  id,
  spec: '@daily',
  taskType: 't',
  taskPayload: Buffer.from('p'),
  options: ['Queue("q")'],
  next: clock.now() + 1_000,
  prev: undefined,
});

async function listed(): Promise<SchedulerEntryRecord[]> {
  const all = await entries.list();
  return all.filter(({ id }) => id.startsWith(scheduler));
}

it('tells the entries of a scheduler until they expire, in their order', async () => {
  const all = [entry(`${scheduler}-b`), entry(`${scheduler}-a`)];
  await entries.write(scheduler, all, 20);
  expect(await listed()).toEqual(all);
  expect(await redis.ttl(key)).toBe(20);
  expect(await redis.zscore('asynq:schedulers', key)).toBe(String(second + 20));
  await entries.write(scheduler, all.slice(1), 20);
  expect(await listed()).toEqual(all.slice(1));
  await entries.write(scheduler, [], 20);
  expect(await listed()).toEqual([]);
});

it('passes over a scheduler whose entries are gone, and one that is over', async () => {
  await redis.zadd('asynq:schedulers', second + 20, key);
  expect(await listed()).toEqual([]);
  await entries.write(scheduler, [entry(`${scheduler}-a`)], 20);
  await redis.zadd('asynq:schedulers', second - 1, key);
  expect(await listed()).toEqual([]);
  // Only writers bury the dead.
  expect(await redis.zscore('asynq:schedulers', key)).toBe(String(second - 1));
});

it('drops schedulers from the index that died long ago', async () => {
  const dead = `${key}-dead`;
  await redis.zadd('asynq:schedulers', second - 3_700, dead, second - 60, key);
  await entries.write(uniqueQueue(), [], 1);
  expect(await redis.zscore('asynq:schedulers', dead)).toBeNull();
  expect(await redis.zscore('asynq:schedulers', key)).not.toBeNull();
});

it('passes over an entry that cannot be read, and says so', async () => {
  await entries.write(scheduler, [entry(`${scheduler}-a`)], 20);
  await redis.lpush(key, Buffer.from('0aff', 'hex'));
  expect(await listed()).toEqual([entry(`${scheduler}-a`)]);
  expect(log.entries.at(-1)).toMatchObject({ level: 'warn' });
});

it('takes the entries of a scheduler back', async () => {
  await entries.write(scheduler, [entry(`${scheduler}-a`)], 20);
  await entries.clear(scheduler);
  expect([await redis.exists(key), await redis.zscore('asynq:schedulers', key)]).toEqual([0, null]);
});

it('keeps the last thousand events of an entry, the newest first, and not for ever', async () => {
  const id = uniqueQueue('entry');
  const history = `asynq:scheduler_history:${id}`;
  const event = (number: number) => ({ taskId: `t${number}`, enqueuedAt: clock.now() + number * 1_000 });
  const numbers = Array.from({ length: 1_010 }, (_, number) => number);
  await Promise.all(numbers.map((number) => entries.recordEvent(id, event(number))));
  expect(await redis.zcard(history)).toBe(1_000);
  expect(await redis.ttl(history)).toBeGreaterThan(89 * 24 * 3600);
  expect(await entries.events(id, { pageSize: 2, page: 1 })).toEqual([event(1_009), event(1_008)]);
  expect(await entries.events(id, { pageSize: 2, page: 2 })).toEqual([event(1_007), event(1_006)]);
  expect(await entries.events(id, { pageSize: 600, page: 2 })).toHaveLength(400);
  expect(await entries.events(id, { pageSize: 0, page: 1 })).toEqual([]);
  await entries.clearHistory(id);
  expect(await redis.exists(history)).toBe(0);
});

it('calls what is no list no empty list', async () => {
  const router: RedisRouter = Object.assign(Object.create(testedRouter), { command: async () => null });
  const astray = new SchedulerEntries({ router, clock, log });
  const failure = { code: 'ASYNQ_REDIS_COMMAND', message: expect.stringContaining('expected an array') };
  await expect(astray.list()).rejects.toMatchObject(failure);
  await expect(astray.events('e', { pageSize: 10, page: 1 })).rejects.toMatchObject(failure);
});
