import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AggregationSet, Broker, Enqueueing } from '../../../src/broker/broker.ts';
import { Groups } from '../../../src/broker/groups.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { encodeTaskMessage, type TaskMessage } from '../../../src/wire/task-message.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, rawRedis, testCluster, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { ReplyCutter } from '../../support/reply-cutter.ts';
import { taskMessage } from '../../support/task-messages.ts';

const AT_ONCE = { gracePeriod: 60_000, maxDelay: 0, maxSize: 1 };
const WHOLE = { gracePeriod: 60_000, maxDelay: 1_000, maxSize: 0 };

const redis = rawCluster();
const { broker, router, clock, logged, second } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

async function add(
  group: string,
  fields: Partial<TaskMessage> = {},
  to: Broker = broker,
): Promise<TaskMessage> {
  const message = taskMessage({ queue, groupKey: group, ...fields });
  const lock = message.uniqueKey === '' ? {} : { uniqueTtl: 600 };
  await to.enqueue({ message, group, ...lock });
  return message;
}

async function claim(group: string, policy = AT_ONCE, from: Broker = broker): Promise<AggregationSet> {
  const set = await from.claimGroup(queue, group, policy);
  if (set === undefined) throw new Error(`expected a set of group ${group}, got none`);
  return set;
}

const setKeys = () => redis.zrange(keys.aggregationSets, '0', '-1');

