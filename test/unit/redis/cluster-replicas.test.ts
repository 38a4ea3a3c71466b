import { expect, test } from 'vitest';
import { parseReplicas, withReplicas } from '../../../src/redis/cluster-replicas.ts';
import { SlotTable } from '../../../src/redis/slot-table.ts';

const NODES = `
m1 10.0.0.1:7000@17000,host-1 myself,master - 0 0 1 connected 0-8191
m2 10.0.0.2:7001@17001 master - 0 0 2 connected 8192-16383
r1 10.0.0.4:7003@17003 slave m1 0 0 1 connected
r2 10.0.0.3:7002@17002 slave m1 0 0 1 connected
r3 10.0.0.5:7004@17004 slave,fail m2 0 0 2 connected
r4 :7005@17005 slave m2 0 0 2 connected
r5 10.0.0.6:7006@17006 slave,fail? m2 0 0 2 connected
`;

test('replicas are those that serve, by their master', () => {
  expect(parseReplicas(NODES, '10.0.0.9:7000')).toEqual(
    new Map([
      [
        'm1',
        [
          { id: 'r1', addr: '10.0.0.4:7003' },
          { id: 'r2', addr: '10.0.0.3:7002' },
        ],
      ],
      [
        'm2',
        [
          { id: 'r4', addr: '10.0.0.9:7005' },
          { id: 'r5', addr: '10.0.0.6:7006' },
        ],
      ],
    ]),
  );
});

test('a table gets the replicas that it lacks, and keeps the addresses that it has', () => {
  const shard = {
    master: { id: 'm1', addr: 'host-1:7000' },
    replicas: [{ id: 'r1', addr: 'host-4:7003' }],
  };
  const table = withReplicas(new SlotTable([shard], [shard, shard]), parseReplicas(NODES, 'h:1'));
  expect(table.shardOf(1)).toEqual({
    master: shard.master,
    replicas: [
      { id: 'r2', addr: '10.0.0.3:7002' },
      { id: 'r1', addr: 'host-4:7003' },
    ],
  });
  expect(table.shardOf(0)).toBe(table.shardOf(1));
  expect(table.shardOf(2)).toBeUndefined();
});
