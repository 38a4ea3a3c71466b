import { describe, expect, it } from 'vitest';
import { QUEUES_KEY, QueueKeys } from '../../../src/wire/keys.ts';
import { rawCluster, uniqueQueue } from '../../support/redis.ts';
import { json, onCluster } from './run.ts';

const redis = rawCluster();
const today = () => new Date().toISOString().slice(0, 10);

/** A queue in the state of Go's golden output, as far as its figures show it. */
async function seed(queue: string): Promise<void> {
  const keys = new QueueKeys(queue);
  await redis.sadd(QUEUES_KEY, queue);
  await redis.lpush(keys.pending, 'p1', 'p2', 'p3', 'b1');
  await redis.zadd(keys.scheduled, 4_000_000_000, 's1');
  await redis.sadd(keys.groups, 'tenant:1');
  await redis.zadd(keys.group('tenant:1'), 1, 'g1', 2, 'g2');
  await redis.set(keys.processedOn(Date.now()), 3);
  await redis.set(keys.failedOn(Date.now()), 2);
}

describe('asynq queue inspect', () => {
  it("prints what Go's CLI prints", async () => {
    const [low, empty] = [uniqueQueue('low'), uniqueQueue('imágenes')];
    await seed(low);
    await redis.sadd(QUEUES_KEY, empty);
    await redis.set(new QueueKeys(empty).paused, 1);
    const { code, out, err } = await onCluster('queue', 'inspect', low, empty);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      `Queue Info
Name:   ${low}
Size:   7
Groups: 1
Paused: false

Task Count by State
active  pending  aggregating  scheduled  retry  archived  completed  
------  -------  -----------  ---------  -----  --------  ---------  
0       4        2            1          0      0         0          

Daily Stats ${today()} UTC
processed  failed  error rate  
---------  ------  ----------  
3          2       66.67%      

=================================================

Queue Info
Name:   ${empty}
Size:   0
Groups: 0
Paused: true

Task Count by State
active  pending  aggregating  scheduled  retry  archived  completed  
------  -------  -----------  ---------  -----  --------  ---------  
0       0        0            0          0      0         0          

Daily Stats ${today()} UTC
processed  failed  error rate  
---------  ------  ----------  
0          0       N/A         
`,
    );
  });

  it('gives the same figures as JSON', async () => {
    const queue = uniqueQueue('low');
    await seed(queue);
    expect(await json('queue', 'inspect', queue)).toMatchObject([
      {
        queue,
        paused: false,
        size: 7,
        groups: 1,
        active: 0,
        pending: 4,
        aggregating: 2,
        scheduled: 1,
        retry: 0,
        archived: 0,
        completed: 0,
        processed: 3,
        failed: 2,
        processedTotal: 0,
        latencySeconds: null,
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
  });

  it('fails for a queue that does not exist, and shows the others', async () => {
    const queue = uniqueQueue('low');
    await seed(queue);
    const { code, out, err } = await onCluster('queue', 'inspect', 'nowhere', queue);
    expect(code).toBe(1);
    expect(err).toBe('error: queue "nowhere" does not exist\n');
    expect(out).toContain(`Name:   ${queue}`);
  });
});
