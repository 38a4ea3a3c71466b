import { expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { FakeRedis, hello, resp } from '../../support/fake-redis.ts';
import { until } from '../../support/until.ts';

test('a server of its own is asked for its name once a connection', async () => {
  let run = 'a';
  let refuses = false;
  let end = () => {};
  await using server = await FakeRedis.start(([name], connection) => {
    end = connection.end;
    if (name === 'HELLO') return hello();
    if (name === 'PING') return '+PONG\r\n';
    return refuses ? resp.error('ERR no') : resp.bulk(`# Server\r\nrun_id:${run}\r\n`);
  });
  const redis = openRedis({ addr: server.addr }, { clock: systemClock, log: silentLogger });
  try {
    await redis.ping();
    const at = await Promise.all([redis.locate('x'), redis.locate('y'), redis.locate('x')]);
    const master = { id: 'a', addr: server.addr };
    expect(at.map((location) => location.master)).toEqual([master, master, master]);
    await redis.locate('z');
    expect(server.received('INFO')).toHaveLength(1);

    run = 'b';
    refuses = true;
    end();
    await until(() => server.open === 0);
    await redis.ping();
    await expect(redis.locate('x')).rejects.toMatchObject({ code: 'ASYNQ_REDIS_COMMAND' });
    refuses = false;
    expect((await redis.locate('x')).master.id).toBe('b');
  } finally {
    await redis.close();
  }
});
