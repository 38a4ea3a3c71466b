import { beforeEach, describe, expect, it } from 'vitest';
import type { LeasedTask, ServerState } from '../../../src/broker/broker.ts';
import { QueueKeys, SERVERS_KEY, serverKey, WORKERS_KEY, workersKey } from '../../../src/wire/keys.ts';
import { decodeServerInfo, decodeWorkerInfo } from '../../../src/wire/server-info.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';

const redis = rawCluster();
const { broker, clock, second, lease } = brokerOn(testCluster());

let queue: string;
let keys: QueueKeys;
beforeEach(() => {
  queue = uniqueQueue();
  keys = new QueueKeys(queue);
});

describe('deleting completed tasks', () => {
  it('takes those whose retention is over, a batch at a time, with their hashes', async () => {
    const ids: string[] = [];
    for (const retention of [10, 20, 30, 3_600]) {
      const task = await lease({ queue, retention });
      await broker.settle(task, { kind: 'done' });
      ids.push(task.id);
    }
    await clock.advance(30_000);
    expect(await broker.deleteExpiredCompleted(queue, 2)).toBe(2);
    expect(await broker.deleteExpiredCompleted(queue, 2)).toBe(1);
    expect(await broker.deleteExpiredCompleted(queue, 2)).toBe(0);
    expect(Object.keys((await dumpQueue(redis, queue)).completed)).toEqual([ids[3]]);
    expect(await redis.exists(...ids.map((id) => keys.task(id)))).toBe(1);
  });
});

describe('a result', () => {
  it('is stored with the task, over the one before', async () => {
    const task = await lease({ queue, retention: 60 });
    await broker.writeResult(queue, task.id, Buffer.from('half'));
    await broker.writeResult(queue, task.id, Buffer.from([0, 255, 10]));
    expect(await redis.hgetBuffer(keys.task(task.id), 'result')).toEqual(Buffer.from([0, 255, 10]));
    await broker.settle(task, { kind: 'done' });
    expect(await redis.hgetBuffer(keys.task(task.id), 'result')).toEqual(Buffer.from([0, 255, 10]));
  });

  it('of a task that is gone is refused, and leaves nothing behind', async () => {
    await expect(broker.writeResult(queue, 'gone', Buffer.from('x'))).rejects.toMatchObject({
      code: 'ASYNQ_TASK_NOT_FOUND',
      message: `cannot find task with id=gone in queue "${queue}"`,
    });
    expect(await redis.exists(keys.task('gone'))).toBe(0);
  });
});

function stateOf(serverId: string, workers: readonly LeasedTask[]): ServerState {
  return {
    host: 'host-1',
    pid: 4_242,
    serverId,
    concurrency: 10,
    queues: { [queue]: 3, 'imágenes, 📷': 1 },
    strictPriority: true,
    status: 'active',
    startedAt: clock.now() - 5_000,
    workers: workers.map((task) => ({ task, startedAt: clock.now(), deadline: clock.now() + 60_000 })),
  };
}

describe('the state of a server', () => {
  it('is written with what its workers do, for as long as it is told', async () => {
    const serverId = crypto.randomUUID();
    const task = await lease({ queue, payload: Buffer.from('p') });
    await broker.writeServerState(stateOf(serverId, [task]), 10);

    const [server, workers] = [serverKey('host-1', 4_242, serverId), workersKey('host-1', 4_242, serverId)];
    expect(decodeServerInfo((await redis.getBuffer(server)) ?? Buffer.alloc(0))).toEqual({
      host: 'host-1',
      pid: 4_242,
      serverId,
      concurrency: 10,
      queues: { [queue]: 3, 'imágenes, 📷': 1 },
      strictPriority: true,
      status: 'active',
      startedAt: clock.now() - 5_000,
      activeWorkerCount: 1,
    });
    const hash = await redis.hgetallBuffer(workers);
    expect(Object.keys(hash)).toEqual([task.id]);
    expect(decodeWorkerInfo(hash[task.id] ?? Buffer.alloc(0))).toMatchObject({
      serverId,
      taskId: task.id,
      taskType: task.message.type,
      queue,
      startedAt: clock.now(),
      deadline: clock.now() + 60_000,
    });
    expect(await redis.ttl(server)).toBeOneOf([9, 10]);
    expect(await redis.ttl(workers)).toBeOneOf([9, 10]);
    expect(await redis.zscore(SERVERS_KEY, server)).toBe(String(second() + 10));
    expect(await redis.zscore(WORKERS_KEY, workers)).toBe(String(second() + 10));
  });

  it('is written over, and cleared', async () => {
    const serverId = crypto.randomUUID();
    const state = stateOf(serverId, [await lease({ queue })]);
    await broker.writeServerState(state, 10);
    await broker.writeServerState({ ...state, status: 'stopped', workers: [] }, 10);
    const [server, workers] = [serverKey('host-1', 4_242, serverId), workersKey('host-1', 4_242, serverId)];
    expect(decodeServerInfo((await redis.getBuffer(server)) ?? Buffer.alloc(0)).status).toBe('stopped');
    expect(await redis.exists(workers)).toBe(0);

    await broker.clearServerState(state);
    await broker.clearServerState(state);
    expect(await redis.exists(server)).toBe(0);
    expect(await redis.zscore(SERVERS_KEY, server)).toBeNull();
    expect(await redis.zscore(WORKERS_KEY, workers)).toBeNull();
  });
});
