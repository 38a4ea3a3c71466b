import { beforeEach, describe, expect, it } from 'vitest';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { Scheduler } from '../../../src/tasks/scheduler.ts';
import { Task } from '../../../src/tasks/task.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const { addrs, password } = testCluster();
const peer = await GoPeer.on({ addrs, cluster: true, password });
const redis = rawCluster();
const router = testRouter();
const inspector = new Inspector(router);

/** A task type of the test's own: entries of all schedulers are read at once. */
let type: string;
let queue: string;
beforeEach(() => {
  type = uniqueQueue('type');
  queue = uniqueQueue('with "quotes" and ñ');
});

describe('schedulers of either side', () => {
  it("Go's inspector reads our entries and events", async () => {
    await using scheduler = new Scheduler(router);
    const options = {
      queue,
      maxRetry: 3,
      timeoutSeconds: 90,
      deadline: new Date(4e12),
      uniqueSeconds: 3600,
      retentionSeconds: 86_400,
    };
    const often = scheduler.register('@every 1s', new Task(type, { a: 1 }, { queue }));
    const never = scheduler.register('CRON_TZ=Europe/Berlin 0 0 31 2 *', new Task(type), options);
    scheduler.start();
    const entries = await until(
      async () => {
        const own = (await peer.entries()).filter((entry) => entry.type === type);
        const found = own.find(({ id }) => id === often);
        return found !== undefined && found.events.length >= 2 && own;
      },
      { interval: 300 },
    );
    const [ofOften, ofNever] = [often, never].map((id) => entries.find((entry) => entry.id === id));
    expect(ofOften).toMatchObject({
      id: often,
      spec: '@every 1s',
      options: [`Queue(${JSON.stringify(queue)})`],
    });
    expect(Buffer.from(ofOften?.payload ?? '', 'base64').toString()).toBe('{"a":1}');
    expect(ofOften?.next).toBeGreaterThan(0);
    const [newest, older] = ofOften?.events ?? [];
    expect(newest?.enqueuedAt).toBeGreaterThan(older?.enqueuedAt ?? 0);
    expect(await peer.task(queue, newest?.taskId ?? '')).toMatchObject({ type, queue });
    expect(ofNever).toMatchObject({
      id: never,
      spec: 'CRON_TZ=Europe/Berlin 0 0 31 2 *',
      next: 0,
      prev: 0,
      events: [],
      options: [
        'MaxRetry(3)',
        `Queue(${JSON.stringify(queue)})`,
        'Timeout(1m30s)',
        'Deadline(Tue Oct  2 07:06:40 UTC 2096)',
        'Unique(1h0m0s)',
        'Retention(24h0m0s)',
      ],
    });
    await scheduler.shutdown();
    expect((await peer.entries()).filter((entry) => entry.type === type)).toEqual([]);
  });

  it("we read the entries and events of Go's scheduler", async () => {
    const payload = Buffer.from('{"a":1}').toString('base64');
    await using scheduler = await peer.schedule([
      {
        spec: '@every 1s',
        task: { type, payload, queue, timeoutSeconds: 90, uniqueSeconds: 1, group: 'g)' },
      },
      { spec: '0 0 31 2 *', task: { type, queue, processAt: 4e9, taskId: 't' } },
    ]);
    const read = async () => (await inspector.schedulerEntries()).filter(({ task }) => task.type === type);
    const [often, never] = await until(async () => {
      const own = (await read()).toSorted((a, b) => a.spec.localeCompare(b.spec));
      const [first] = own;
      return own.length === 2 && first?.prev !== undefined && own;
    });
    expect(often).toMatchObject({
      spec: '@every 1s',
      options: { queue, timeoutSeconds: 90, uniqueSeconds: 1, group: 'g)' },
    });
    expect(often?.task.payload.text()).toBe('{"a":1}');
    expect(often?.next?.getTime()).toBeGreaterThan(often?.prev?.getTime() ?? Number.POSITIVE_INFINITY);
    const [event] = await until(async () => {
      const events = await inspector.listSchedulerEnqueueEvents(often?.id ?? '');
      return events.length > 0 && events;
    });
    expect(await inspector.getTaskInfo(queue, event?.taskId ?? '')).toMatchObject({
      type,
      state: 'aggregating',
    });
    expect(never).toMatchObject({ next: undefined, prev: undefined });
    expect(never?.options).toEqual({ queue, taskId: 't', processAt: new Date(4e12) });
    await scheduler.stop();
    expect(await read()).toEqual([]);
  });
});

describe("what Go's schedulers do and ours do not", () => {
  it('two of them enqueue everything twice, and killed ones leave their histories for ever', async () => {
    const entry = { spec: '@every 1s', task: { type, queue } };
    const two = await Promise.all([peer.schedule([entry]), peer.schedule([entry])]);
    const ids = await until(async () => {
      const own = (await inspector.schedulerEntries()).filter(({ task }) => task.type === type);
      return own.length === 2 && own.map(({ id }) => id);
    });
    const twice = await until(async () => {
      const [seconds, others] = await Promise.all(ids.map(secondsOf));
      return seconds?.find((second) => others?.includes(second));
    });
    await Promise.all(two.map((scheduler) => scheduler.kill()));
    expect(twice).toBeGreaterThan(0);
    for (const id of ids) {
      const history = `asynq:scheduler_history:${id}`;
      expect(await redis.ttl(history)).toBe(-1);
      await redis.del(history);
    }
  });
});

async function secondsOf(entryId: string): Promise<number[]> {
  const events = await inspector.listSchedulerEnqueueEvents(entryId);
  return events.map(({ enqueuedAt }) => Math.floor(enqueuedAt.getTime() / 1000));
}