describe('an aggregation set', () => {
  it('is written where Go looks for it', async () => {
    const { id } = await add('a:b');
    const added = second();
    await clock.advance(5_000);
    const set = await claim('a:b');
    expect(set.key).toMatch(new RegExp(`^asynq:\\{${queue}\\}:g:a:b:[0-9a-f-]{36}$`));
    expect(await redis.zrange(keys.aggregationSets, '0', '-1', 'WITHSCORES')).toEqual([
      set.key,
      String(second() + 120),
    ]);
    expect(await redis.zrange(set.key, '0', '-1', 'WITHSCORES')).toEqual([id, String(added)]);
    expect(await redis.exists(keys.group('a:b'), keys.groups)).toBe(0);
    expect(await redis.hget(keys.task(id), 'state')).toBe('aggregating');
  });

  it('leaves the rest of its group announced', async () => {
    await add('g');
    await add('g');
    await claim('g');
    expect(await redis.zcard(keys.group('g'))).toBe(1);
    expect(await redis.smembers(keys.groups)).toEqual(['g']);
  });

  it('is read in pages, the oldest first', async () => {
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      const added = await Promise.all(Array.from({ length: 400 }, () => add('g')));
      ids.push(...added.map(({ id }) => id).toSorted());
      await clock.advance(1_000);
    }
    const { tasks } = await claim('g', WHOLE);
    expect(tasks.map(({ id }) => id)).toEqual(ids);
  });

  it('holds 10,000 tasks at most, where nothing else limits it', async () => {
    const seed = redis.pipeline().sadd(keys.groups, 'g');
    for (let n = 0; n < 10_001; n++) {
      const msg = encodeTaskMessage(taskMessage({ queue, id: `${n}`, groupKey: 'g' }));
      seed.hset(keys.task(`${n}`), 'msg', Buffer.from(msg), 'state', 'aggregating', 'group', 'g');
      seed.zadd(keys.group('g'), second(), `${n}`);
    }
    await seed.exec();
    await clock.advance(1_000);
    const set = await claim('g', WHOLE);
    expect(set.tasks).toHaveLength(10_000);
    expect(await redis.zcard(keys.group('g'))).toBe(1);
    expect(await broker.finishAggregation(set, { message: taskMessage({ queue }) })).toBe(true);
    expect(await redis.exists(set.key)).toBe(0);
  });

  it('ends with the task that makes it too large; the rest is back in its group, with its times', async () => {
    // Two scripts read them.
    const payload = Buffer.alloc(3 << 20);
    const large = [await add('g', { payload }), await add('g', { payload })];
    await clock.advance(1_000);
    const rest = [await add('g'), await add('g')];
    const added = second();
    await clock.advance(1_000);
    const groups = new Groups({ router, clock, log: silentLogger, maxSetBytes: 6 << 20 });
    const idsOf = (tasks: readonly { id: string }[] = []) => tasks.map(({ id }) => id).toSorted();
    const set = await groups.claim(queue, 'g', WHOLE);
    expect(idsOf(set?.tasks)).toEqual(idsOf(large));
    const waiting = { g: Object.fromEntries(rest.map(({ id }) => [id, added])) };
    expect((await dumpQueue(redis, queue)).groups).toEqual(waiting);
    expect(idsOf((await groups.claim(queue, 'g', WHOLE))?.tasks)).toEqual(idsOf(rest));
  });

  it('drops ids whose task is gone, and a set of nothing else', async () => {
    const [gone, here] = [await add('g'), await add('g')];
    await redis.del(keys.task(gone.id));
    await clock.advance(1_000);
    const set = await claim('g', WHOLE);
    expect(set.tasks.map(({ id }) => id)).toEqual([here.id]);
    expect(logged).toContainEqual(
      expect.objectContaining({
        fields: { queue, taskIds: [gone.id] },
        message: expect.stringContaining('gone'),
      }),
    );
    await redis.del(keys.task((await add('h')).id));
    expect(await broker.claimGroup(queue, 'h', AT_ONCE)).toBeUndefined();
    expect(await setKeys()).toEqual([set.key]);
    expect((await broker.readyGroups(queue, AT_ONCE, 'me'))?.ready).toEqual([]);
  });

  it('sets a message aside that does not decode', async () => {
    const [bad, good] = [await add('g'), await add('g')];
    await redis.hset(keys.task(bad.id), 'msg', Buffer.from([0xff, 0xff]));
    await clock.advance(1_000);
    const set = await claim('g', WHOLE);
    expect(set.tasks.map(({ id }) => id)).toEqual([good.id]);
    const { archived, tasks } = await dumpQueue(redis, queue);
    expect(Object.keys(archived)).toEqual([bad.id]);
    expect(tasks[bad.id]).toMatchObject({
      state: 'archived',
      message: { type: 'asynq:unreadable', payload: new Uint8Array([0xff, 0xff]) },
    });
  });

  it.each(HURTING_NAMES)('goes back to its group whatever its name: %j', async (name) => {
    const { id } = await add(name);
    await claim(name);
    await clock.advance(120_000);
    expect(await broker.returnStaleSets(queue)).toBe(1);
    expect(await redis.smembers(keys.groups)).toEqual([name]);
    expect(await redis.zrange(keys.group(name), '0', '-1')).toEqual([id]);
    expect(await setKeys()).toEqual([]);
  });

  it('goes back beside what has come into the group meanwhile, each task with its own time', async () => {
    const first = await add('g');
    const firstAt = second();
    const set = await claim('g');
    await clock.advance(2_000);
    const later = await add('g');
    await broker.returnToGroup(set);
    expect((await dumpQueue(redis, queue)).groups['g']).toEqual({
      [first.id]: firstAt,
      [later.id]: second(),
    });
  });
});

describe('groups', () => {
  it('are looked at however many there are, and empty ones are taken off the list', async () => {
    await Promise.all(Array.from({ length: 700 }, (_, n) => add(`g${n}`)));
    await redis.sadd(keys.groups, 'empty');
    expect((await broker.readyGroups(queue, AT_ONCE, 'me'))?.ready).toHaveLength(701);
    expect(await broker.claimGroup(queue, 'empty', AT_ONCE)).toBeUndefined();
    expect(await redis.sismember(keys.groups, 'empty')).toBe(0);
  });
});

