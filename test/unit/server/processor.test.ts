import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../src/runtime/json-logger.ts';
import type { TaskContext } from '../../../src/server/handler.ts';
import { settled } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

function strangeError(message: unknown): Error {
  return Object.assign(new Error('replaced'), { message });
}

class UnreadableError extends Error {
  override get message(): never {
    throw new Error('a bug');
  }

  override get cause(): never {
    throw new Error('a bug');
  }
}

/** As a library of promises before `Promise` would make it. */
class StrangePromise {
  readonly #error = new Error('no');

  // oxlint-disable-next-line unicorn/no-thenable -- it is one on purpose
  then(_: unknown, reject: (reason: Error) => void): void {
    reject(this.#error);
  }
}

describe('an attempt that takes too long', () => {
  test('has failed, and its handler is told why in the moment of its deadline', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [id = ''] = await served.add({ timeout: 30 });
    await served.start(handler);
    await served.clock.advance(29_999);
    expect(handler.running[0]?.signal.aborted).toBe(false);
    await served.clock.advance(1);
    expect(handler.running[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_TASK_TIMEOUT' });
    await handler.endFirst();
    expect(served.stateOf(id)).toBe('retry');
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg: 'context deadline exceeded' });
  });

  test('is not tried again beside its handler, while that may still be about to end', async () => {
    const starts: number[] = [];
    await using served = new ServedQueue({ retryDelay: () => 0 });
    const handler = new HeldHandler();
    await served.add({ timeout: 5 });
    await served.start((task, context) => {
      starts.push(served.clock.now());
      return handler.processTask(task, context);
    });
    await served.clock.advance(10_000);
    expect(starts).toHaveLength(1);
    await handler.endFirst();
    await served.clock.advance(1_000);
    expect(starts).toHaveLength(2);
    expect(handler.mostAtOnce).toBe(1);
    await handler.endFirst();
  });

  test('is tried again over the head of a handler that does not end, and keeps its lease until then', async () => {
    await using served = new ServedQueue({ retryDelay: () => 0, stopGrace: 120_000 });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({ timeout: 5 });
    await served.start(handler);
    await served.clock.advance(5_000 + 119_000);
    expect(served.stateOf(id)).toBe('active');
    expect(served.messageOf(id)).toMatchObject({ retried: 0 });
    expect([...served.broker.servers.values()][0]?.workers).toMatchObject([{ task: { id } }]);
    await served.clock.advance(3_000);
    expect(handler.running.map(({ taskId }) => taskId)).toEqual([id, id]);
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg: 'context deadline exceeded' });
    await handler.endAll();
  });

  test('is settled in the moment of its deadline where there is no grace', async () => {
    await using served = new ServedQueue({ stopGrace: 0 });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({ timeout: 5 });
    await served.start(handler);
    await served.clock.advance(5_000);
    expect(served.stateOf(id)).toBe('retry');
    await handler.endFirst();
  });

  test('has failed, too, when a shutdown cannot wait for its handler', async () => {
    await using served = new ServedQueue({ stopGrace: 60_000, shutdownTimeout: 1_000 });
    const [id = ''] = await served.add({ timeout: 5 });
    await served.start(new HeldHandler());
    await served.clock.advance(5_000);
    const closed = served.server.shutdown();
    await served.clock.advance(1_000);
    await closed;
    expect(served.stateOf(id)).toBe('retry');
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg: 'context deadline exceeded' });
  });

  test('is lost with its lease, when that ends before its handler', async () => {
    await using served = new ServedQueue({ stopGrace: 120_000 });
    const handler = new HeldHandler();
    await served.add({ timeout: 5 });
    await served.start(handler);
    served.broker.breakDown('extendLeases', 'listLeaseExpired');
    await served.clock.advance(60_000);
    await handler.endFirst();
    expect(served.broker.calls.filter(({ call }) => call === 'settle')).toEqual([]);
  });

  test('keeps its slot until its handler has ended', async () => {
    await using served = new ServedQueue({ concurrency: 1 });
    const handler = new HeldHandler();
    const [, second] = await served.add({ timeout: 1 }, {});
    await served.start(handler);
    await served.clock.advance(10_000);
    expect(handler.running).toHaveLength(1);
    await handler.endFirst();
    expect(handler.running.map(({ taskId }) => taskId)).toEqual([second]);
    expect(handler.mostAtOnce).toBe(1);
    await handler.endFirst();
  });

  test.each([
    ['returns', undefined],
    ['throws', new Error('too late to say')],
  ])('stays failed when its handler %s after all', async (_, error) => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [id = ''] = await served.add({ timeout: 1 });
    await served.start(handler);
    await served.clock.advance(1_000);
    await handler.endFirst(error);
    expect(served.stateOf(id)).toBe('retry');
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg: 'context deadline exceeded' });
    expect(served.broker.calls.filter(({ call }) => call === 'settle')).toHaveLength(1);
  });

  test('is not begun when its deadline has passed before', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const deadline = Math.floor(served.clock.now() / 1000) - 1;
    const [id = ''] = await served.add({ timeout: 0, deadline });
    await served.start(handler);
    expect(handler.running).toEqual([]);
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg: 'context deadline exceeded' });
  });
});

