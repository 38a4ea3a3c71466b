import type { RedisRouter } from '../redis/router.ts';
import { type Clock, unixSeconds } from '../runtime/clock.ts';
import { silentLogger } from '../runtime/logger.ts';
import type { QueueKeys } from '../wire/keys.ts';
import type { FindingsBook } from './doctor-findings.ts';
import { Groups, groupOf } from './groups.ts';
import { optionalText, texts } from './replies.ts';
import { loadScript } from './scripts.ts';

const GROUP = loadScript('doctor-group');

/** A set that no server has returned this long after its time, seconds. */
const STALE_AFTER = 120;

/** Examines the groups of a queue, and the aggregation sets that were made of them. */
export class GroupDoctor {
  readonly #queue: string;
  readonly #keys: QueueKeys;
  readonly #router: Pick<RedisRouter, 'run' | 'command'>;
  readonly #clock: Clock;
  readonly #book: FindingsBook;
  readonly #mend: boolean;

  constructor(parts: {
    queue: string;
    keys: QueueKeys;
    router: Pick<RedisRouter, 'run' | 'command'>;
    clock: Clock;
    book: FindingsBook;
    mend: boolean;
  }) {
    this.#queue = parts.queue;
    this.#keys = parts.keys;
    this.#router = parts.router;
    this.#clock = parts.clock;
    this.#book = parts.book;
    this.#mend = parts.mend;
  }

  /** `found`: keys of groups and of sets. Resolves with those of sets that were not listed. */
  async examine(found: readonly string[]): Promise<string[]> {
    const stale = await this.#staleSets();
    const kinds = new Map<string, string>();
    for (const key of found) {
      const kind = await this.#announce(key);
      if (kind !== undefined) kinds.set(key, kind);
    }
    // A set that is announced only now is stale, too.
    const left = new Set(this.#mend ? await this.#returnStale() : stale);
    const sets = found.filter((key) => kinds.get(key) === 'set');
    const names = found
      .filter((key) => kinds.get(key) === 'group')
      .map((key) => key.slice(this.#keys.groupPrefix.length));
    const mended = (keys: readonly string[]) => (this.#mend ? keys.filter((key) => !left.has(key)) : []);
    this.#book.add('aggregation-set-stale', this.#queue, stale, mended(stale));
    this.#book.add('aggregation-set-not-listed', this.#queue, sets, mended(sets));
    this.#book.add('group-not-listed', this.#queue, names, this.#mend ? names : []);
    return sets;
  }

  /** What it is, if nobody knew of it. */
  async #announce(key: string): Promise<string | undefined> {
    const { groups, aggregationSets, taskPrefix, groupPrefix } = this.#keys;
    const args = [taskPrefix, groupPrefix, this.#mend ? 1 : 0];
    return optionalText(GROUP, await this.#router.run(GROUP, [key, groups, aggregationSets], args));
  }

  async #staleSets(): Promise<string[]> {
    const { aggregationSets } = this.#keys;
    const until = unixSeconds(this.#clock.now()) - STALE_AFTER;
    const args = [aggregationSets, '-inf', until, 'BYSCORE'];
    return texts({ name: 'ZRANGE' }, await this.#router.command(aggregationSets, 'ZRANGE', args));
  }

  /** Those that belong to no group stay; they are told. */
  async #returnStale(): Promise<string[]> {
    const groups = new Groups({ router: this.#router, clock: this.#clock, log: silentLogger });
    const deadline = this.#clock.now();
    for (const key of await this.#staleSets()) {
      const group = groupOf(this.#keys, key);
      if (group !== undefined) await groups.return({ queue: this.#queue, group, key, deadline });
    }
    return await this.#staleSets();
  }
}
