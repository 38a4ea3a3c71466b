import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Server } from '../../../src/server/server.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { rawCluster, testCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { until } from '../../support/until.ts';

const GROUPS = 12;
const LARGEST = 4;

const redis = rawCluster();
const router = testRouter();
const client = new Client(router);
const go = await GoPeer.on({ ...testCluster(), cluster: true });

const bytesOf = (text: string) => Buffer.from(text);
const groupOf = (name: string) => `group: ${Number(name) % GROUPS}`;

it("Go's aggregator and ours share the groups of a queue: each task becomes part of one aggregate", async () => {
  const queue = uniqueQueue('groups');
  const keys = new QueueKeys(queue);
  const names = Array.from({ length: 180 }, (_, n) => `${n}`);
  const specs = names.map((name) => ({
    type: 'part',
    payload: bytesOf(name).toString('base64'),
    queue,
    group: groupOf(name),
  }));
  expect(await go.enqueue(specs)).toHaveLength(names.length);

  /** What was made by whom, whoever ran it. */
  const made: { readonly by: string; readonly names: readonly string[] }[] = [];
  await using goServer = await go.serve({ queues: { [queue]: 1 }, aggregate: LARGEST });
  const all = () => [
    ...made,
    ...goServer.processed.map(({ type, payload }) => ({
      by: type,
      names: Buffer.from(payload ?? '', 'base64')
        .toString()
        .split(','),
    })),
  ];
  const server = new Server(router, {
    log: silentLogger,
    queues: { [queue]: 1 },
    groupMaxSize: LARGEST,
    groupGracePeriod: 1_000,
    groupAggregator: async (_, tasks) => {
      // Ours looks so much sooner that nothing would be left for Go's.
      await until(() => all().some(({ by }) => by !== 'ours'));
      return new Task('ours', bytesOf(tasks.map(({ payload }) => payload.text()).join(',')));
    },
  });
  server.start(({ type, payload }) => void made.push({ by: type, names: payload.text().split(',') }));
  try {
    await until(
      async () => {
        const next = `${names.push(`${names.length}`) - 1}`;
        await client.enqueue(new Task('part', bytesOf(next)), { queue, group: groupOf(next) });
        return new Set(all().map(({ by }) => by)).size === 2;
      },
      { what: 'both to have made some' },
    );
    await until(() => all().flatMap((one) => one.names).length >= names.length);
    expect(
      all()
        .flatMap((one) => one.names)
        .toSorted(),
    ).toEqual(names.toSorted());
    for (const one of all()) {
      expect(one.names.length).toBeLessThanOrEqual(LARGEST);
      expect(new Set(one.names.map(groupOf)).size).toBe(1);
    }
    await until(async () => (await redis.exists(keys.groups, keys.aggregationSets)) === 0);
  } finally {
    await server.shutdown();
  }
});
