import { expect, test } from 'vitest';
import { openRedis, shareOrOpen } from '../../../src/redis/open.ts';
import { FakeRedis, hello } from '../../support/fake-redis.ts';

test('options are all that a connection needs', async () => {
  await using server = await FakeRedis.start(([name]) => (name === 'HELLO' ? hello() : '+PONG\r\n'));
  const redis = openRedis({ addr: server.addr });
  try {
    await redis.ping();
  } finally {
    await redis.close();
  }
  expect(server.received('PING')).toHaveLength(1);
});

test('a connection that is given is shared, one that is made of options is owned', async () => {
  const owned = shareOrOpen({ addr: '127.0.0.1:1' });
  expect(owned.isOwner).toBe(true);
  expect(shareOrOpen(owned.router)).toEqual({ router: owned.router, isOwner: false });
  await owned.router.close();
});
