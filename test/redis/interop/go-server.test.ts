import { beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { GoPeer, type GoServer } from '../../support/go-peer.ts';
import { dumpQueue } from '../../support/queue-dump.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { HURTING_NAMES } from '../../support/redis-broker.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

/* Go's client and our server, our client and Go's server, and both servers on one queue. */

const TUTORIAL = ['notificaciones', 'webhooks', 'imágenes'];
const PER_QUEUE = 20;

const redis = rawCluster();
const router = testRouter();
const client = new Client(router);
const go = await GoPeer.on({ ...testCluster(), cluster: true });

const base64 = (text: string) => Buffer.from(text).toString('base64');
const payloadOf = (queue: string, n: number) => ({ queue, n });

/** Nothing of these queues waits or is at work. */
async function drained(queues: readonly string[]): Promise<boolean> {
  const dumps = await Promise.all(queues.map((queue) => dumpQueue(redis, queue)));
  return dumps.every(
    ({ pending, active, lease }) => [pending, active, Object.keys(lease)].flat().length === 0,
  );
}

async function processedOf(queue: string): Promise<number> {
  return Number(await redis.get(new QueueKeys(queue).processed));
}

describe("tasks of Go's client", () => {
  it('are run by our server, each once, whatever their queue is called', async () => {
    const queues = [...TUTORIAL, ...HURTING_NAMES].map((name) => uniqueQueue(name));
    const specs = queues.flatMap((queue) =>
      Array.from({ length: PER_QUEUE }, (_, n) => ({
        type: `${queue}:do`,
        payload: base64(JSON.stringify(payloadOf(queue, n))),
        headers: { queue },
        queue,
      })),
    );
    expect(await go.enqueue(specs)).toHaveLength(specs.length);

    const seen: string[] = [];
    const server = new Server(router, {
      log: silentLogger,
      concurrency: 20,
      queues: Object.fromEntries(queues.map((queue) => [queue, 1])),
    });
    server.start((task) => {
      expect(task.type).toBe(`${task.headers['queue']}:do`);
      seen.push(JSON.stringify([task.payload.getString('queue'), task.payload.getInt('n')]));
    });
    await until(() => seen.length === specs.length, { timeout: 20_000, what: 'all tasks to be handled' });
    await until(() => drained(queues));
    await server.shutdown();

    const sent = queues.flatMap((queue) =>
      Array.from({ length: PER_QUEUE }, (_, n) => JSON.stringify([queue, n])),
    );
    expect(seen.toSorted()).toEqual(sent.toSorted());
    for (const queue of queues) {
      expect(await go.queue(queue)).toMatchObject({ Size: 0, Processed: PER_QUEUE, Failed: 0 });
    }
  });

  it('that fail, are given up or leave a result are so for Go as well', async () => {
    const queue = uniqueQueue();
    await go.enqueue([
      { type: 'fail', queue, taskId: 'fail' },
      { type: 'fail', queue, taskId: 'last', maxRetry: 0 },
      { type: 'result', queue, taskId: 'result', retentionSeconds: 60, payload: base64('r') },
    ]);
    const server = new Server(router, { queues: { [queue]: 1 }, log: silentLogger });
    server.start(async (task, context) => {
      if (task.type === 'fail') throw new Error('no route — 📷');
      await context.writeResult(task.payload.bytes);
    });
    await until(() => drained([queue]));
    await server.shutdown();
    expect(await go.task(queue, 'fail')).toMatchObject({
      state: 'retry',
      retried: 1,
      lastErr: 'no route — 📷',
    });
    expect(await go.task(queue, 'last')).toMatchObject({
      state: 'archived',
      retried: 0,
      lastErr: 'no route — 📷',
    });
    expect(await go.task(queue, 'result')).toMatchObject({ state: 'completed', result: base64('r') });
  });
});

describe('tasks of our client', () => {
  it("are run by Go's server, each once, whatever their queue is called", async () => {
    const queues = [...TUTORIAL, ...HURTING_NAMES].map((name) => uniqueQueue(name));
    const tasks = queues.flatMap((queue) =>
      Array.from(
        { length: PER_QUEUE },
        (_, n) => new Task(`${queue}:do`, payloadOf(queue, n), { queue, headers: { queue } }),
      ),
    );
    await client.enqueueMany(tasks);

    const server = await go.serve({
      queues: Object.fromEntries(queues.map((queue) => [queue, 1])),
      concurrency: 20,
    });
    await until(() => server.processed.length === tasks.length, {
      timeout: 20_000,
      what: 'all tasks to be processed',
    });
    await server.stop();

    const got = server.processed.map(({ type, queue, payload, headers }) => [type, queue, payload, headers]);
    const sent = queues.flatMap((queue) =>
      Array.from({ length: PER_QUEUE }, (_, n) => [
        `${queue}:do`,
        queue,
        base64(JSON.stringify(payloadOf(queue, n))),
        { queue },
      ]),
    );
    const inOrder = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).toSorted();
    expect(inOrder(got)).toEqual(inOrder(sent));
    expect(await drained(queues)).toBe(true);
    for (const queue of queues) expect(await processedOf(queue)).toBe(PER_QUEUE);
  });

  describe("on Go's server", () => {
    let queue: string;
    let server: GoServer;
    beforeAll(async () => {
      queue = uniqueQueue();
      server = await go.serve({ queues: { [queue]: 1 } });
      return () => server.stop();
    });

    const processed = (id: string) =>
      until(() => server.processed.find((task) => task.id === id), {
        timeout: 15_000,
        what: `${id} to be processed`,
      });

    it('have the retries, the error and the result that Go gave them', async () => {
      await client.enqueue(new Task('fail:x'), { queue, taskId: 'fail', maxRetry: 3 });
      await client.enqueue(new Task('skip:x'), { queue, taskId: 'skip' });
      await client.enqueue(new Task('result:x', Buffer.from('r')), {
        queue,
        taskId: 'result',
        retentionSeconds: 60,
      });
      expect(await processed('fail')).toMatchObject({ error: 'fail:x fails', maxRetry: 3 });
      await processed('skip');
      await processed('result');
      await until(() => drained([queue]));
      const { tasks, retry, archived, completed } = await dumpQueue(redis, queue);
      expect([Object.keys(retry), Object.keys(archived), Object.keys(completed)]).toEqual([
        ['fail'],
        ['skip'],
        ['result'],
      ]);
      expect(tasks['fail']?.message).toMatchObject({ retried: 1, errorMsg: 'fail:x fails' });
      expect(tasks['result']).toMatchObject({ state: 'completed', result: 'r' });
    });

    it('are let in again once Go has done a unique one', async () => {
      const enqueue = () => client.enqueue(new Task('t'), { queue, uniqueSeconds: 600 });
      const first = await enqueue();
      await processed(first.id);
      await until(async () => (await redis.exists(new QueueKeys(queue).unique('t', null))) === 0);
      expect(await enqueue()).toMatchObject({ state: 'pending' });
    });

    it('are forwarded when they are due', async () => {
      await client.enqueue(new Task('t'), { queue, taskId: 'later', processInSeconds: 1 });
      expect(await processed('later')).toMatchObject({ queue });
    });
  });
});

