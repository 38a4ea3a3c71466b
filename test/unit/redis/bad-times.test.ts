import { expect, test } from 'vitest';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisConnOpt } from '../../../src/redis/options.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { type Clock, systemClock } from '../../../src/runtime/clock.ts';
import { type Answer, FakeRedis, hello, resp } from '../../support/fake-redis.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { scriptOf } from '../../support/script-of.ts';
import { until } from '../../support/until.ts';

const script = scriptOf('return 1');
const LOADING = resp.error('LOADING Redis is loading the dataset in memory');

/** Where time goes by twenty times as fast. */
const hastyClock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) };

/** A server that greets as a healthy one does, and answers everything else as told. */
function greeting(answer: Answer): Answer {
  return (command, connection) => (command[0] === 'HELLO' ? hello() : answer(command, connection));
}

/** A router to a server that answers as told. */
async function withServer(
  answer: Answer,
  use: (redis: RedisRouter, server: FakeRedis, log: RecordingLogger) => Promise<void>,
  options: Partial<RedisConnOpt> = {},
  clock = systemClock,
): Promise<void> {
  await using server = await FakeRedis.start(answer);
  const log = new RecordingLogger();
  const redis = openRedis({ addr: server.addr, ...options }, { clock, log });
  try {
    await use(redis, server, log);
  } finally {
    await redis.close();
  }
}

function onlyHello(answer: string): Answer {
  return ([name]) => (name === 'HELLO' ? answer : undefined);
}

test.each([
  ['a version without script flags', hello('6.2.14'), '6.2.14'],
  ['a server that does not know HELLO', resp.error("ERR unknown command 'HELLO'"), 'older than 6'],
])('%s is refused at once, with what came', async (_what, answer, came) => {
  await withServer(onlyHello(answer), async (redis) => {
    await expect(redis.ping()).rejects.toMatchObject({
      code: 'ASYNQ_REDIS_VERSION',
      message: expect.stringContaining(came),
    });
  });
});

test('a server with too many clients is tried again', async () => {
  let refusals = 2;
  const answer: Answer = ([name]) => {
    if (name !== 'HELLO') return '+PONG\r\n';
    return refusals-- > 0 ? resp.error('ERR max number of clients reached') : hello();
  };
  await withServer(answer, async (redis, server) => {
    await redis.ping();
    expect(server.connections).toBe(3);
  });
});

test('name and password go with HELLO, "default" when only a password was given', async () => {
  const pong = greeting(() => '+PONG\r\n');
  for (const [options, auth] of [
    [{ password: 'p' }, ['AUTH', 'default', 'p']],
    [{ username: 'u', password: 'p' }, ['AUTH', 'u', 'p']],
    [{}, []],
  ] as const) {
    await withServer(
      pong,
      async (redis, server) => {
        await redis.ping();
        expect(server.received('HELLO')).toEqual([['2', ...auth, 'SETNAME', 'asynq-operator']]);
      },
      options,
    );
  }
});

test('what was written when the connection broke is written again, and told so if it wants to know', async () => {
  let drops = 2;
  const answer = greeting(([name, , , key], connection) => {
    if (name === 'SCRIPT') return resp.bulk(script.sha);
    if (key === 'told' && drops-- > 0) connection.drop();
    return resp.integer(1);
  });
  await withServer(answer, async (redis, server) => {
    const [told, plain] = await Promise.all([
      redis.run(script, ['told'], ['first'], { argsWhenResent: () => ['again'] }),
      redis.run(script, ['plain'], ['same']),
    ]);
    expect([told, plain]).toEqual([1, 1]);
    const calls = server.received('EVALSHA').map(([, , key, arg]) => `${key} ${arg}`);
    expect(calls.filter((call) => call.startsWith('told'))).toEqual([
      'told first',
      'told again',
      'told again',
    ]);
    expect(new Set(calls.filter((call) => call.startsWith('plain')))).toEqual(new Set(['plain same']));
  });
});

const resentOddly: readonly [string, () => never][] = [
  ['is no list', () => undefined as never],
  ['has what cannot be written', () => [{}] as never],
  [
    'throws',
    () => {
      throw new Error('a bug');
    },
  ],
];

test.each(resentOddly)('a call whose second sending %s fails, and no other with it', async (_what, odd) => {
  let drops = 1;
  const answer = greeting(([name, , , key], connection) => {
    if (name === 'SCRIPT') return resp.bulk(script.sha);
    if (key === 'told' && drops-- > 0) connection.drop();
    return resp.integer(1);
  });
  await withServer(answer, async (redis) => {
    const [told, plain] = await Promise.allSettled([
      redis.run(script, ['told'], ['first'], { argsWhenResent: odd }),
      redis.run(script, ['plain'], ['same']),
    ]);
    expect(told).toMatchObject({ reason: { code: 'ASYNQ_OPTION_INVALID' } });
    expect(plain).toMatchObject({ value: 1 });
  });
});

