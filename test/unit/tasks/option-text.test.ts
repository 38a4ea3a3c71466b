import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { optionTexts, parseOptionTexts } from '../../../src/tasks/option-text.ts';
import { anyText } from '../../support/any-text.ts';

it('prints every option as Go does', () => {
  const texts = optionTexts({
    maxRetry: 3,
    queue: 'a"b\n\u200bñ📷',
    taskId: 't',
    timeoutSeconds: 90,
    deadline: new Date(1_700_000_000_000),
    uniqueSeconds: 3600,
    processAt: new Date(1_699_000_000_000),
    processInSeconds: 1.5,
    retentionSeconds: 86_400,
    group: '\u0007\x01\\',
    headers: { k: 'v', 'a"': '' },
  });
  expect(texts).toEqual([
    'MaxRetry(3)',
    'Queue("a\\"b\\n\\u200bñ📷")',
    'TaskID("t")',
    'Timeout(1m30s)',
    'Deadline(Tue Nov 14 22:13:20 UTC 2023)',
    'Unique(1h0m0s)',
    'ProcessAt(Fri Nov  3 08:26:40 UTC 2023)',
    'ProcessIn(1.5s)',
    'Retention(24h0m0s)',
    'Group("\\a\\x01\\\\")',
    'Header(["k","v"])',
    'Header(["a\\"",""])',
  ]);
});

it('reads times in zones whose offset is known, and leaves the others out', () => {
  const read = (text: string) => parseOptionTexts([text]);
  expect(read('Deadline(Sat Nov  4 08:26:40 GMT 2023)')).toEqual({
    deadline: new Date('2023-11-04T08:26:40Z'),
  });
  expect(read('ProcessAt(Sat Nov 14 08:26:40 +03 2023)')).toEqual({
    processAt: new Date('2023-11-14T05:26:40Z'),
  });
  expect(read('ProcessAt(Sat Nov 14 08:26:40 +0530 2023)')).toEqual({
    processAt: new Date('2023-11-14T02:56:40Z'),
  });
  expect(read('Deadline(Sat Nov  4 08:26:40 IST 2023)')).toEqual({});
});

it('takes the last of a kind, and leaves out what is no option', () => {
  const texts = [
    'Queue("a")',
    'Nonsense(1)',
    '',
    'Queue("b (c)")',
    'Queue(d)',
    'MaxRetry(x)',
    'Timeout(5)',
    'Header(1)',
  ];
  expect(parseOptionTexts(texts)).toEqual({ queue: 'b (c)' });
});

const seconds = fc.integer({ min: 1, max: 1e9 });
const time = fc.integer({ min: 0, max: 4e9 }).map((second) => new Date(second * 1000));
const text = fc.string({ unit: 'grapheme' });

it('reads what it printed', () => {
  const options = fc.record(
    {
      queue: text,
      taskId: text,
      maxRetry: fc.nat(),
      timeoutSeconds: seconds,
      deadline: time,
      processAt: time,
      processInSeconds: fc.integer({ min: 1, max: 1e9 }).map((ms) => ms / 1000),
      uniqueSeconds: seconds,
      retentionSeconds: seconds,
      group: text,
      headers: fc.dictionary(text, text, { noNullPrototype: true, minKeys: 1 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(options, (any) => {
      expect(parseOptionTexts(optionTexts(any))).toEqual(any);
    }),
  );
});

it('takes any text without choking', () => {
  const kind = fc.constantFrom('Queue', 'Timeout', 'Deadline', 'Header', 'MaxRetry', 'Group');
  fc.assert(
    fc.property(kind, anyText, (name, argument) => {
      expect(parseOptionTexts([argument, `${name}(${argument})`])).toBeTypeOf('object');
    }),
  );
});