describe('a server whose handlers do not listen', () => {
  test('says since when every slot is lost, until one comes back', async () => {
    await using served = new ServedQueue({ concurrency: 2 });
    const handler = new HeldHandler();
    await served.add({ timeout: 5 }, { timeout: 9 });
    await served.start(handler);
    const start = served.clock.now();
    await served.clock.advance(8_000);
    expect(served.server.stuckSince).toBeUndefined();
    await served.clock.advance(60_000);
    expect(served.server.stuckSince).toBe(start + 9_000);
    await handler.endFirst();
    expect(served.server.stuckSince).toBeUndefined();
    await handler.endFirst();
  });
});

describe('a cancelled task', () => {
  test('has failed when its handler, which is told, has ended', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [first = '', second = ''] = await served.add({}, {});
    await served.start(handler);
    await served.broker.publishCancel(first);
    await settled();
    expect(handler.running.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    await handler.endFirst();
    expect(served.stateOf(first)).toBe('retry');
    expect(served.messageOf(first)).toMatchObject({ retried: 1, errorMsg: 'context canceled' });
    expect(served.stateOf(second)).toBe('active');
    await handler.endAll();
  });
});

describe('a lease', () => {
  test('is kept up while the handler runs, however long', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    await served.clock.advance(600_000);
    expect(handler.running[0]?.signal.aborted).toBe(false);
    await handler.endFirst();
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('is kept up in one queue while the master of another does not answer', async () => {
    await using served = new ServedQueue({ leaseDuration: 6_000, queues: { hangs: 1, default: 1 } });
    served.broker.leaseSeconds = 6;
    const handler = new HeldHandler();
    const [lost] = await served.add({ queue: 'hangs' });
    const [kept] = await served.add({});
    await served.start(handler);
    served.broker.stall('extendLeases hangs', 'listLeaseExpired hangs');
    await served.clock.advance(20_000);
    const told = handler.running.map(({ taskId, signal }) => ({ taskId, ended: signal.aborted }));
    expect(told).toHaveLength(2);
    expect(told).toEqual(
      expect.arrayContaining([
        { taskId: lost, ended: true },
        { taskId: kept, ended: false },
      ]),
    );
    await handler.endAll();
  });

  test('that ended tells its handler, and nothing is written for it', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    served.broker.breakDown('extendLeases', 'listLeaseExpired');
    await served.clock.advance(40_000);
    expect(handler.running[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_LEASE_EXPIRED' });
    await handler.endFirst();
    expect(served.stateOf(id)).toBe('active');
    expect(served.broker.calls.filter(({ call }) => call === 'settle')).toEqual([]);
  });

  test.each([
    ['does not listen', undefined],
    ['throws', new Error('too late')],
  ])('that ended under a handler that %s is judged once, when the task is recovered', async (_, error) => {
    const outcomes: string[] = [];
    const heard: unknown[] = [];
    const log = new RecordingLogger();
    await using served = new ServedQueue({
      log,
      observer: { settled: (__, outcome) => outcomes.push(outcome) },
      errorHandler: (failure) => heard.push(failure),
      retryDelay: () => 3_600_000,
    });
    const handler = new HeldHandler();
    await served.add({});
    await served.start(handler);
    served.broker.breakDown('extendLeases', 'listLeaseExpired');
    if (error === undefined) {
      await served.clock.advance(40_000);
    } else {
      served.clock.block(31_000); // ended, and no beat has seen it yet
      await handler.endFirst(error);
    }
    expect(outcomes).toEqual(['lost']);
    expect(heard).toEqual([]);
    served.broker.heal();
    await served.clock.advance(120_000);
    expect(heard).toMatchObject([{ code: 'ASYNQ_LEASE_EXPIRED' }]);
    expect(log.entries.filter(({ message }) => message === 'task failed: to be retried')).toHaveLength(1);
    await handler.endAll();
  });

  test('that ended before its task could be started leaves the task alone', async () => {
    await using served = new ServedQueue();
    const ids = await served.add({}, {});
    const handled: string[] = [];
    await served.start((_, { taskId }) => {
      handled.push(taskId);
      served.clock.block(31_000); // a handler that computes for longer than leases last
    });
    expect(handled).toEqual(ids.slice(0, 1));
    expect(ids.map((id) => served.stateOf(id))).toEqual(['active', 'active']);
  });
});

describe('what a handler is told', () => {
  test('is its task, which attempt it is and until when', async () => {
    await using served = new ServedQueue();
    const payload = Buffer.from('{"para":123}');
    const [id = ''] = await served.add({
      type: 'notificaciones:email',
      payload,
      headers: { trace: 'x' },
      retried: 3,
      retry: 5,
      timeout: 10,
    });
    const told: unknown[] = [];
    await served.start((task, context) => {
      const { taskId, queue, retried, maxRetry, deadline } = context;
      told.push({ type: task.type, para: task.payload.getInt('para'), headers: task.headers });
      told.push({ taskId, queue, retried, maxRetry, deadline });
    });
    expect(told).toEqual([
      { type: 'notificaciones:email', para: 123, headers: { trace: 'x' } },
      { taskId: id, queue: 'default', retried: 3, maxRetry: 5, deadline: served.clock.now() + 10_000 },
    ]);
  });

  test('a signal that is asked for late is aborted already', async () => {
    await using served = new ServedQueue();
    const contexts: TaskContext[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await served.add({ timeout: 1 });
    await served.start((_, context) => {
      contexts.push(context);
      return promise;
    });
    await served.clock.advance(1_000);
    expect(contexts[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_TASK_TIMEOUT' });
    expect(contexts[0]?.signal).toBe(contexts[0]?.signal);
    resolve();
  });

  test('results are stored with the task, until its work no longer counts', async () => {
    await using served = new ServedQueue();
    const { promise, resolve } = Promise.withResolvers<void>();
    const outcomes: unknown[] = [];
    const [id = ''] = await served.add({ timeout: 1, retention: 60 });
    await served.start(async (_, context) => {
      await context.writeResult('half');
      await context.writeResult(Buffer.from('whole'));
      await promise;
      await context.writeResult('too late').catch((error: unknown) => outcomes.push(error));
    });
    await served.clock.advance(1_000);
    resolve();
    await settled();
    expect(served.broker.resultOf('default', id)).toBe('whole');
    expect(outcomes).toMatchObject([{ code: 'ASYNQ_TASK_TIMEOUT' }]);
  });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['an object', { a: 1 }],
  ['the number 42', 42],
  ['an object (DataView)', new DataView(new ArrayBuffer(8))],
  ['an object (ArrayBuffer)', new ArrayBuffer(8)],
  ['an object (Float64Array)', new Float64Array(1)],
])('a result that is neither bytes nor text, but %s, is refused', async (came, result) => {
  await using served = new ServedQueue();
  const [id = ''] = await served.add({ retention: 60 });
  const outcomes: unknown[] = [];
  await served.start(async (_, context) => {
    await context.writeResult('before');
    await context.writeResult(result as string).catch((error: unknown) => outcomes.push(error));
  });
  expect(outcomes).toMatchObject([
    {
      code: 'ASYNQ_OPTION_INVALID',
      message: `task result: expected text or bytes (Uint8Array), got ${came}`,
    },
  ]);
  expect(served.broker.resultOf('default', id)).toBe('before');
});

test('a result that comes after the end of its handler is refused', async () => {
  await using served = new ServedQueue();
  const contexts: TaskContext[] = [];
  await served.add({ retention: 60 });
  await served.start((_, context) => void contexts.push(context));
  await expect(contexts[0]?.writeResult('late')).rejects.toThrow(
    'failed to write task result: the attempt is over',
  );
});

describe('a handler', () => {
  test.each([
    ['throws', throwing(new Error('no')), 'no'],
    ['rejects', () => Promise.reject(new Error('no')), 'no'],
    ['returns a promise of another make that rejects', () => new StrangePromise(), 'no'],
    ['throws what is no Error', throwing('no'), 'panic: no'],
    ['rejects with nothing', () => Promise.reject(), 'panic: undefined'],
    ['throws an Error whose message is no text', throwing(strangeError(42)), '42'],
    ['rejects with an Error whose message is no text', () => Promise.reject(strangeError(null)), 'null'],
    ['throws an Error that cannot be read', throwing(new UnreadableError()), 'an error that cannot be read'],
  ])('that %s has failed', async (_, handler, errorMsg) => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({});
    await served.start(handler);
    expect(served.stateOf(id)).toBe('retry');
    expect(served.messageOf(id)).toMatchObject({ retried: 1, errorMsg });
  });

  test.each([
    ['cannot be read', new UnreadableError()],
    ['is frozen', Object.freeze(new Error('no'))],
  ])('that throws an Error that %s hurts no log and keeps its one slot', async (_, error) => {
    const lines: string[] = [];
    const log = createLogger({ stream: { write: (line) => void lines.push(line) } });
    await using served = new ServedQueue({ concurrency: 1, prefetch: false, log });
    const handler = new HeldHandler();
    const [first = '', second] = await served.add({ type: 'broken' }, {}, {});
    await served.start((task, context) => {
      if (task.type === 'broken') throwing(error)();
      return handler.processTask(task, context);
    });
    await settled();
    expect(served.stateOf(first)).toBe('retry');
    expect(handler.running.map(({ taskId }) => taskId)).toEqual([second]);
    expect(lines.filter((line) => line.includes('task failed: to be retried'))).toHaveLength(1);
    while (handler.running.length > 0) await handler.endFirst();
  });

  test('that computes lets timers and sockets have their turn between tasks', async () => {
    await using served = new ServedQueue();
    await served.add(...Array.from({ length: 5 }, () => ({})));
    const order: string[] = [];
    await served.start(() => {
      if (order.length === 0) setImmediate(() => order.push('others'));
      order.push('task');
      served.clock.block(15);
    });
    expect(order).toEqual(['task', 'task', 'others', 'task', 'task', 'task']);
  });
});