test('a call that cannot be written fails, and is not waited for', async () => {
  let hangUp = () => {};
  const answer = greeting(([name], connection) => {
    hangUp = () => connection.end();
    return name === 'SCRIPT' ? resp.bulk(script.sha) : resp.integer(1);
  });
  const use = async (redis: RedisRouter, server: FakeRedis, log: RecordingLogger) => {
    const replies = await Promise.allSettled([
      redis.command('a', 'GET', [{ a: 1 } as never]),
      redis.run({ ...script, lua: undefined as never }, ['a'], ['b']),
      redis.run(script, ['a'], [undefined as never]),
      redis.run(script, ['a'], ['b'], { replicas: { count: undefined as never, timeout: 1 } }),
      redis.run(script, ['a'], ['b']),
    ]);
    const refused = { reason: { code: 'ASYNQ_OPTION_INVALID' } };
    expect(replies).toMatchObject([refused, refused, refused, refused, { value: 1 }]);
    expect(server.commands.map(([name]) => name)).toEqual(['HELLO', 'SCRIPT', 'EVALSHA']);
    hangUp();
    await until(() => server.open === 0);
    expect(log.entries.filter(({ level }) => level !== 'debug')).toEqual([]);
  };
  await withServer(answer, use);
});

test('each connection is taught a script once, ahead of its first call', async () => {
  const answer: Answer = ([name]) => (name === 'SCRIPT' ? resp.bulk(script.sha) : resp.integer(1));
  await withServer(greeting(answer), async (redis, server) => {
    await Promise.all([redis.run(script, ['a'], []), redis.run(script, ['b'], [])]);
    await redis.run(script, ['c'], []);
    expect(server.commands.map(([name]) => name)).toEqual([
      'HELLO',
      'SCRIPT',
      'EVALSHA',
      'EVALSHA',
      'EVALSHA',
    ]);
  });
});

test('a script that is never there, whatever it is taught, is an error and not a loop', async () => {
  const answer: Answer = ([name]) =>
    name === 'SCRIPT' ? resp.bulk(script.sha) : resp.error('NOSCRIPT No matching script.');
  await withServer(greeting(answer), async (redis, server) => {
    await expect(redis.run(script, ['a'], [])).rejects.toMatchObject({
      code: 'ASYNQ_REDIS_COMMAND',
      message: expect.stringContaining('NOSCRIPT'),
    });
    expect(server.received('EVALSHA').length).toBeLessThan(10);
  });
});

test('a server that takes connections and drops them is not run down', async () => {
  await withServer(
    (_command, connection) => {
      connection.drop();
      return undefined;
    },
    async (redis, server) => {
      await expect(redis.command('a', 'GET', ['a'], { timeout: 1_000 })).rejects.toMatchObject({
        code: 'ASYNQ_REDIS_UNREACHABLE',
      });
      expect(server.connections).toBeGreaterThan(1);
      expect(server.connections).toBeLessThan(40);
    },
  );
});

test('a server that falls silent is given up, and what it was asked is asked anew', async () => {
  let silent = true;
  const answer = greeting(() => (silent ? undefined : resp.bulk('at last')));
  const use = async (redis: RedisRouter, server: FakeRedis) => {
    const reply = redis.command('a', 'GET', ['a'], { timeout: 20_000 });
    await until(() => server.received('GET').length === 1);
    silent = false;
    expect(String(await reply)).toBe('at last');
    expect(server.connections).toBe(2);
  };
  await withServer(answer, use, {}, hastyClock);
});

test('a connection that the server ends in idleness is made again when it is wanted, without a word', async () => {
  let hangUp = () => {};
  const answer = greeting((_command, connection) => {
    hangUp = () => connection.end();
    return '+PONG\r\n';
  });
  await withServer(answer, async (redis, server, log) => {
    await redis.ping();
    hangUp();
    await until(() => server.open === 0);
    await redis.ping();
    expect(server.connections).toBe(2);
    expect(log.entries.filter(({ level }) => level !== 'debug')).toEqual([]);
  });
});

test('what passes by itself is asked again until it has passed', async () => {
  let times = 3;
  const answer = greeting(() => (times-- > 0 ? LOADING : resp.bulk('loaded')));
  await withServer(answer, async (redis) => {
    expect(String(await redis.command('a', 'GET', ['a']))).toBe('loaded');
  });
});

test('what has not passed when time is over is named', async () => {
  await withServer(
    greeting(() => LOADING),
    async (redis) => {
      await expect(redis.command('a', 'GET', ['a'], { timeout: 300 })).rejects.toMatchObject({
        code: 'ASYNQ_REDIS_UNREACHABLE',
        message: expect.stringContaining('LOADING'),
      });
    },
  );
});

test('a replica behind the address of a master is left for whoever is there next', async () => {
  let isReplica = true;
  const answer = greeting(() => {
    if (!isReplica) return resp.ok;
    isReplica = false;
    return resp.error("READONLY You can't write against a read only replica.");
  });
  await withServer(answer, async (redis, server) => {
    expect(String(await redis.command('a', 'SET', ['a', 'b']))).toBe('OK');
    expect(server.connections).toBe(2);
  });
});
