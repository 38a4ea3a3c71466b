import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeError } from '../../../src/kube/kube-error.ts';
import type { AsynqQueue } from '../../../src/operator/asynq-queue.ts';
import { Engine } from '../../../src/operator/engine.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fleetOf, queueOf } from './builders.ts';
import { MemoryFleet, MemoryRedis, MemorySource, UNREACHABLE } from './memory-ends.ts';

let clock: FakeClock;
let source: MemorySource;
let fleet: MemoryFleet;
let engine: Engine;
/** By their first address. */
let redises: Map<string, MemoryRedis>;

beforeEach(() => {
  clock = new FakeClock();
  source = new MemorySource();
  fleet = new MemoryFleet();
  redises = new Map();
  engine = new Engine({
    source,
    fleet,
    redis: {
      open: (options) => redisAt('addr' in options ? options.addr : options.addrs[0]).router,
      reader: (router) =>
        [...redises.values()].find((redis) => redis.router === router)?.reader ?? redisAt('nowhere').reader,
    },
    clock,
    log: silentLogger,
  });
});

afterEach(() => engine.stop());

/** The Redis at that address; without one, that of the builders' AsynqQueues. */
function redisAt(addr = 'redis:6379'): MemoryRedis {
  const redis = redises.get(addr) ?? new MemoryRedis();
  redises.set(addr, redis);
  return redis;
}

const at = (addr: string) => ({ mode: 'Cluster' as const, addrs: [addr] });

function condition(name: string, type: string): string | undefined {
  const found = source.get(`media/${name}`)?.status?.conditions?.find((one) => one.type === type);
  return found && `${found.status} ${found.reason}`;
}

function edit(queue: AsynqQueue): void {
  source.put(queue);
  engine.enqueue(`media/${queue.metadata.name}`, 'high');
}

describe('an engine', () => {
  it('looks at all queues once a second and scales them', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { target: { tasksPerReplica: 10 } } }));
    engine.start();
    await clock.advance(0);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 0 });
    redisAt().set('a', { size: { pending: 35 } });
    await clock.advance(999);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 0 });
    await clock.advance(1);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 4 });
    expect(source.events.map(({ reason }) => reason)).toEqual(['WorkersCreated', 'ScaledUp']);
    expect(redisAt().reads).toBe(2);
  });

  it('does nothing before it is started, and then what was asked for meanwhile', async () => {
    edit(queueOf({ name: 'a' }));
    await clock.advance(5_000);
    expect(fleet.applied).toEqual([]);
    expect(redises.size).toBe(0);
    engine.start();
    await clock.advance(0);
    expect(fleet.applied.length).toBeGreaterThan(0);
  });

  it('writes nothing while nothing changes', async () => {
    source.put(queueOf({ name: 'a' }));
    engine.start();
    await clock.advance(2_000);
    const writes = source.statusWrites;
    await clock.advance(120_000);
    expect(source.statusWrites).toBe(writes);
    expect(source.events).toHaveLength(1);
  });

  it('goes over a sleeping queue each 15 seconds, and at once when there is news', async () => {
    source.put(queueOf({ name: 'a' }));
    engine.start();
    await clock.advance(2_000);
    const applied = fleet.applied.length;
    await clock.advance(60_000);
    expect(fleet.applied.length - applied).toBe(4);
    redisAt().set('a', { due: 1 });
    await clock.advance(1_000);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 1 });
  });

  it('writes sizes that move every 15 seconds, and a decision at once', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { target: { tasksPerReplica: 1_000 } } }));
    engine.start();
    await clock.advance(1_000);
    let writes = source.statusWrites;
    for (let second = 1; second <= 30; second++) {
      redisAt().set('a', { size: { pending: second } });
      await clock.advance(1_000);
      if (second === 1) writes = source.statusWrites;
    }
    expect(source.statusWrites - writes).toBe(1);
    redisAt().set('a', { size: { pending: 1_500 } });
    await clock.advance(1_000);
    expect(source.get('media/a')?.status).toMatchObject({ desiredReplicas: 2, size: { pending: 1_500 } });
  });

  it('removes the workers of an AsynqQueue that is gone', async () => {
    source.put(queueOf({ name: 'a' }));
    engine.start();
    await clock.advance(1_000);
    source.queues.clear();
    engine.enqueue('media/a');
    await clock.advance(0);
    expect(fleet.removed).toEqual(['media/a']);
  });

  it('stops for good: nothing is read or written any more, and no connection is left', async () => {
    source.put(queueOf({ name: 'a' }));
    engine.start();
    await clock.advance(1_000);
    await Promise.all([engine.stop(), engine.stop()]);
    const [reads, applied] = [redisAt().reads, fleet.applied.length];
    engine.start();
    edit(queueOf({ name: 'b' }));
    await clock.advance(10_000);
    expect([redisAt().reads, fleet.applied.length]).toEqual([reads, applied]);
    expect(redisAt().isClosed).toBe(true);
  });
});

