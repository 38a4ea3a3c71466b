import { expect, test } from 'vitest';
import {
  type CallOptions,
  type KeyLocation,
  type Random,
  type RedisArg,
  type RedisParts,
  type RedisReply,
  type RedisRouter,
  type ReplicaWait,
  type Script,
  type ServerLogLevel,
  type SignalSource,
  stderrLogger,
} from '../../src/index.ts';

/** What others write to go between us and Redis, with what the package exports. */
class Counting implements Pick<RedisRouter, 'run' | 'locate'> {
  readonly calls = new Map<string, number>();
  readonly #inner: Pick<RedisRouter, 'run' | 'locate'>;

  constructor(inner: Pick<RedisRouter, 'run' | 'locate'>) {
    this.#inner = inner;
  }

  run(
    script: Script,
    keys: readonly string[],
    args: readonly RedisArg[],
    options?: CallOptions,
  ): Promise<RedisReply> {
    this.calls.set(script.name, (this.calls.get(script.name) ?? 0) + 1);
    return this.#inner.run(script, keys, args, options);
  }

  locate(key: string): Promise<KeyLocation> {
    return this.#inner.locate(key);
  }
}

test('a connection can be wrapped with the types that the package exports', async () => {
  const at: KeyLocation = { slot: 0, master: { id: 'a', addr: 'h:1' }, replicas: [] };
  const counting = new Counting({ run: async () => 'OK'.length, locate: async () => at });
  const replicas: ReplicaWait = { count: 1, timeout: 10 };
  expect(await counting.run({ name: 'done', lua: '', sha: '' }, [], [], { replicas })).toBe(2);
  expect(await counting.locate('x')).toBe(at);
  expect(counting.calls).toEqual(new Map([['done', 1]]));
});

test('what the parts take can be made before them', () => {
  const logLevel: ServerLogLevel = 'warn';
  const random: Random = () => 0.5;
  const parts: RedisParts = { log: stderrLogger(logLevel), random };
  const source: SignalSource = process;
  expect([parts.random?.(), source]).toEqual([0.5, process]);
});
