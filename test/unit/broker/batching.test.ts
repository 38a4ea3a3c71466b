import { describe, expect, it } from 'vitest';
import { Batcher, type NonEmpty } from '../../../src/broker/batching.ts';

function batcherOf(
  run: (items: NonEmpty<string>) => Promise<readonly string[]>,
  limits: { maxItems?: number; maxBytes?: number } = {},
) {
  const batches: string[][] = [];
  const batcher = new Batcher<string, string>({
    run: (items) => {
      batches.push([...items]);
      return run(items);
    },
    maxItems: 100,
    maxBytes: 1_000,
    bytesOf: (item) => item.length,
    ...limits,
  });
  return { batcher, batches };
}

const shout = async (items: NonEmpty<string>) => items.map((item) => item.toUpperCase());

describe('a batcher', () => {
  it('runs what comes in one turn together, key by key, and gives each caller its own result', async () => {
    const { batcher, batches } = batcherOf(shout);
    const results = await Promise.all([batcher.add('x', 'a'), batcher.add('y', 'b'), batcher.add('x', 'c')]);
    expect(results).toEqual(['A', 'B', 'C']);
    expect(batches).toEqual([['a', 'c'], ['b']]);
  });

  it('takes along what comes in later microtasks of the turn', async () => {
    const { batcher, batches } = batcherOf(shout);
    const late = async (hops: number, item: string) => {
      for (let hop = 0; hop < hops; hop++) await Promise.resolve();
      return batcher.add('x', item);
    };
    await Promise.all([late(0, 'a'), late(1, 'b'), late(7, 'c')]);
    expect(batches).toEqual([['a', 'b', 'c']]);
  });

  it('does not wait for a batch that is on its way', async () => {
    const first = Promise.withResolvers<readonly string[]>();
    const { batcher } = batcherOf((items) => (items[0] === 'slow' ? first.promise : shout(items)));
    const slow = batcher.add('x', 'slow');
    await new Promise(setImmediate);
    expect(await batcher.add('x', 'quick')).toBe('QUICK');
    first.resolve(['at last']);
    expect(await slow).toBe('at last');
  });

  it('sends a batch that is full at once, and begins another', async () => {
    const { batcher, batches } = batcherOf(shout, { maxItems: 2 });
    const all = Promise.all(['a', 'b', 'c'].map((item) => batcher.add('x', item)));
    expect(batches).toEqual([['a', 'b']]);
    expect(await all).toEqual(['A', 'B', 'C']);
    expect(batches).toEqual([['a', 'b'], ['c']]);
  });

  it('counts bytes too', async () => {
    const { batcher, batches } = batcherOf(shout, { maxBytes: 4 });
    await Promise.all(['aaaaaaaa', 'bb', 'cc', 'd'].map((item) => batcher.add('x', item)));
    expect(batches).toEqual([['aaaaaaaa'], ['bb', 'cc'], ['d']]);
  });

  it('tells every caller of a batch that failed, and no other', async () => {
    const { batcher } = batcherOf(async (items) => {
      if (items.includes('bad')) throw new Error('no');
      return shout(items);
    });
    const results = await Promise.allSettled([
      batcher.add('x', 'good'),
      batcher.add('x', 'bad'),
      batcher.add('y', 'good'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await batcher.add('x', 'good')).toBe('GOOD');
  });
});
