import { expect, it } from 'vitest';
import { randomUuid } from '../../../src/runtime/uuid.ts';

it('is a UUID of version 4, and another one each time', () => {
  const ids = Array.from({ length: 2_000 }, randomUuid);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

it('leaves no digit out, at no place but those that say what it is', () => {
  const ids = Array.from({ length: 2_000 }, randomUuid);
  const seen = Array.from({ length: 36 }, (_, at) => new Set(ids.map((id) => id[at])).size);
  expect(seen).toEqual(
    Array.from({ length: 36 }, (_, at) => ({ 8: 1, 13: 1, 14: 1, 18: 1, 19: 4, 23: 1 })[at] ?? 16),
  );
});
