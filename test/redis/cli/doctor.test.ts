import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/broker/doctor-findings.ts';
import { runAsynq } from '../../../src/cli/asynq.ts';
import type { RedisReply } from '../../../src/redis/router.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QUEUES_KEY, QueueKeys, SERVERS_KEY } from '../../../src/wire/keys.ts';
import { TASK_STATES } from '../../../src/wire/states.ts';
import { encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { startRedisCluster } from '../../lab/redis-cluster.ts';
import { GoBroker } from '../../support/go-broker.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { rawRedis, testRedis, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { GROUP, taskIn } from '../../support/task-in-state.ts';
import { taskMessage } from '../../support/task-messages.ts';
import { fakeTerminal } from '../../unit/cli/run.ts';

/* The doctor looks at all that there is, so it has a cluster of its own. */

const cluster = await startRedisCluster({ replicas: 0 });
const { addrs } = cluster;
const on = brokerOn({ addrs });
const { broker, router, clock, second, enqueue, lease } = on;
const go = await GoBroker.on({ addrs, cluster: true });
const peer = await GoPeer.on({ addrs, cluster: true });
const single = rawRedis();
const inspector = new Inspector(router, { clock });
afterAll(async () => {
  await go.stop();
  await cluster.stop();
});

let queue: string;
let keys: QueueKeys;
beforeEach(async () => {
  for (const master of await cluster.masters()) await master.call('FLUSHALL');
  queue = uniqueQueue('with spaces, {x} and ñ');
  keys = new QueueKeys(queue);
});

const ask = (op: string, more: object = {}) => go.call(op, { queue, now: clock.now(), ...more });
const redis = (name: string, key: string, ...args: readonly (string | number | Uint8Array)[]) =>
  router.command(key, name, [key, ...args]);

const texts = (reply: RedisReply) => (Array.isArray(reply) ? reply.map(String) : []);

async function asynq(...args: readonly string[]) {
  const terminal = fakeTerminal({ env: { CLUSTER: '1', CLUSTER_ADDRS: addrs.join(',') } });
  const code = await runAsynq(args, { terminal });
  return { code, ...terminal.written };
}

async function doctor(...args: readonly string[]) {
  const { code, out } = await asynq('doctor', ...args, '-o', 'json');
  const findings = JSON.parse(out) as Finding[];
  const found = findings.map((one) => [one.code, one.count, one.fixed, one.examples.toSorted()]);
  return { code, found };
}

/** What is found at first; that it is mended then, and nothing found any more. */
async function expectMended(...found: readonly (readonly [string, readonly string[]])[]): Promise<void> {
  const rows = (isFixed: boolean) =>
    found.map(([code, examples]) => [code, examples.length, isFixed ? examples.length : 0, examples]);
  expect(await doctor()).toEqual({ code: 1, found: rows(false) });
  expect(await doctor()).toEqual({ code: 1, found: rows(false) });
  expect(await doctor('--fix')).toEqual({ code: 0, found: rows(true) });
  expect(await doctor()).toEqual({ code: 0, found: [] });
}

describe('asynq doctor', () => {
  it('finds nothing amiss where tasks of all states, locks and sets are as they should be', async () => {
    for (const state of TASK_STATES.filter((one) => one !== 'pending')) {
      await taskIn(state, on, { queue, uniqueKey: keys.unique(state, null) }, 600);
    }
    await enqueue({ queue });
    await broker.enqueue({ message: taskMessage({ queue }), group: 'ready' });
    await broker.claimGroup(queue, 'ready', { gracePeriod: 0, maxDelay: 0, maxSize: 1 });
    expect(await doctor()).toEqual({ code: 0, found: [] });
    expect(await doctor('--fix')).toEqual({ code: 0, found: [] });
    expect(await asynq('doctor', queue)).toEqual({ code: 0, out: 'Nothing is amiss\n', err: '' });
  });

  it("takes out ids whose task is gone, Go's ghosts too", async () => {
    await enqueue({ queue, id: 'good' });
    await redis('RPUSH', keys.pending, 'ghost');
    await expect(ask('Dequeue')).rejects.toThrow(/no processable task|NOT_FOUND/i);
    await redis('LPUSH', keys.pending, 'evicted', 'gone');
    await redis('ZADD', keys.scheduled, second() + 60, 'lost');
    await expectMended(['id-without-task', ['evicted', 'ghost', 'gone', 'lost']]);
    expect((await inspector.listPendingTasks(queue)).map(({ id }) => id)).toEqual(['good']);
    expect(await redis('LLEN', keys.active)).toBe(0);
    expect(await redis('ZCARD', keys.lease)).toBe(0);
    expect(await redis('EXISTS', keys.task('ghost'))).toBe(0);
    expect(await peer.queue(queue)).toMatchObject({ Size: 1, Pending: 1, Active: 0, Scheduled: 0 });
  });

  it('keeps the tasks among them in a list of many pages, in their order', async () => {
    const ids = Array.from({ length: 1_700 }, (_, n) => `id-${n}`);
    const messages = ids.map((id) => taskMessage({ queue, id }));
    await Promise.all(messages.map((message) => broker.enqueue({ message })));
    const isLost = (n: number) => n % 3 === 0 || (n > 400 && n < 1_100);
    const lost = ids.filter((_, n) => isLost(n));
    await Promise.all(lost.map((id) => redis('DEL', keys.task(id))));
    const before = texts(await redis('LRANGE', keys.pending, 0, -1));
    expect((await doctor()).found).toEqual([['id-without-task', lost.length, 0, expect.any(Array)]]);
    expect((await doctor('--fix')).found).toEqual([
      ['id-without-task', lost.length, lost.length, expect.any(Array)],
    ]);
    expect(texts(await redis('LRANGE', keys.pending, 0, -1))).toEqual(
      before.filter((id) => !lost.includes(id)),
    );
    expect(await doctor()).toEqual({ code: 0, found: [] });
  });

  it('gives active tasks a lease that have none, with which a worker that lives goes on', async () => {
    const task = await lease({ queue, id: 'mine' });
    await redis('DEL', keys.lease);
    await expectMended(['active-without-lease', ['mine']]);
    expect((await inspector.getTaskInfo(queue, 'mine')).isOrphaned).toBe(false);
    await broker.settle(task, { kind: 'done' });
    expect(await doctor()).toEqual({ code: 0, found: [] });
  });

  it('goes through active once for many leases, not once for each', async () => {
    for (const id of ['a', 'b', 'c']) {
      await lease({ queue, id });
      await redis('ZADD', keys.lease, second() - 60, id);
    }
    const masters = await cluster.masters();
    for (const master of masters) await master.call('CONFIG', 'RESETSTAT');
    expect(await doctor()).toEqual({ code: 0, found: [] });
    for (const master of masters)
      expect(String(await master.call('INFO', 'commandstats'))).not.toMatch(/_lpos:/);
  });

  it('archives tasks that nothing leads to, with all that they carry, and frees their id', async () => {
    const payload = Buffer.from('{"a":1}');
    await enqueue({ queue, id: 'lost', payload });
    await redis('DEL', keys.pending);
    await redis('HSET', keys.task('rest'), 'result', 'x');
    await redis('ZADD', keys.lease, second() - 60, 'lost');
    await expectMended(['lease-without-active', ['lost']], ['task-in-no-list', ['lost', 'rest']]);
    expect(await redis('EXISTS', keys.task('rest'))).toBe(0);
    const [archived] = await peer.tasks(queue, 'archived');
    expect(archived).toMatchObject({
      id: 'lost',
      payload: payload.toString('base64'),
      lastErr: 'asynq doctor: the task was in no list or set of its queue',
    });
    await inspector.runTask(queue, 'lost');
    expect((await broker.dequeue(queue, 1)).tasks.map(({ id }) => id)).toEqual(['lost']);
  });

  it("brings the hashes back that Go's inspector drops from the archive", async () => {
    const old = Array.from({ length: 9_999 }, (_, n) => [second() - 20_000 + n, `old-${n}`]).flat();
    await redis('ZADD', keys.archived, ...old);
    const message = taskMessage({ queue, id: 'old-0' });
    await redis('HSET', keys.task('old-0'), 'msg', encodeTaskMessage(message), 'state', 'archived');
    const { id } = await taskIn('scheduled', on, { queue });
    await ask('ArchiveTask', { id });
    await redis('ZREMRANGEBYSCORE', keys.archived, '-inf', second() - 100);
    await expectMended(['task-in-no-list', ['old-0']]);
    expect((await peer.tasks(queue, 'archived')).map((task) => task.id).toSorted()).toEqual(
      ['old-0', id].toSorted(),
    );
  });

  it('lists groups that nobody looks at, and returns sets that nobody returns', async () => {
    await taskIn('aggregating', on, { queue, id: 'one' });
    await redis('SREM', keys.groups, GROUP);
    await expectMended(['group-not-listed', [GROUP]]);

    const set = await broker.claimGroup(queue, GROUP, { gracePeriod: 0, maxDelay: 0, maxSize: 1 });
    const key = String(set?.key);
    await redis('ZADD', keys.aggregationSets, second() - 600, key);
    await expectMended(['aggregation-set-stale', [key]]);
    expect(await peer.tasks(queue, 'aggregating', GROUP)).toMatchObject([{ id: 'one' }]);

    await broker.claimGroup(queue, GROUP, { gracePeriod: 0, maxDelay: 0, maxSize: 1 });
    await redis('DEL', keys.aggregationSets);
    expect((await doctor()).found).toEqual([['aggregation-set-not-listed', 1, 0, [expect.any(String)]]]);
    expect((await doctor('--fix')).code).toBe(0);
    expect(await doctor()).toEqual({ code: 0, found: [] });
    expect(await peer.tasks(queue, 'aggregating', GROUP)).toMatchObject([{ id: 'one' }]);
  });

  it('frees locks that Go keeps', async () => {
    const lock = keys.unique('t', null);
    await taskIn('pending', on, { queue, uniqueKey: lock }, 600);
    await ask('DeleteAllPendingTasks');
    await expectMended(['lock-without-task', [lock]]);
    expect(await redis('EXISTS', lock)).toBe(0);
  });

  it('archives messages that do not decode, and goes on to name them', async () => {
    await redis('SADD', QUEUES_KEY, queue);
    await redis('HSET', keys.task('bad'), 'msg', Buffer.from([0xff, 0xff]), 'state', 'pending');
    await redis('LPUSH', keys.pending, 'bad');
    expect(await doctor()).toEqual({ code: 1, found: [['message-unreadable', 1, 0, ['bad']]] });
    expect(await doctor('--fix')).toEqual({ code: 0, found: [['message-unreadable', 1, 1, ['bad']]] });
    expect(await doctor()).toEqual({ code: 0, found: [['unreadable-archived', 1, 0, ['bad']]] });
    expect(await inspector.listArchivedTasks(queue)).toMatchObject([{ id: 'bad', type: 'asynq:unreadable' }]);
  });

  it('lists queues again that a flush took from the list', async () => {
    await enqueue({ queue });
    await redis('DEL', QUEUES_KEY);
    await expectMended(['queue-not-listed', [queue]]);
    expect(await peer.queue(queue)).toMatchObject({ Size: 1 });
  });

  it('forgets servers and schedulers that died', async () => {
    const key = 'asynq:servers:{h:1:dead}';
    await redis('ZADD', SERVERS_KEY, second() - 600, key);
    const history = 'asynq:scheduler_history:dead';
    await redis('ZADD', history, second(), 'event');
    await expectMended(['history-without-end', [history]], ['index-entry-dead', [key]]);
    expect(await redis('TTL', history)).toBeGreaterThan(80 * 24 * 3600);
  });

  it('warns of masters that evict keys, which it does not set otherwise', async () => {
    const [master] = await cluster.masters();
    await master?.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const found = [['eviction-policy', 1, 0, [`${master?.addr}: allkeys-lru`]]];
    expect(await doctor('--fix')).toEqual({ code: 1, found });
    await master?.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('looks at the queues that it is told, and explains what it found', async () => {
    const other = uniqueQueue('other');
    for (const name of [queue, other]) {
      await enqueue({ queue: name, id: 'x' });
      await redis('DEL', new QueueKeys(name).pending);
    }
    const { code, out, err } = await asynq('doctor', other);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).not.toContain(queue);
    expect(out).toMatch(/^Queue +Code +Count +Fixed +Examples +$/m);
    expect(out).toMatch(new RegExp(`^${other} +task-in-no-list +1 +0 +x +$`, 'm'));
    expect(out).toMatch(/^task-in-no-list: .* --fix archives them/m);
    expect(JSON.parse((await asynq('doctor', other, '-o', 'json')).out)).toEqual([
      {
        code: 'task-in-no-list',
        queue: other,
        what: expect.any(String),
        fix: expect.any(String),
        isFault: true,
        count: 1,
        fixed: 0,
        examples: ['x'],
      },
    ]);
  });

  it('takes nothing for broken while tasks come, run and end', async () => {
    const stop = new AbortController();
    let done = 0;
    const traffic = async () => {
      while (!stop.signal.aborted) {
        await Promise.all(Array.from({ length: 20 }, () => enqueue({ queue })));
        const { tasks } = await broker.dequeue(queue, 10);
        await Promise.all(tasks.map((task) => broker.settle(task, { kind: 'done' })));
        done += tasks.length;
      }
    };
    const running = traffic();
    for (let n = 0; n < 5; n++) expect(await doctor('--fix')).toEqual({ code: 0, found: [] });
    stop.abort();
    await running;
    expect(done).toBeGreaterThan(0);
    expect(await redis('ZCARD', keys.archived)).toBe(0);
  });

  it('leaves tasks to the removal of their queue, and tells of one that has not ended', async () => {
    for (const id of ['a', 'b']) await enqueue({ queue, id });
    await redis('RENAME', keys.pending, `${keys.ownPrefix}removed:x:1`);
    const other = uniqueQueue('other');
    await enqueue({ queue: other, id: 'lost' });
    await redis('DEL', new QueueKeys(other).pending);
    expect(await doctor('--fix')).toEqual({
      code: 0,
      found: [
        ['task-in-no-list', 1, 1, ['lost']],
        ['queue-being-removed', 1, 0, [queue]],
      ],
    });
    expect(await redis('EXISTS', keys.archived)).toBe(0);
    expect(await asynq('queue', 'remove', queue, '--force')).toMatchObject({ code: 0 });
    expect(await doctor()).toEqual({ code: 0, found: [] });
    expect(await redis('EXISTS', keys.task('a'))).toBe(0);
  });

  it('refuses a queue that is not there', async () => {
    expect(await asynq('doctor', queue)).toEqual({
      code: 1,
      out: '',
      err: `error: queue ${JSON.stringify(queue)} does not exist\n`,
    });
  });

  it('works on one server, too', async () => {
    const { addr } = testRedis();
    await using client = new Client({ addr });
    await client.enqueue(new Task('x'), { queue, taskId: 'lost' });
    await single.del(keys.pending);
    const terminal = fakeTerminal({ env: { URI: addr } });
    await runAsynq(['doctor', queue, '--fix', '-o', 'json'], { terminal });
    const found = JSON.parse(terminal.written.out) as Finding[];
    expect(found.find((one) => one.queue === queue)).toMatchObject({
      code: 'task-in-no-list',
      fixed: 1,
      examples: ['lost'],
    });
    expect(await single.zrange(keys.archived, '0', '-1')).toEqual(['lost']);
  });
});
