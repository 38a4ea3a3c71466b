import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { FindingsBook } from '../../../src/broker/doctor-findings.ts';
import { QueueDoctor, type QueueDoctorParts } from '../../../src/broker/queue-doctor.ts';
import { QueueRemoval } from '../../../src/broker/queue-removal.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { taskMessage } from '../../support/task-messages.ts';

/* What happens between two steps of an examination; what it finds and mends, the tests of `asynq doctor` show. */

const redis = rawCluster();
const { broker, router, clock, second, enqueue, lease } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
let book: FindingsBook;
let doctor: QueueDoctor;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
  book = new FindingsBook();
  doctor = new QueueDoctor(parts());
});

const parts = () => ({ queue, router, clock, book, mend: true });

/** Runs scripts, and does something after each. */
function routerThat(does: (script: string) => Promise<void>): QueueDoctorParts['router'] {
  return {
    command: (...args) => router.command(...args),
    run: async (script, ...args) => {
      const reply = await router.run(script, ...args);
      await does(script.name);
      return reply;
    },
  };
}

it('takes tasks for whole that came after the lists were read, and went on since', async () => {
  await doctor.examineLists();
  const taken = await lease({ queue, id: 'taken' });
  const ended = await lease({ queue, id: 'ended' });
  await enqueue({ queue, id: 'waits' });
  await broker.enqueue({ message: taskMessage({ queue, id: 'grouped' }), group: 'g' });
  await broker.claimGroup(queue, 'g', { gracePeriod: 0, maxDelay: 0, maxSize: 1 });
  await doctor.examine(['t:taken', 't:ended', 't:waits', 't:grouped', 'g:g']);
  await broker.settle(ended, { kind: 'done' });
  await doctor.finish();
  expect(book.all()).toEqual([]);
  expect(await redis.zcard(keys.archived)).toBe(0);
  expect(await redis.lrange(keys.pending, 0, -1)).toEqual(['waits']);
  await broker.settle(taken, { kind: 'done' });
});

it('leaves alone what is led to again at the second look, or was written anew', async () => {
  for (const id of ['back', 'anew', 'lost']) await enqueue({ queue, id });
  await redis.del(keys.pending);
  await doctor.examineLists();
  await doctor.examine(['t:back', 't:anew', 't:lost']);
  await redis.lpush(keys.pending, 'back');
  await redis.hset(keys.task('anew'), 'msg', 'another');
  await doctor.finish();
  expect(book.all()).toMatchObject([{ code: 'task-in-no-list', count: 1, fixed: 1, examples: ['lost'] }]);
  expect(await redis.zrange(keys.archived, '0', '-1')).toEqual(['lost']);
  expect(await redis.hget(keys.task('anew'), 'msg')).toBe('another');
});

it('counts what it comes upon twice once', async () => {
  await enqueue({ queue, id: 'lost' });
  await redis.del(keys.pending);
  await doctor.examineLists();
  await doctor.examine(['t:lost']);
  await doctor.examine(['t:lost', 't:lost']);
  await doctor.finish();
  await doctor.finish();
  expect(book.all()).toMatchObject([{ code: 'task-in-no-list', count: 1, fixed: 1 }]);
});

it('goes through all of a list whose first pages lead nowhere', async () => {
  await enqueue({ queue, id: 'good' });
  const ghosts = Array.from({ length: 1_200 }, (_, n) => `ghost-${n}`);
  await redis.lpush(keys.pending, ...ghosts);
  await doctor.examineLists();
  expect(book.all()).toMatchObject([{ code: 'id-without-task', count: 1_200, fixed: 1_200 }]);
  expect(await redis.lrange(keys.pending, 0, -1)).toEqual(['good']);
});

it('drops nothing from a full archive for what it finds: that is left, and told', async () => {
  const old = Array.from({ length: 9_998 }, (_, n) => [second() - 20_000 + n, `old-${n}`]).flat();
  await redis.zadd(keys.archived, ...old);
  for (const id of ['first', 'second']) await enqueue({ queue, id });
  const ofSecond = await redis.hgetall(keys.task('second'));
  await redis.del(keys.pending);
  await doctor.examine(['t:first']);
  await doctor.finish();
  await doctor.examine(['t:second']);
  await doctor.finish();
  expect(book.all()).toMatchObject([{ code: 'task-in-no-list', count: 2, fixed: 1 }]);
  expect(await redis.zcard(keys.archived)).toBe(9_999);
  expect(await redis.hgetall(keys.task('second'))).toEqual(ofSecond);
});