describe('an engine that is stopped in the middle of a look', () => {
  const redis = { ...at('redis:6379'), passwordSecretRef: { name: 'redis', key: 'password' } };

  it('waits for its end, and opens no connection any more', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    source.put(queueOf({ name: 'a' }, { redis }));
    source.secrets.set('media/redis/password', 'secret');
    source.secretsHangUntil = promise;
    engine.start();
    await clock.advance(0);
    const stopped = engine.stop();
    await clock.advance(1_000);
    expect(await Promise.race([stopped, Promise.resolve('waits')])).toBe('waits');
    resolve();
    await stopped;
    expect([engine.connectionCount, redises.size, clock.sleepers]).toEqual([0, 0, 0]);
  });

  it('does not wait for ever', async () => {
    source.put(queueOf({ name: 'a' }, { redis }));
    source.secretsHangUntil = new Promise(() => {});
    engine.start();
    await clock.advance(0);
    const stopped = engine.stop();
    await clock.advance(2_000);
    await stopped;
    expect(clock.sleepers).toBe(0);
  });
});

describe('a run that fails', () => {
  it('waits for its own backoff, whatever is seen of the queue meanwhile', async () => {
    source.put(queueOf({ name: 'a' }));
    redisAt().set('a', { size: { pending: 1 } });
    engine.start();
    await clock.advance(1_000);
    fleet.next = new Error('the API server is away');
    await clock.advance(60_000);
    const tries = fleet.applied.length;
    expect(tries).toBeLessThan(20);
    fleet.next = undefined;
    await clock.advance(60_000);
    expect(fleet.applied.length).toBeGreaterThan(tries + 30);
  });

  it('does not hold up the others', async () => {
    source.put(queueOf({ name: 'a' }));
    source.put(queueOf({ name: 'b' }));
    engine.start();
    await clock.advance(1_000);
    redisAt().set('b', { size: { pending: 1 } });
    fleet.next = { changed: [], refusal: { reason: 'InvalidTemplate', message: 'no such field' } };
    edit(queueOf({ name: 'a', generation: 2 }));
    await clock.advance(0);
    fleet.next = undefined;
    await clock.advance(1_000);
    expect(fleet.states.get('media/b')).toMatchObject({ replicas: 1 });
  });
});

describe('connections', () => {
  it('are shared by all queues of one Redis, and closed when none is left', async () => {
    source.put(queueOf({ name: 'a' }));
    source.put(queueOf({ name: 'b' }));
    source.put(queueOf({ name: 'c' }, { redis: at('other:6379') }));
    engine.start();
    await clock.advance(1_000);
    expect(engine.connectionCount).toBe(2);
    source.queues.delete('media/c');
    await clock.advance(1_000);
    expect(engine.connectionCount).toBe(1);
    expect(redisAt('other:6379').isClosed).toBe(true);
    expect(redisAt().isClosed).toBe(false);
  });

  it('that hang delay their own queues only, which become unknown', async () => {
    source.put(queueOf({ name: 'a' }, { redis: at('slow:6379') }));
    source.put(queueOf({ name: 'b' }));
    engine.start();
    await clock.advance(1_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    redisAt('slow:6379').hangsUntil = promise;
    redisAt().set('b', { size: { pending: 1 } });
    await clock.advance(6_000);
    expect(fleet.states.get('media/b')).toMatchObject({ replicas: 1 });
    engine.enqueue('media/a');
    await clock.advance(0);
    expect(condition('a', 'RedisReachable')).toBe('False RedisUnreachable');
    expect(redisAt('slow:6379').reads).toBe(3);
    redisAt('slow:6379').hangsUntil = undefined;
    resolve();
    await clock.advance(2_000);
    expect(condition('a', 'RedisReachable')).toBe('True Read');
  });

  it('need the Secrets that they name', async () => {
    const redis = { ...at('redis:6379'), passwordSecretRef: { name: 'redis', key: 'password' } };
    source.put(queueOf({ name: 'a' }, { redis }));
    source.put(queueOf({ name: 'b' }));
    engine.start();
    await clock.advance(1_000);
    expect(condition('a', 'Stalled')).toBe('True RedisSecretMissing');
    expect(fleet.applied.every(({ key }) => key === 'media/b')).toBe(true);
    source.secrets.set('media/redis/password', 'secret');
    await clock.advance(1_000);
    expect(condition('a', 'Stalled')).toBeUndefined();
    expect(condition('a', 'Ready')).toBe('True Applied');
  });
});

describe('a Secret that cannot be read', () => {
  const redis = { ...at('redis:6379'), passwordSecretRef: { name: 'redis', key: 'password' } };

  beforeEach(() => {
    source.put(queueOf({ name: 'a' }, { redis }));
    source.secrets.set('media/redis/password', 'secret');
  });

  it('because the operator may not stalls its queue, and says so', async () => {
    source.secretError = new KubeError('ASYNQ_KUBE_REFUSED', 'no', { status: 403, reason: 'Forbidden' });
    engine.start();
    await clock.advance(1_000);
    expect(condition('a', 'Stalled')).toBe('True RedisSecretForbidden');
    expect(source.events.at(-1)?.message).toBe('the operator may not read in media: Secret redis');
    source.secretError = undefined;
    await clock.advance(1_000);
    expect(condition('a', 'Ready')).toBe('True Applied');
  });

  it('in time delays its own queue only', async () => {
    source.put(queueOf({ name: 'b' }));
    const { promise, resolve } = Promise.withResolvers<void>();
    source.secretsHangUntil = promise;
    engine.start();
    await clock.advance(5_000);
    expect(condition('b', 'Ready')).toBe('True Applied');
    expect(redisAt().reads).toBe(6);
    source.secretsHangUntil = undefined;
    resolve();
    await clock.advance(0);
    expect(condition('a', 'Ready')).toBe('True Applied');
  });

  it('for another reason leaves its queue unknown after a while, and its workers as they are', async () => {
    fleet.states.set('media/a', fleetOf({ replicas: 3, readyReplicas: 3 }));
    source.secretError = new KubeError('ASYNQ_KUBE_TIMEOUT', 'no answer');
    engine.start();
    await clock.advance(5_000);
    expect(condition('a', 'RedisReachable')).toBe('Unknown NotReadYet');
    await clock.advance(120_000);
    expect(condition('a', 'RedisReachable')).toBe('False RedisUnreachable');
    expect(condition('a', 'Stalled')).toBeUndefined();
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 3 });
    source.secretError = undefined;
    await clock.advance(2_000);
    expect(condition('a', 'RedisReachable')).toBe('True Read');
  });
});

