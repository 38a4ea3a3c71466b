import type { Random } from '../runtime/random.ts';

export interface QueueWeight {
  readonly name: string;
  readonly weight: number;
}

/** Queues that are asked at once; the next tier only gets what this one leaves. */
export type Tier = readonly QueueWeight[];

/**
 * The order in which free slots are offered. Weighted: one tier, where a queue's priority is its share of the tasks
 * taken while all have some. Strict: a tier for each priority, highest first; equals share.
 */
export function tiersOf(queues: Readonly<Record<string, number>>, strict: boolean): readonly Tier[] {
  const entries = Object.entries(queues);
  if (!strict) return [entries.map(([name, weight]) => ({ name, weight }))];
  const priorities = [...new Set(entries.map(([, priority]) => priority))].toSorted((a, b) => b - a);
  return priorities.map((priority) =>
    entries.filter(([, own]) => own === priority).map(([name]) => ({ name, weight: 1 })),
  );
}

/**
 * Divides `slots` by weight. Each share is its exact part rounded down or up, all together are `slots`, and over many
 * draws each queue gets its exact part (systematic sampling: one random number decides every rounding). In whole numbers,
 * weights being such: near a border, fractions would round to one slot too many.
 */
export function sharesOf(slots: number, weights: readonly number[], random: Random): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const offset = Math.floor(random() * total);
  let weightSoFar = 0;
  let given = 0;
  return weights.map((weight) => {
    weightSoFar += weight;
    const upTo = Math.max(given, Math.ceil((slots * weightSoFar - offset) / total));
    const share = upTo - given;
    given = upTo;
    return share;
  });
}
