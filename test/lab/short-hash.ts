import { createHash } from 'node:crypto';

/** Eight hexadecimal digits that stand for a value, in names of what was made from it. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}
