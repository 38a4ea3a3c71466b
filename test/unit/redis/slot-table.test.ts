import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RedisReply } from '../../../src/redis/router.ts';
import { parseClusterSlots } from '../../../src/redis/slot-table.ts';
import { SLOT_COUNT } from '../../../src/redis/slots.ts';

function node(host: string | null, port: number, id: string): RedisReply {
  return [host === null ? null : Buffer.from(host), port, Buffer.from(id), []];
}

test('each slot has the shard of its range, a shard of several ranges is one', () => {
  const a = node('10.0.0.1', 7000, 'a');
  const table = parseClusterSlots(
    [
      [0, 99, a, node('10.0.0.4', 7003, 'd')],
      [100, 199, node('10.0.0.2', 7001, 'b')],
      [300, 300, a, node('10.0.0.4', 7003, 'd')],
    ],
    'seed:1',
  );
  expect(table.shardOf(0)).toEqual({
    master: { id: 'a', addr: '10.0.0.1:7000' },
    replicas: [{ id: 'd', addr: '10.0.0.4:7003' }],
  });
  expect(table.shardOf(99)).toBe(table.shardOf(300));
  expect(table.shardOf(100)?.master.id).toBe('b');
  expect([200, 299, 301, SLOT_COUNT - 1].map((slot) => table.shardOf(slot))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(table.shards.map(({ master }) => master.id)).toEqual(['a', 'b']);
  expect(table.nodeAt('10.0.0.4:7003')).toEqual({ id: 'd', addr: '10.0.0.4:7003' });
  expect(table.nodeAt('10.0.0.9:1')).toBeUndefined();
});

test.each([null, '', '?'])('a node that announces %j as its host is on the host that was asked', (host) => {
  const table = parseClusterSlots([[0, 1, node(host, 7000, 'a')]], 'redis.example:6379');
  expect(table.shardOf(0)?.master.addr).toBe('redis.example:7000');
});

test('any division of the slots is read as it is', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: SLOT_COUNT - 1 }), { maxLength: 50 });
  fc.assert(
    fc.property(cuts, fc.integer({ min: 1, max: 5 }), (unsorted, masters) => {
      const starts = [0, ...unsorted.toSorted((a, b) => a - b)];
      const ranges = starts.map((from, index): RedisReply => {
        const to = (starts[index + 1] ?? SLOT_COUNT) - 1;
        return [from, to, node('h', 7000 + (index % masters), `id-${index % masters}`)];
      });
      const table = parseClusterSlots(ranges, 'seed:1');
      for (const [index, from] of starts.entries()) {
        const to = (starts[index + 1] ?? SLOT_COUNT) - 1;
        for (const slot of [from, to]) expect(table.shardOf(slot)?.master.id).toBe(`id-${index % masters}`);
      }
      expect(table.shards).toHaveLength(Math.min(masters, starts.length));
    }),
  );
});

test.each<[string, RedisReply]>([
  ['no list', null],
  ['a range without a node', [[0, 1]]],
  ['a range without an end', [[0, node('h', 1, 'a')]]],
  ['a node without an id', [[0, 1, [Buffer.from('h'), 1]]]],
])('%s is no answer to CLUSTER SLOTS', (_what, reply) => {
  expect(() => parseClusterSlots(reply, 'seed:1')).toThrow(
    expect.objectContaining({ code: 'ASYNQ_REDIS_COMMAND' }),
  );
});
