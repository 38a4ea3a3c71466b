import { inspect } from 'node:util';
import type { Range } from '../broker/task-inspection.ts';
import { AsynqError } from '../runtime/errors.ts';

export type { BulkOptions } from '../broker/bulk-moves.ts';

/** Which part of a list (asynq `PageSize`, `Page`). */
export interface PageOptions {
  /** Tasks on a page; negative is 0. @default 30 */
  readonly pageSize?: number;
  /** The first is 1, and so is a negative one; there is nothing on page 0. @default 1 */
  readonly page?: number;
}

const DEFAULT_PAGE_SIZE = 30;

/** Farther than any list reaches, and still exact in the numbers of a script. */
const FARTHEST = 2 ** 40;

/** @throws ASYNQ_OPTION_INVALID */
export function pageRange(options?: PageOptions): Range {
  const { pageSize = DEFAULT_PAGE_SIZE, page = 1 } = options ?? {};
  const isPage =
    Number.isInteger(pageSize) && Number.isInteger(page) && Math.abs(pageSize * page) <= FARTHEST;
  if (!isPage) {
    const text = `expected whole numbers as page and page size, got page ${inspect(page)} of ${inspect(pageSize)} tasks`;
    throw new AsynqError('ASYNQ_OPTION_INVALID', text);
  }
  const number = page < 0 ? 1 : page;
  const count = number === 0 ? 0 : Math.max(0, pageSize);
  return { skip: count * Math.max(0, number - 1), count };
}
