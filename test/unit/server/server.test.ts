import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { settled } from '../../support/fake-clock.ts';
import { FakeRedis, hello, resp } from '../../support/fake-redis.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';
import { until } from '../../support/until.ts';

const many = Array.from({ length: 100 }, () => ({}));

describe('a server', () => {
  test('runs each task once', async () => {
    await using served = new ServedQueue();
    const ids = await served.add(...many);
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    expect(handled.toSorted()).toEqual(ids.toSorted());
    expect(ids.map((id) => served.stateOf(id))).toEqual(ids.map(() => undefined));
  });

  test('keeps done tasks that have a retention', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({ retention: 60 });
    await served.start(() => {});
    expect(served.stateOf(id)).toBe('completed');
    await served.clock.advance(70_000);
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('runs as many handlers at once as it may, and no more', async () => {
    await using served = new ServedQueue({ concurrency: 7 });
    const handler = new HeldHandler();
    await served.add(...many);
    await served.start(handler);
    expect(handler.running).toHaveLength(7);
    while (handler.running.length > 0) await handler.endFirst();
    expect(handler.mostAtOnce).toBe(7);
  });

  test('asks once for all the slots that became free in one turn', async () => {
    await using served = new ServedQueue({ concurrency: 5 });
    const handler = new HeldHandler();
    await served.add(...many);
    await served.start(handler);
    const before = served.broker.calls.filter(({ call }) => call === 'dequeue').length;
    await handler.endAll();
    const after = served.broker.calls.filter(({ call }) => call === 'dequeue').length;
    expect(handler.running).toHaveLength(5);
    expect(after - before).toBe(1);
    while (handler.running.length > 0) await handler.endFirst();
  });

  test('finds new tasks in its idle looks', async () => {
    await using served = new ServedQueue();
    const handled: string[] = [];
    await served.start((_, { taskId }) => handled.push(taskId));
    await served.clock.advance(30_000);
    const looks = served.broker.calls.filter(({ call }) => call === 'dequeue').length;
    expect(looks).toBeGreaterThan(25);
    expect(looks).toBeLessThan(35);
    const ids = await served.add({}, {});
    expect(handled).toEqual(ids);
  });

  test('announces itself, what it works on and how it is', async () => {
    const served = new ServedQueue({ queues: { default: 3, low: 1 }, strictPriority: true });
    const handler = new HeldHandler();
    const [id] = await served.add({});
    await served.start(handler);
    const startedAt = served.clock.now();
    await served.clock.advance(5_000);
    const [state] = served.broker.servers.values();
    expect(state).toMatchObject({
      host: 'test-host',
      pid: process.pid,
      concurrency: 10,
      queues: { default: 3, low: 1 },
      strictPriority: true,
      status: 'active',
      startedAt,
      workers: [{ task: { id }, startedAt, deadline: startedAt + 1_800_000 }],
    });
    served.server.stop();
    await served.clock.advance(5_000);
    expect([...served.broker.servers.values()][0]?.status).toBe('stopped');
    await served[Symbol.asyncDispose]();
    expect(served.broker.servers.size).toBe(0);
  });

  test('goes from new to active, stopped and closed, and never back', async () => {
    await using served = new ServedQueue();
    const { server } = served;
    await server.shutdown();
    server.stop();
    expect(server.status).toBe('new');
    server.start(() => {});
    expect(server.status).toBe('active');
    expect(() => server.start(() => {})).toThrow('asynq: the server is already running');
    server.stop();
    server.stop();
    expect(server.status).toBe('stopped');
    expect(() => server.start(() => {})).toThrow('asynq: the server is in the stopped state');
    const closed = server.shutdown();
    expect(server.shutdown()).toBe(closed);
    await closed;
    expect(server.status).toBe('closed');
    expect(() => server.start(() => {})).toThrow('asynq: Server closed');
  });

  test('that was never started ends the connection that it opened', async () => {
    await using redis = await FakeRedis.start((command) => (command[0] === 'HELLO' ? hello() : '+PONG\r\n'));
    const server = new Server({ addr: redis.addr }, { log: silentLogger });
    await server.ping();
    expect(redis.open).toBe(1);
    expect(() => server.start({} as never)).toThrow('as handler, got object');
    await server.shutdown();
    await until(() => redis.open === 0);
    expect(server.status).toBe('closed');
    expect(() => server.start(() => {})).toThrow('asynq: Server closed');
    await server.shutdown();
  });

  test('says on stderr what it does and what it lacks, unless it is told not to', async () => {
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => stderr.mockRestore());
    const said = () => stderr.mock.calls.map(([text]) => String(text)).join('');
    await using one = await FakeRedis.start(() => resp.error('WRONGPASS not you'));
    await using other = await FakeRedis.start(() => resp.error('WRONGPASS not you'));
    await using quiet = new Server({ addr: one.addr }, { log: silentLogger });
    await using server = new Server({ addr: other.addr });
    quiet.start(() => {});
    server.start(() => {});
    await until(() => said().includes('WARN  no connection to Redis'));
    expect(said()).toMatch(/INFO {2}server started queues=.*\n.*WARN .*WRONGPASS/s);
    expect(said()).not.toContain(one.addr);
  });

  test('a handler that is none leaves it new', async () => {
    await using served = new ServedQueue();
    expect(() => served.server.start({} as never)).toThrow('as handler, got object');
    expect(served.server.status).toBe('new');
  });

  test('leaves nothing running when it has closed', async () => {
    const served = new ServedQueue({ healthCheck: () => {} });
    await served.start(() => {});
    await served.add(...many);
    await served[Symbol.asyncDispose]();
    expect(served.clock.sleepers).toBe(0);
    const { length } = served.broker.calls;
    await served.clock.advance(120_000);
    expect(served.broker.calls).toHaveLength(length);
  });
});

