import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { compose } from '../../../src/tasks/compose.ts';
import { optionTexts, parseOptionTexts } from '../../../src/tasks/option-text.ts';
import { resolveOptions, type TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';
import { decodeTaskMessage, encodeTaskMessage } from '../../../src/wire/task-message.ts';

/* Whatever programs without types give as options: a task comes of it that can be read, or an error of ours. */

const NAMES: readonly (keyof TaskOptions)[] = [
  'queue',
  'taskId',
  'maxRetry',
  'timeoutSeconds',
  'deadline',
  'processAt',
  'processInSeconds',
  'uniqueSeconds',
  'retentionSeconds',
  'group',
  'headers',
];

const anything = fc.oneof(
  fc.anything({
    withDate: true,
    withBigInt: true,
    withNullPrototype: true,
    withTypedArray: true,
    maxDepth: 1,
  }),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary' }),
  fc.date({ noInvalidDate: false }),
  fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
  fc.constantFrom<unknown>(
    Symbol('s'),
    () => 1,
    '\ud800',
    ' ',
    '}x',
    Number.MAX_VALUE,
    -0,
    '5',
    new Map([['a', 'b']]),
  ),
);

const options = fc
  .dictionary(fc.constantFrom(...NAMES), anything, { maxKeys: 3 })
  .map((some) => some as TaskOptions);

/** Runs it; errors of ours are fine, and undefined comes back. */
function orRefused<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (AsynqError.is(error)) return undefined;
    throw error;
  }
}

it('options make a task that can be read again, or are refused', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), anything),
      anything,
      options,
      options,
      (type, payload, ofTask, more) => {
        const sent = orRefused(() => {
          const task = new Task(type as string, payload as string, ofTask);
          const { message } = compose(task, more, { nowMs: 1_700_000_000_000, newId: () => 'id' }).enqueueing;
          return encodeTaskMessage(message);
        });
        if (sent === undefined) return;
        expect(Buffer.from(encodeTaskMessage(decodeTaskMessage(sent)))).toEqual(Buffer.from(sent));
      },
    ),
    { numRuns: 2_000 },
  );
});

it('texts of options are read, or passed over', () => {
  const kinds = [
    'MaxRetry',
    'Queue',
    'Timeout',
    'Deadline',
    'Unique',
    'ProcessAt',
    'ProcessIn',
    'TaskID',
    'Header',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(fc.constantFrom(...kinds), fc.string()).map(([kind, argument]) => `${kind}(${argument})`),
    fc
      .tuple(fc.constantFrom(...kinds), fc.json({ maxDepth: 1 }))
      .map(([kind, argument]) => `${kind}(${argument})`),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 3 }), (texts) => {
      const read = parseOptionTexts(texts);
      orRefused(() => resolveOptions(read, undefined, 0));
      expect(optionTexts(parseOptionTexts(optionTexts(read)))).toEqual(optionTexts(read));
    }),
    { numRuns: 2_000 },
  );
});