describe('the task that a set is made into', () => {
  const uniqueKey = () => keys.unique('t', null);

  async function finish(
    how: Omit<Enqueueing, 'message'>,
    fields: Partial<TaskMessage> = {},
  ): Promise<string> {
    const message = taskMessage({ queue, type: 'made', ...fields });
    await add('g', { uniqueKey: uniqueKey() });
    expect(await broker.finishAggregation(await claim('g'), { message, ...how })).toBe(true);
    expect(await setKeys()).toEqual([]);
    return message.id;
  }

  it('is pending since now', async () => {
    const id = await finish({});
    const { pending, tasks } = await dumpQueue(redis, queue);
    expect(pending).toEqual([id]);
    expect(tasks[id]).toMatchObject({ state: 'pending', pending_since: `${Math.floor(clock.now())}000000` });
    expect(await redis.exists(keys.group('g'), keys.groups, uniqueKey())).toBe(0);
  });

  it('may be for later', async () => {
    const id = await finish({ processAt: clock.now() + 60_000 });
    expect((await dumpQueue(redis, queue)).scheduled).toEqual({ [id]: second() + 60 });
    expect(await redis.hget(keys.task(id), 'state')).toBe('scheduled');
  });

  it('may wait in a group itself', async () => {
    const id = await finish({ group: 'of groups' }, { groupKey: 'of groups' });
    expect((await dumpQueue(redis, queue)).groups).toEqual({ 'of groups': { [id]: second() } });
    expect(await redis.hmget(keys.task(id), 'state', 'group')).toEqual(['aggregating', 'of groups']);
  });

  it('may be unique, also under a lock that a task of its set held', async () => {
    const id = await finish({ uniqueTtl: 60 }, { uniqueKey: uniqueKey() });
    expect(await redis.get(uniqueKey())).toBe(id);
    expect(await redis.ttl(uniqueKey())).toBeOneOf([59, 60]);
    expect(await redis.hget(keys.task(id), 'unique_key')).toBe(uniqueKey());
  });

  it('frees no lock of another, and takes none', async () => {
    await add('g', { uniqueKey: uniqueKey() });
    await redis.set(uniqueKey(), 'another');
    const set = await claim('g');
    const message = taskMessage({ queue, uniqueKey: uniqueKey() });
    await expect(broker.finishAggregation(set, { message, uniqueTtl: 60 })).rejects.toMatchObject({
      code: 'ASYNQ_DUPLICATE_TASK',
    });
    expect(await broker.finishAggregation(set, { message: taskMessage({ queue }) })).toBe(true);
    expect(await redis.get(uniqueKey())).toBe('another');
  });
});

describe('a call whose connection breaks after Redis has done it', () => {
  const raw = rawRedis();
  let cutter: ReplyCutter;
  let cut: ReturnType<typeof brokerOn>;
  beforeAll(async () => {
    cutter = await ReplyCutter.before(testRedis().addr);
    cut = brokerOn({ addr: cutter.addr });
    await cut.broker.ping();
  });
  afterAll(() => cutter[Symbol.asyncDispose]());

  /** Scripts that are known travel by their digest. */
  async function warmUp(): Promise<void> {
    await add('warm', {}, cut.broker);
    const set = await claim('warm', AT_ONCE, cut.broker);
    await cut.broker.returnToGroup(set);
    const again = await claim('warm', AT_ONCE, cut.broker);
    await cut.broker.finishAggregation(again, { message: taskMessage({ queue, id: 'warm' }) });
    await raw.del(keys.pending);
  }

  it('claims one set', async () => {
    await warmUp();
    const { id } = await add('g', {}, cut.broker);
    cutter.cutNext('EVALSHA');
    const set = await claim('g', AT_ONCE, cut.broker);
    expect(cutter.hasCut).toBe(true);
    expect(set.tasks.map((task) => task.id)).toEqual([id]);
    expect(await raw.zrange(keys.aggregationSets, '0', '-1')).toEqual([set.key]);
  });

  it('finishes a set once', async () => {
    await warmUp();
    const message = taskMessage({ queue });
    await add('g', {}, cut.broker);
    const set = await claim('g', AT_ONCE, cut.broker);
    cutter.cutNext('EVALSHA');
    expect(await cut.broker.finishAggregation(set, { message })).toBe(true);
    expect(cutter.hasCut).toBe(true);
    expect(await raw.lrange(keys.pending, 0, -1)).toEqual([message.id]);
  });

  it('returns a set', async () => {
    await warmUp();
    const message = await add('g', {}, cut.broker);
    const set = await claim('g', AT_ONCE, cut.broker);
    cutter.cutNext('EVALSHA');
    await cut.broker.returnToGroup(set);
    expect(cutter.hasCut).toBe(true);
    expect(await raw.zrange(keys.group('g'), '0', '-1')).toEqual([message.id]);
    expect(await raw.hgetBuffer(keys.task(message.id), 'msg')).toEqual(
      Buffer.from(encodeTaskMessage(message)),
    );
  });
});
