import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { pageRange } from '../../../src/tasks/inspector-options.ts';

it.each([
  [undefined, { skip: 0, count: 30 }],
  [{}, { skip: 0, count: 30 }],
  [{ page: 3 }, { skip: 60, count: 30 }],
  [
    { pageSize: 7, page: 2 },
    { skip: 7, count: 7 },
  ],
  [{ page: -2 }, { skip: 0, count: 30 }],
  [{ page: 0 }, { skip: 0, count: 0 }],
  [
    { pageSize: 0, page: 5 },
    { skip: 0, count: 0 },
  ],
  [{ pageSize: -1 }, { skip: 0, count: 0 }],
])('takes %j as Go does', (page, range) => {
  expect(pageRange(page)).toEqual(range);
});

it.each([{ page: 1.5 }, { pageSize: Number.NaN }, { pageSize: 2 ** 40, page: 2 }, { page: Infinity }])(
  'refuses %j',
  (page) => {
    expect(() => pageRange(page)).toThrow(expect.objectContaining({ code: 'ASYNQ_OPTION_INVALID' }));
  },
);

it('covers a list without gaps and overlaps', () => {
  const size = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(size, fc.integer({ min: 1, max: 1_000 }), (pageSize, page) => {
      const { skip, count } = pageRange({ pageSize, page });
      expect(pageRange({ pageSize, page: page + 1 }).skip).toBe(skip + count);
    }),
  );
});