describe('a queue that could not be decided on for a while', () => {
  const scaling = { target: { tasksPerReplica: 10 } };

  it('does not count that as time without demand', async () => {
    source.put(queueOf({ name: 'a' }, { scaling }));
    redisAt().set('a', { size: { active: 90 } });
    engine.start();
    await clock.advance(1_000);
    fleet.next = new Error('the API server is away');
    await clock.advance(300_000);
    redisAt().set('a', {});
    fleet.next = undefined;
    const tries = fleet.applied.length;
    await clock.advance(60_000);
    expect(fleet.applied[tries]).toMatchObject({ replicas: 9 });
    await clock.advance(60_000);
    expect(fleet.applied.at(-1)).toMatchObject({ replicas: 0 });
  });

  it('is not one that rests: that time counts', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { ...scaling, mode: 'Observe' } }));
    fleet.states.set('media/a', fleetOf({ replicas: 3, readyReplicas: 3 }));
    engine.start();
    await clock.advance(200_000);
    const writes = source.statusWrites;
    await clock.advance(60_000);
    expect(source.statusWrites).toBe(writes);
    expect(source.get('media/a')?.status?.decision).toMatchObject({ desired: 0, reason: 'Asleep' });
  });
});

describe('a Redis that cannot be read', () => {
  it('lowers nothing and stalls nothing, but says so', async () => {
    source.put(queueOf({ name: 'a' }, { scaling: { scaleToZeroAfterSeconds: 0 } }));
    fleet.states.set('media/a', fleetOf({ replicas: 3, readyReplicas: 3 }));
    redisAt().error = UNREACHABLE;
    engine.start();
    await clock.advance(300_000);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 3 });
    expect(condition('a', 'Ready')).toBe('False RedisUnreachable');
    expect(condition('a', 'Stalled')).toBeUndefined();
  });

  it('stays Ready for as long as a failover takes', async () => {
    source.put(queueOf({ name: 'a' }));
    engine.start();
    await clock.advance(1_000);
    redisAt().error = UNREACHABLE;
    await clock.advance(10_000);
    expect([condition('a', 'Ready'), condition('a', 'RedisReachable')]).toEqual([
      'True Applied',
      'False RedisUnreachable',
    ]);
    await clock.advance(30_000);
    expect(condition('a', 'Ready')).toBe('False RedisUnreachable');
  });

  it.each([
    ['ASYNQ_REDIS_AUTH', 'RedisAuthFailed'],
    ['ASYNQ_REDIS_NOT_A_CLUSTER', 'RedisNotACluster'],
    ['ASYNQ_REDIS_VERSION', 'RedisTooOld'],
  ] as const)('because of what the spec says is stalled: %s', async (code, reason) => {
    source.put(queueOf({ name: 'a' }));
    redisAt().error = new AsynqError(code);
    engine.start();
    await clock.advance(1_000);
    expect(condition('a', 'Stalled')).toBe(`True ${reason}`);
    expect(source.events.filter((event) => event.reason === reason)).toHaveLength(1);
  });
});

