import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { keySlot, SLOT_COUNT } from '../../../src/redis/slots.ts';

test.each([
  ['images', 9450],
  ['webhooks', 4418],
  ['notifications', 16340],
  ['notificaciones', 9816],
  ['imágenes', 2788],
  ['ima\u0301genes', 5700],
  ['default', 5718],
  ['critical', 8090],
  ['low', 15214],
])('queue %s lives in slot %i', (queue, slot) => {
  expect(keySlot(`asynq:{${queue}}:pending`)).toBe(slot);
});

test.each([
  ['asynq:queues', 3477],
  ['asynq:servers', 15197],
  ['asynq:workers', 7864],
  ['asynq:schedulers', 4669],
  ['123456789', 0x31c3],
  ['', 0],
])('key %j without a hash tag is hashed whole', (key, slot) => {
  expect(keySlot(key)).toBe(slot);
});

const anyText = fc.string({ unit: 'grapheme' });
const braceless = anyText.map((text) => text.replaceAll(/[{}]/g, ''));

test('keys that share a hash tag share a slot', () => {
  fc.assert(
    fc.property(braceless, anyText, braceless, anyText, (before, after, otherBefore, otherAfter) => {
      const tag = '{queue}';
      expect(keySlot(`${otherBefore}${tag}${otherAfter}`)).toBe(keySlot(`${before}${tag}${after}`));
    }),
  );
});

test.each([
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
  ['foo{bar}{zap}', 5061],
  ['foo{bar', 15278],
])('only the first closed, non-empty tag of %s counts', (key, slot) => {
  expect(keySlot(key)).toBe(slot);
});

test('every text has a slot in range', () => {
  fc.assert(
    fc.property(anyText, (key) => {
      const slot = keySlot(key);
      expect(Number.isInteger(slot) && slot >= 0 && slot < SLOT_COUNT).toBe(true);
    }),
  );
});
