import { describe, expect, it } from 'vitest';
import type { QueueReading } from '../../../src/broker/queue-reader.ts';
import { clusterLoad } from '../../../src/cli/cluster-load.ts';
import { clusterFindings } from '../../../src/cli/cluster-report.ts';
import { parseClusterSlots } from '../../../src/redis/slot-table.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { snapshotOf } from '../operator/builders.ts';

const A = ['127.0.0.1', 7000, Buffer.from('a')];
const B = ['127.0.0.1', 7001, Buffer.from('b')];
const nodes = ([host, port, id]: (string | number | Buffer)[]) => [
  Buffer.from(String(host)),
  Number(port),
  id as Buffer,
];

/** A has default (5718) and critical (8090), B images (9450) and low (15214); A also has slot 16383. */
const table = parseClusterSlots(
  [
    [8192, 16382, nodes(B)],
    [0, 8191, nodes(A)],
    [16383, 16383, nodes(A)],
  ],
  '127.0.0.1:7000',
);

function known(pending: number, active = 0): QueueReading {
  const snapshot = snapshotOf({
    size: { pending, active, scheduled: 1 },
    latencySeconds: pending === 0 ? 0 : 2.5,
  });
  return { kind: 'known', snapshot };
}

describe('clusterLoad', () => {
  it('puts each queue on the master of its slot, the busiest first, masters by their first slot', () => {
    const { masters, failures } = clusterLoad(
      table,
      new Map([
        ['default', known(1)],
        ['critical', known(80, 10)],
        ['images', known(9)],
      ]),
    );
    expect(failures).toEqual([]);
    expect(masters).toMatchObject([
      {
        id: 'a',
        slots: 8193,
        slotRanges: [
          [0, 8191],
          [16383, 16383],
        ],
        queues: [
          {
            queue: 'critical',
            keySlot: 8090,
            size: 91,
            pending: 80,
            active: 10,
            latencySeconds: 2.5,
            isHot: true,
          },
          { queue: 'default', isHot: false },
        ],
        sharedByHotQueues: [],
      },
      { id: 'b', slots: 8191, queues: [{ queue: 'images', size: 10, isHot: false }] },
    ]);
  });

  it('names hot queues that share a master, and no others', () => {
    const { masters } = clusterLoad(
      table,
      new Map([
        ['default', known(40)],
        ['critical', known(30)],
        ['images', known(30)],
        ['low', known(0)],
      ]),
    );
    expect(masters.map(({ sharedByHotQueues }) => sharedByHotQueues)).toEqual([['default', 'critical'], []]);
  });

  it('calls no queue hot while there is no work', () => {
    const { masters } = clusterLoad(table, new Map([['default', known(0)]]));
    expect(masters[0]?.queues).toMatchObject([{ queue: 'default', latencySeconds: 0, isHot: false }]);
  });

  it('keeps a queue that cannot be read in its place, without figures', () => {
    const error = new AsynqError('ASYNQ_REDIS_UNREACHABLE', 'away');
    const load = clusterLoad(table, new Map([['default', { kind: 'unknown', error }]]));
    expect(load.failures).toEqual(['could not read "default": away']);
    expect(load.masters[0]?.queues).toMatchObject([{ queue: 'default', size: undefined, isHot: false }]);
    expect(clusterFindings(load).text(String)).toMatch(/^127\.0\.0\.1:7000 +default +5718 +- +- +- +- +$/m);
  });
});