describe('AsynqQueues that want one queue', () => {
  it('leave it to the older, also while they cannot be read', async () => {
    const queue = { queue: 'q' };
    source.put(queueOf({ name: 'young', creationTimestamp: '2026-01-02T00:00:00Z' }, queue));
    source.put(queueOf({ name: 'old' }, { ...queue, redis: at('alias:6379') }));
    engine.start();
    await clock.advance(2_000);
    expect(condition('young', 'Stalled')).toBe('True QueueConflict');
    redisAt('alias:6379').error = UNREACHABLE;
    await clock.advance(60_000);
    expect(condition('young', 'Stalled')).toBe('True QueueConflict');
    source.queues.delete('media/old');
    await clock.advance(2_000);
    expect(condition('young', 'Ready')).toBe('True Applied');
  });
});

describe('somebody else who sets the number of workers', () => {
  const meddle = (replicas: number) =>
    fleet.states.set('media/a', fleetOf({ replicas, readyReplicas: replicas }));

  beforeEach(() => {
    source.put(queueOf({ name: 'a' }, { scaling: { target: { tasksPerReplica: 10 } } }));
    redisAt().set('a', { size: { pending: 40 } });
    engine.start();
  });

  it('is overruled when it happens now and then', async () => {
    for (let i = 0; i < 6; i++) {
      await clock.advance(150_000);
      meddle(2);
      await clock.advance(1_000);
      expect(fleet.states.get('media/a')).toMatchObject({ replicas: 4 });
    }
    expect(condition('a', 'ScalingConflict')).toBeUndefined();
  });

  it('is not fought: the number is left alone, and it is said so', async () => {
    for (let i = 0; i < 10; i++) {
      await clock.advance(1_000);
      meddle(2);
    }
    await clock.advance(10_000);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 2 });
    expect(condition('a', 'ScalingConflict')).toBe('True ForeignWriter');
    expect(condition('a', 'ScalingActive')).toBe('False ScalingConflict');
    expect(source.events.filter(({ reason }) => reason === 'ScalingConflict')).toHaveLength(1);

    await clock.advance(300_000);
    expect(fleet.states.get('media/a')).toMatchObject({ replicas: 4 });
    expect(condition('a', 'ScalingConflict')).toBeUndefined();
  });
});

describe('the paused flag', () => {
  const flag = 'asynq:{a}:paused';

  it('is set to what the spec says, and corrected with a word about it', async () => {
    source.put(queueOf({ name: 'a' }, { paused: true }));
    engine.start();
    await clock.advance(0);
    expect(redisAt().commands).toEqual([['SET', flag, clock.now() / 1000, 'NX']]);
    redisAt().set('a', { paused: true });
    await clock.advance(1_000);
    expect(source.events.map(({ reason }) => reason)).not.toContain('PausedCorrected');
    redisAt().set('a', { paused: false });
    await clock.advance(1_000);
    expect(redisAt().commands).toHaveLength(2);
    expect(source.events.map(({ reason }) => reason)).toContain('PausedCorrected');
  });

  it('is left alone when the spec says nothing', async () => {
    source.put(queueOf({ name: 'a' }));
    redisAt().set('a', { paused: true });
    engine.start();
    await clock.advance(3_000);
    expect(redisAt().commands).toEqual([]);
    expect(condition('a', 'Paused')).toBe('True Redis');
  });
});

describe('a restart', () => {
  it('leaves the status as it is until the queue is read, and starts from the rates that were written down', async () => {
    const inputs = { arrivalsPerSecond: 40, secondsPerTask: 2 };
    const status = {
      conditions: [],
      decision: { at: '2026-01-01T00:00:00Z', desired: 8, reason: 'LatencyTarget', inputs },
    };
    source.put(queueOf({ name: 'a' }, {}, status));
    fleet.states.set('media/a', fleetOf({ replicas: 8, readyReplicas: 8 }));
    const { promise, resolve } = Promise.withResolvers<void>();
    redisAt().hangsUntil = promise;
    engine.start();
    engine.enqueue('media/a');
    await clock.advance(1_000);
    expect(source.statusWrites).toBe(0);
    redisAt().set('a', { size: { pending: 5, active: 80 } });
    resolve();
    await clock.advance(1_000);
    const { decision } = source.get('media/a')?.status ?? {};
    expect(decision).toMatchObject({ desired: 8, inputs: { arrivalsPerSecond: 40 } });
    expect(decision?.inputs?.['secondsPerTask']).toBeCloseTo(2, 0);
  });
});
