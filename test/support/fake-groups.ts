import type { AggregationSet, GroupPolicy, ReadyGroups } from '../../src/broker/broker.ts';
import { AGGREGATION_SECONDS } from '../../src/wire/limits.ts';

/** Id -> second in which it came. */
type FakeGroup = Map<string, number>;

interface FakeSet {
  readonly group: string;
  readonly deadline: number;
  readonly tasks: FakeGroup;
}

/** The groups of one queue of a broker in memory, and the aggregation sets that were taken from them. Ids only. */
export class FakeGroups {
  readonly #groups = new Map<string, FakeGroup>();
  /** By key. */
  readonly #sets = new Map<string, FakeSet>();
  #look: { readonly looker: string; readonly until: number } | undefined;

  add(group: string, id: string, now: number): void {
    this.#group(group).set(id, seconds(now));
  }

  idsOf(group: string): string[] {
    return [...(this.#groups.get(group)?.keys() ?? [])];
  }

  /** Undefined: somebody else looks at them. */
  ready(policy: GroupPolicy, looker: string, now: number): ReadyGroups | undefined {
    if (this.#groups.size > 0) {
      if ((this.#look?.until ?? 0) <= now) this.#look = { looker, until: now + 500 };
      if (this.#look?.looker !== looker) return undefined;
    }
    const dues = [...this.#groups].map(([group, tasks]) => ({ group, at: readyAt(tasks, policy, now) }));
    const later = dues.filter(({ at }) => at > now).map(({ at }) => at);
    return {
      ready: dues.filter(({ at }) => at <= now).map(({ group }) => group),
      nextDue: later.length === 0 ? undefined : Math.min(...later),
    };
  }

  /** Undefined: it is not ready. */
  claim(
    group: string,
    policy: GroupPolicy,
    now: number,
  ): (Pick<AggregationSet, 'key' | 'deadline'> & { readonly ids: readonly string[] }) | undefined {
    const waiting = this.#groups.get(group);
    if (waiting === undefined || readyAt(waiting, policy, now) > now) return undefined;
    const taken = [...waiting].slice(0, policy.maxSize || waiting.size);
    for (const [id] of taken) waiting.delete(id);
    if (waiting.size === 0) this.#groups.delete(group);
    const key = `${group}:${crypto.randomUUID()}`;
    const deadline = (seconds(now) + AGGREGATION_SECONDS) * 1000;
    this.#sets.set(key, { group, deadline, tasks: new Map(taken) });
    return { key, deadline, ids: taken.map(([id]) => id) };
  }

  hasSet(key: string): boolean {
    return this.#sets.has(key);
  }

  dropSet(key: string): void {
    this.#sets.delete(key);
  }

  /** How many tasks came back. */
  returnSet(key: string): number {
    const set = this.#sets.get(key);
    if (set === undefined) return 0;
    this.#sets.delete(key);
    for (const [id, second] of set.tasks) this.#group(set.group).set(id, second);
    return set.tasks.size;
  }

  returnStaleSets(now: number): number {
    const stale = [...this.#sets].filter(([, { deadline }]) => deadline <= now);
    return stale.reduce((sum, [key]) => sum + this.returnSet(key), 0);
  }

  #group(name: string): FakeGroup {
    const group = this.#groups.get(name) ?? new Map<string, number>();
    this.#groups.set(name, group);
    return group;
  }
}

function readyAt(tasks: FakeGroup, { gracePeriod, maxDelay, maxSize }: GroupPolicy, now: number): number {
  if (maxSize > 0 && tasks.size >= maxSize) return now;
  const times = [...tasks.values()].map((second) => second * 1000);
  const byDelay = maxDelay > 0 ? Math.min(...times) + maxDelay : Number.POSITIVE_INFINITY;
  return Math.min(Math.max(...times) + gracePeriod, byDelay);
}

function seconds(now: number): number {
  return Math.floor(now / 1000);
}
