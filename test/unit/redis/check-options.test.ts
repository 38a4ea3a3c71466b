import { expect, test } from 'vitest';
import { Client, Server, silentLogger } from '../../../src/index.ts';
import type { RedisConnOpt } from '../../../src/redis/options.ts';

const SHAPES = /^Redis: expected \{ addr: 'host:port' \}, .* got /;

test.each([
  [{}, /got an object without keys$/],
  [{ host: 'a', password: 'hunter2' }, /got the keys host, password$/],
  ['127.0.0.1:7000', /got "127\.0\.0\.1:7000"$/],
  ['redis://:hunter2@redis:6379', /got something with an @$/],
  [undefined, /got undefined$/],
  [null, /got null$/],
])('%j is no Redis, and the error shows what is one', (options, got) => {
  for (const Subject of [Client, Server]) {
    const make = () => new Subject(options as unknown as RedisConnOpt, { log: silentLogger });
    expect(make).toThrow(expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID' }));
    expect(make).toThrow(SHAPES);
    expect(make).toThrow(got);
  }
});

test.each([
  [
    { addr: ['a:1', 'b:2'] },
    `addr: expected one 'host:port' (addrs are those of a cluster), got ["a:1","b:2"]`,
  ],
  [{ addr: undefined }, "addr: expected one 'host:port' (addrs are those of a cluster), got undefined"],
  [{ addr: 'redis' }, 'a Redis address is host:port, got "redis"'],
  [{ addrs: 'a:1' }, `addrs: expected a list of 'host:port', got "a:1"`],
  [{ addrs: [6379] }, "addrs: expected a list of 'host:port', got [6379]"],
  [{ addrs: ['redis://:hunter2@a:1', 1] }, "addrs: expected a list of 'host:port', got something with an @"],
  [{ addrs: [] }, 'addrs: expected at least one address of a Redis Cluster node, got none'],
  [{ sentinelAddrs: ['a:1'] }, 'masterName: expected what the sentinels call the master, got undefined'],
  [{ sentinelAddrs: 'a:1', masterName: 'main' }, `sentinelAddrs: expected a list of 'host:port', got "a:1"`],
])('%j is refused by name', (options, message) => {
  expect(() => new Client(options as unknown as RedisConnOpt)).toThrow(
    expect.objectContaining({ code: 'ASYNQ_CONFIG_INVALID', message }),
  );
});
