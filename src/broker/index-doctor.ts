import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import { SCHEDULERS_KEY, SERVERS_KEY, schedulerHistoryKey, WORKERS_KEY } from '../wire/keys.ts';
import type { FindingsBook } from './doctor-findings.ts';
import { keyOfEachMaster } from './key-survey.ts';
import { integer, texts } from './replies.ts';
import { HISTORY_TTL_SECONDS, SchedulerEntries } from './scheduler-entries.ts';

/** Clocks differ; whoever has said nothing for so long, seconds, and left nothing, is dead. */
const DEAD_AFTER = 60;

/** Keys that are asked for in one write. */
const AT_ONCE = 200;

/** What is examined outside of queues: who announced itself and died, and how the masters are set. */
export class IndexDoctor {
  readonly #router: RedisRouter;
  readonly #clock: Clock;
  readonly #book: FindingsBook;
  readonly #mend: boolean;

  constructor(parts: { router: RedisRouter; clock: Clock; book: FindingsBook; mend: boolean }) {
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#book = parts.book;
    this.#mend = parts.mend;
  }

  /** `histories`: the keys of histories that there are. */
  async examine(histories: readonly string[]): Promise<void> {
    for (const index of [SERVERS_KEY, WORKERS_KEY, SCHEDULERS_KEY]) await this.#examineIndex(index);
    await this.#examineHistories(histories);
    await this.#examineMasters();
  }

  async #examineIndex(index: string): Promise<void> {
    const until = unixSeconds(this.#clock.now()) - DEAD_AFTER;
    const args = [index, '-inf', until, 'BYSCORE'];
    const ended = texts({ name: 'ZRANGE' }, await this.#router.command(index, 'ZRANGE', args));
    // A server whose clock is wrong has ended long ago, and is there.
    const dead = await this.#filter(ended, 'EXISTS', (reply) => reply === 0);
    for (let from = 0; this.#mend && from < dead.length; from += AT_ONCE) {
      await this.#router.command(index, 'ZREM', [index, ...dead.slice(from, from + AT_ONCE)]);
    }
    this.#book.add('index-entry-dead', undefined, dead, this.#mend ? dead : []);
  }

  async #examineHistories(keys: readonly string[]): Promise<void> {
    const entries = new SchedulerEntries({ router: this.#router, clock: this.#clock, log: silentLogger });
    const living = new Set((await entries.list()).map(({ id }) => schedulerHistoryKey(id)));
    const ofDead = keys.filter((key) => !living.has(key));
    const endless = await this.#filter(ofDead, 'TTL', (reply) => reply === -1);
    for (const key of this.#mend ? endless : []) {
      await this.#router.command(key, 'EXPIRE', [key, HISTORY_TTL_SECONDS, 'NX']);
    }
    this.#book.add('history-without-end', undefined, endless, this.#mend ? endless : []);
  }

  async #filter(
    keys: readonly string[],
    command: string,
    isSought: (reply: number) => boolean,
  ): Promise<string[]> {
    const found: string[] = [];
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const some = keys.slice(from, from + AT_ONCE);
      const replies = await Promise.all(some.map((key) => this.#router.command(key, command, [key])));
      found.push(...some.filter((_, n) => isSought(integer({ name: command }, replies[n]))));
    }
    return found;
  }

  async #examineMasters(): Promise<void> {
    for (const [addr, key] of await keyOfEachMaster(this.#router)) {
      const info = String(await this.#router.command(key, 'INFO', ['memory']));
      const [, policy] = /^maxmemory_policy:(.*?)\r?$/m.exec(info) ?? [];
      if (policy === undefined || policy === 'noeviction') continue;
      this.#book.add('eviction-policy', undefined, [`${addr}: ${policy}`], []);
    }
  }
}