describe('a server that is stopped', () => {
  test('takes no task, and lets those at work go on', async () => {
    await using served = new ServedQueue();
    const handler = new HeldHandler();
    const [first = ''] = await served.add({});
    await served.start(handler);
    served.server.stop();
    const [second = ''] = await served.add({});
    await served.clock.advance(60_000);
    expect(served.stateOf(second)).toBe('pending');
    expect(served.stateOf(first)).toBe('active');
    await handler.endFirst();
    expect(served.stateOf(first)).toBeUndefined();
  });

  test('gives back at once what a late reply brings', async () => {
    await using served = new ServedQueue();
    const [id = ''] = await served.add({});
    served.broker.stall('dequeue');
    const handler = new HeldHandler();
    await served.start(handler);
    served.server.stop();
    served.broker.heal();
    await settled();
    expect(handler.running).toEqual([]);
    expect(served.stateOf(id)).toBe('pending');
  });

  test('gives back at once what it leased and did not start', async () => {
    await using served = new ServedQueue();
    const ids = await served.add({}, {}, {});
    const handled: string[] = [];
    await served.start((_, { taskId }) => {
      handled.push(taskId);
      served.clock.block(1_000); // a handler that computes
      served.server.stop();
    });
    expect(handled).toEqual(ids.slice(0, 1));
    expect(ids.map((id) => served.stateOf(id))).toEqual([undefined, 'pending', 'pending']);
  });
});

describe('a shutdown', () => {
  test('waits for running handlers', async () => {
    await using served = new ServedQueue({ shutdownTimeout: 8_000 });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    const closed = served.server.shutdown();
    await served.clock.advance(7_900);
    expect(served.server.status).toBe('stopped');
    expect(handler.running[0]?.signal.aborted).toBe(false);
    await handler.endFirst();
    await closed;
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('gives tasks back when its time is over: next in line, nothing counted, their handlers told', async () => {
    await using served = new ServedQueue({ shutdownTimeout: 8_000 });
    const handler = new HeldHandler();
    const [id = '', second] = await served.add({ retried: 2 }, {});
    await served.start(handler);
    const closed = served.server.shutdown();
    const [later] = await served.add({});
    await served.clock.advance(8_000);
    await closed;
    expect(handler.running[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_CLOSED' });
    expect(served.messageOf(id)).toMatchObject({ retried: 2, errorMsg: '' });
    const { tasks } = await served.broker.dequeue('default', 3);
    expect(tasks.map((task) => task.id)).toEqual([id, second, later]);
  });

  test('does not wait longer than it is told to', async () => {
    await using served = new ServedQueue({ shutdownTimeout: 3_600_000 });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    const forceful = new AbortController();
    const closed = served.server.shutdown({ signal: forceful.signal });
    await served.clock.advance(60_000);
    expect(served.server.status).toBe('stopped');
    forceful.abort();
    await closed;
    expect(served.stateOf(id)).toBe('pending');
  });

  test('ends soon although Redis is away', async () => {
    await using served = new ServedQueue({ shutdownTimeout: 8_000 });
    await served.add({});
    await served.start(new HeldHandler());
    served.broker.stall();
    const closed = served.server.shutdown();
    await served.clock.advance(8_000 + 3_000);
    await closed;
    expect(served.server.status).toBe('closed');
  });

  test('is not held up by the outcome of a handler that ends after it', async () => {
    await using served = new ServedQueue({ shutdownTimeout: 1_000 });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    const closed = served.server.shutdown();
    await served.clock.advance(1_000);
    await closed;
    await handler.endFirst();
    expect(served.stateOf(id)).toBe('pending');
  });
});

describe('the signal of a server', () => {
  test('stops it, and cancels what runs', async () => {
    const all = new AbortController();
    await using served = new ServedQueue({ signal: all.signal });
    const handler = new HeldHandler();
    const [id = ''] = await served.add({});
    await served.start(handler);
    all.abort();
    await settled();
    expect(handler.running[0]?.signal.reason).toMatchObject({ code: 'ASYNQ_TASK_CANCELED' });
    expect(served.server.status).toBe('stopped');
    await handler.endFirst();
    expect(served.messageOf(id)?.errorMsg).toBe('context canceled');
  });
});
