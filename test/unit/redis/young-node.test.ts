import { expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeRedis, hello, resp } from '../../support/fake-redis.ts';
import { until } from '../../support/until.ts';

/** The answer to CLUSTER SLOTS of a cluster with one master. */
function allSlotsOf(addr: string): string {
  const [host = '', port] = addr.split(':');
  const node = resp.list(resp.bulk(host), resp.integer(Number(port)), resp.bulk('id'));
  return resp.list(resp.list(resp.integer(0), resp.integer(16_383), node));
}

test('a call to a node that gets its first slot is not disturbed by looks at who owns what', async () => {
  let slots = '';
  let looks = 0;
  let young = '';
  let reply = () => {};
  await using master = await FakeRedis.start(([name, key]) => {
    if (name === 'HELLO') return hello();
    if (name === 'CLUSTER' && key === 'SLOTS') looks++;
    if (name === 'CLUSTER') return key === 'SLOTS' ? slots : resp.bulk('');
    if (key === 'has left') return resp.error(`ASK 1 ${young}`);
    return resp.error('TRYAGAIN Multiple keys request during rehashing of slot');
  });
  await using target = await FakeRedis.start(([name], { send }) => {
    if (name === 'HELLO') return hello();
    if (name === 'ASKING') return resp.ok;
    reply = () => send(resp.bulk('here it is'));
    return undefined;
  });
  slots = allSlotsOf(master.addr);
  young = target.addr;

  const redis = openRedis({ addrs: [master.addr] }, { clock: systemClock, log: silentLogger });
  const asked = redis.command('has left', 'GET', ['has left']);
  await until(() => target.received('GET').length === 1);
  const seen = looks;
  redis.command('halfway', 'GET', ['halfway']).catch(() => {}); // makes the router look again
  await until(() => looks > seen + 1);
  reply();
  expect(String(await asked)).toBe('here it is');
  expect(target.received('GET')).toHaveLength(1);
  expect(target.connections).toBe(1);
  await redis.close();
});
