import { setTimeout as delay } from 'node:timers/promises';
import type { RedisRouter } from '../../src/redis/router.ts';
import { until } from './until.ts';

/**
 * Steady calls to some keys, each counting up, for a test that hurts the cluster meanwhile. A count may come out higher
 * than the calls that succeeded (a call that lost its connection may have run twice), never lower.
 */
export class Traffic {
  readonly failures: unknown[] = [];
  readonly #redis: RedisRouter;
  readonly #keys: readonly string[];
  readonly #counts = new Map<string, number>();
  #rounds = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(redis: RedisRouter, keys: readonly string[]) {
    this.#redis = redis;
    this.#keys = keys;
    this.#running = this.#run();
  }

  /** Resolves when all keys have been written `rounds` times more. */
  async more(rounds = 3): Promise<void> {
    const goal = this.#rounds + rounds;
    await until(() => this.#rounds >= goal, { timeout: 20_000, what: `${rounds} more rounds of traffic` });
  }

  /** Ends it, and gives the keys whose counter lacks writes that were answered. */
  async stop(): Promise<string[]> {
    this.#stopped = true;
    await this.#running;
    const short = await Promise.all(
      this.#keys.map(async (key) => {
        const count = Number(await this.#redis.command(key, 'GET', [key]));
        return count < (this.#counts.get(key) ?? 0) ? [key] : [];
      }),
    );
    return short.flat();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await Promise.all(this.#keys.map((key) => this.#write(key)));
      this.#rounds++;
      await delay(5);
    }
  }

  async #write(key: string): Promise<void> {
    try {
      await this.#redis.command(key, 'INCR', [key]);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    } catch (error) {
      this.failures.push(error);
    }
  }
}
