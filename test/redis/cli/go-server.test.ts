import { expect, it } from 'vitest';
import { GoPeer } from '../../support/go-peer.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { json, onCluster } from './run.ts';

interface Server {
  readonly pid: number;
  readonly queues: Readonly<Record<string, number>>;
  readonly activeWorkers: readonly { readonly taskId: string; readonly taskPayload: string | null }[];
}

it('shows a Go server at work, and makes it give up its task', async () => {
  const queue = uniqueQueue('imágenes');
  const go = await GoPeer.on({ ...testCluster(), cluster: true });
  await using server = await go.serve({ queues: { [queue]: 3 }, concurrency: 2 });
  const ours = async () => ((await json('server', 'ls')) as Server[]).find((one) => queue in one.queues);

  await onCluster(
    'task',
    'enqueue',
    '-t',
    'hang:on',
    '-l',
    '{"n":1}',
    '-q',
    queue,
    '-i',
    'busy',
    '--retry',
    '0',
  );
  const busy = await until(async () => {
    const found = await ours();
    return found?.activeWorkers.length === 1 ? found : undefined;
  });
  expect(busy).toMatchObject({
    status: 'active',
    concurrency: 2,
    queues: { [queue]: 3 },
    activeWorkers: [{ taskId: 'busy', taskType: 'hang:on', taskPayload: '{"n":1}', queue }],
  });
  const { out } = await onCluster('server', 'ls');
  expect(out).toMatch(new RegExp(`${busy.pid} +active +1/2 +${queue}:3 +\\d+s ago`));

  expect((await onCluster('task', 'cancel', 'busy')).code).toBe(0);
  await until(async () => server.processed.length > 0);
  expect(server.processed).toMatchObject([{ id: 'busy', error: 'context canceled' }]);
  await until(
    async () =>
      (await onCluster('task', 'inspect', '-q', queue, '-i', 'busy')).out.includes('archived') || undefined,
  );
});