describe('a queue with servers of both kinds', () => {
  it('has each task run once', async () => {
    const queue = uniqueQueue();
    const theirs = await go.serve({ queues: { [queue]: 1 }, concurrency: 2 });
    const handled: string[] = [];
    const ours = new Server(router, { queues: { [queue]: 1 }, concurrency: 2, log: silentLogger });
    ours.start(async (_, { taskId }) => {
      await new Promise(setImmediate);
      handled.push(taskId);
    });
    const tasks = Array.from({ length: 400 }, (_, n) => new Task('t', { n }));
    const infos = await client.enqueueMany(tasks, { queue });
    await until(() => handled.length + theirs.processed.length >= tasks.length, { timeout: 20_000 });
    await until(() => drained([queue]));
    await Promise.all([ours.shutdown(), theirs.stop()]);
    const ids = infos.map((info) => (info.status === 'fulfilled' ? info.value.id : ''));
    expect([...handled, ...theirs.processed.map(({ id }) => id)].toSorted()).toEqual(ids.toSorted());
    expect(await processedOf(queue)).toBe(tasks.length);
  });

  it('has what one gives back at its end run by the other', async () => {
    const queue = uniqueQueue();
    const ours = new Server(router, { queues: { [queue]: 1 }, shutdownTimeout: 0, log: silentLogger });
    const started = Promise.withResolvers<void>();
    ours.start((_, { signal }) => {
      started.resolve();
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    const { id } = await client.enqueue(new Task('t'), { queue });
    await started.promise;
    await ours.shutdown();
    const theirs = await go.serve({ queues: { [queue]: 1 } });
    await until(() => theirs.processed.length > 0, { timeout: 10_000 });
    await theirs.stop();
    expect(theirs.processed).toMatchObject([{ id, retried: 0 }]);
  });
});
