import { describe, expect, it } from 'vitest';
import { isHealthy, isMaster, ownersOf, owns, parseClusterNodes } from '../../lab/cluster-nodes.ts';

const TEXT = `aa 127.0.0.1:7000@17000,host myself,master - 0 0 1 connected 0-10 12 [13->-bb]
bb 127.0.0.1:7001@17001 master,fail? - 1 2 2 disconnected 11
cc 127.0.0.1:7002@17002 slave aa 1 2 1 connected
`;

describe('parseClusterNodes', () => {
  const [a, b, c] = parseClusterNodes(TEXT);
  if (a === undefined || b === undefined || c === undefined) throw new Error('expected three lines');

  it('reads addresses, roles and masters', () => {
    expect([a.addr, b.addr, c.addr]).toEqual(['127.0.0.1:7000', '127.0.0.1:7001', '127.0.0.1:7002']);
    expect([a, b, c].map(isMaster)).toEqual([true, true, false]);
    expect([a.masterId, c.masterId]).toEqual([undefined, 'aa']);
  });

  it('reads ranges and single slots, not those on their way', () => {
    expect([0, 10, 11, 12, 13].map((slot) => owns(a, slot))).toEqual([true, true, false, true, false]);
    expect(ownersOf([a, b, c])).toBe('aa 0,10 12,12\nbb 11,11');
  });

  it('takes a suspected node for unhealthy', () => {
    expect([a, b, c].map(isHealthy)).toEqual([true, false, true]);
  });
});