it('archives messages that do not decode, whatever their hash says else', async () => {
  const msg = Buffer.from([0xff, 0xff]);
  await redis.hset(keys.task('stateless'), 'msg', msg);
  await redis.lpush(keys.pending, 'stateless');
  await redis.hset(keys.task('odd'), 'msg', msg, 'state', 'odd');
  await redis.zadd(keys.scheduled, second() + 60, 'odd');
  await redis.hset(keys.task('grouped'), 'msg', msg, 'state', 'aggregating', 'group', 'g');
  await redis.zadd(keys.group('g'), second(), 'grouped');
  await redis.sadd(keys.groups, 'g');
  await redis.hset(keys.task('runs'), 'msg', msg, 'state', 'active');
  await redis.lpush(keys.active, 'runs');
  await redis.zadd(keys.lease, second() + 30, 'runs');
  await doctor.examineLists();
  await doctor.examine(['t:stateless', 't:odd', 't:grouped', 't:runs']);
  expect(book.all()).toMatchObject([{ code: 'message-unreadable', count: 4, fixed: 3 }]);
  expect(await redis.zrange(keys.archived, '0', '-1')).toEqual(['grouped', 'odd', 'stateless']);
  expect(await redis.hget(keys.task('odd'), 'state')).toBe('archived');
  expect(await redis.exists(keys.pending, keys.scheduled, keys.groups)).toBe(0);
  expect(await redis.lrange(keys.active, 0, -1)).toEqual(['runs']);
});

it('leaves alone a task whose message is written anew after it was read', async () => {
  await redis.hset(keys.task('bad'), 'msg', Buffer.from([0xff, 0xff]), 'state', 'pending');
  await redis.lpush(keys.pending, 'bad');
  const late = new QueueDoctor({
    ...parts(),
    router: routerThat(async (script) => {
      if (script !== 'doctor-tasks') return;
      await redis.hset(keys.task('bad'), 'msg', encodeTaskMessage(taskMessage({ queue, id: 'bad' })));
    }),
  });
  await late.examineLists();
  await late.examine(['t:bad']);
  expect(book.all()).toMatchObject([{ code: 'message-unreadable', count: 1, fixed: 0 }]);
  expect(await redis.lrange(keys.pending, 0, -1)).toEqual(['bad']);
});

it('leaves tasks to their workers whose leases stand, though active was lost', async () => {
  await lease({ queue, id: 'runs' });
  await redis.del(keys.active);
  await doctor.examineLists();
  await doctor.examine(['t:runs']);
  await doctor.finish();
  expect(book.all()).toEqual([]);
  await clock.advance(31_000);
  await doctor.examineLists();
  await doctor.finish();
  expect(book.all()).toMatchObject([
    { code: 'lease-without-active', fixed: 1 },
    { code: 'task-in-no-list', fixed: 1 },
  ]);
});

it('returns no aggregation sets but those that are stale', async () => {
  const sets: string[] = [];
  for (const late of [1, 600]) {
    await broker.enqueue({ message: taskMessage({ queue, id: `late-${late}` }), group: 'g' });
    const set = await broker.claimGroup(queue, 'g', { gracePeriod: 0, maxDelay: 0, maxSize: 1 });
    sets.push(String(set?.key));
    await redis.zadd(keys.aggregationSets, second() - late, String(set?.key));
  }
  await doctor.finish();
  expect(book.all()).toMatchObject([{ code: 'aggregation-set-stale', fixed: 1, examples: sets.slice(1) }]);
  expect(await redis.zrange(keys.aggregationSets, '0', '-1')).toEqual(sets.slice(0, 1));
  expect(await redis.zrange(keys.group('g'), '0', '-1')).toEqual(['late-600']);
});

it('does not list a queue again that was removed meanwhile', async () => {
  await enqueue({ queue });
  await doctor.examineLists();
  await doctor.examine(['pending']);
  await new QueueRemoval({ router, clock, log: silentLogger, newId: randomUUID }).remove(queue, true);
  await doctor.finish();
  expect(book.all()).toEqual([]);
  expect(await redis.sismember(QUEUES_KEY, queue)).toBe(0);
});

it('looks again at what came into a list since only as part of that list, and not once it is told to end', async () => {
  const asked: string[] = [];
  const noting = routerThat(async (script) => void asked.push(script));
  const stop = new AbortController();
  const late = new QueueDoctor({ ...parts(), router: noting, signal: stop.signal });
  await late.examineLists();
  await enqueue({ queue, id: 'waits' });
  await late.examine(['t:waits']);
  expect(await late.acquitListed()).toBe(0);
  await late.finish();
  expect(asked).not.toContain('doctor-orphan');

  await redis.del(keys.pending);
  const again = new QueueDoctor({ ...parts(), router: noting, signal: stop.signal });
  await again.examine(['t:waits']);
  stop.abort();
  await again.finish();
  expect(asked).not.toContain('doctor-orphan');
  expect(book.all()).toEqual([]);
});
