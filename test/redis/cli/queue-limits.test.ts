import { describe, expect, it } from 'vitest';
import { writeQueueLimits } from '../../../src/broker/queue-limits.ts';
import { getQueueLimits, setQueueLimits } from '../../../src/tasks/queue-limits.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { json, onCluster } from './run.ts';

const router = testRouter();

describe('asynq queue limits', () => {
  it('shows them, sets them and takes them away', async () => {
    const [a, b] = [uniqueQueue('a'), uniqueQueue('b')];
    const row = (queue: string, concurrency: number | null, ratePerSecond: number | null) => ({
      queue,
      concurrency,
      ratePerSecond,
      owner: concurrency === null && ratePerSecond === null ? null : 'hand',
    });
    expect(await json('queue', 'limits', a, b)).toEqual([row(a, null, null), row(b, null, null)]);
    expect(await json('queue', 'limits', a, b, '--concurrency', '50', '--rate', '0.5')).toEqual([
      row(a, 50, 0.5),
      row(b, 50, 0.5),
    ]);
    expect(await getQueueLimits(router, b)).toEqual({ concurrency: 50, ratePerSecond: 0.5 });
    expect(await json('queue', 'limits', b, '--rate=2')).toEqual([row(b, null, 2)]);
    expect(await json('queue', 'limits', a, '--clear')).toEqual([row(a, null, null)]);
    expect(await getQueueLimits(router, a)).toBeUndefined();
  });

  it('tells the limits that an operator sets from those that were set by hand', async () => {
    const [declared, manual] = [uniqueQueue('declared'), uniqueQueue('manual')];
    await writeQueueLimits(router, declared, { concurrency: 50, ratePerSecond: 0.5 }, 'operator');
    await setQueueLimits(router, manual, { concurrency: 7 });
    expect(await json('queue', 'limits', declared)).toEqual([
      { queue: declared, concurrency: 50, ratePerSecond: 0.5, owner: 'operator' },
    ]);
    const { out } = await onCluster('queue', 'limits', declared, manual, 'libre');
    const table = out.split('\n').map((line) => line.replaceAll(/ {2,}/g, '|'));
    expect(table).toEqual([
      'Queue|Concurrency|Rate Per Second|Owner|',
      expect.stringMatching(/^-+\|-+\|-+\|-+\|$/),
      `${declared}|50|0.5|operator|`,
      `${manual}|7|-|hand|`,
      'libre|-|-|-|',
      '',
    ]);
  });

  it.each([
    [['--concurrency', '0'], 'expected a whole number from 1 on, got "0"'],
    [['--rate', '0'], 'expected a number above 0, got "0"'],
    [['--rate', '1e3'], 'expected a number above 0, got "1e3"'],
    [['--clear', '--rate', '5'], "cannot be used with option '--rate <number>'"],
    [['--rate', '0.0001'], 'ratePerSecond: expected a number from 0.001 to 1000000, got 0.0001'],
  ])('refuses %j', async (flags, words) => {
    const { code, out, err } = await onCluster('queue', 'limits', uniqueQueue(), ...flags);
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringContaining(words) });
  });

  it('does what it can for each name', async () => {
    const queue = uniqueQueue();
    const { code, out, err } = await onCluster('queue', 'limits', '}', queue, '--rate', '5');
    expect(code).toBe(1);
    expect(out).toContain(queue);
    expect(err).toContain('must not start with "}"');
    expect(await getQueueLimits(router, queue)).toEqual({ ratePerSecond: 5 });
  });
});
