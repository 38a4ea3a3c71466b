import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { decodeTaskMessage, encodeTaskMessage, type TaskMessage } from '../../../src/wire/task-message.ts';
import { damagedBytes } from '../../support/damaged-bytes.ts';
import { type GoBroker, GoError, goBroker } from '../../support/go-broker.ts';
import vectors from '../../vectors/messages.json' with { type: 'json' };

/* A damaged message that one side of a mixed fleet can read, the other can read too, and reads the same. */

const go: GoBroker = await goBroker();
const wholes = vectors.tasks.map(({ msg }) => new Uint8Array(Buffer.from(msg, 'hex')));

/** What a side reads; undefined: nothing. Go forgets fields that it does not know. */
type Read = Omit<TaskMessage, 'unknownFields'> | undefined;

function ours(bytes: Uint8Array): Read {
  try {
    const { unknownFields: _, ...message } = decodeTaskMessage(bytes);
    return { ...message, payload: new Uint8Array(message.payload) };
  } catch (error) {
    if (AsynqError.is(error, 'ASYNQ_MESSAGE_UNREADABLE')) return undefined;
    throw error;
  }
}

async function theirs(bytes: Uint8Array): Promise<Read> {
  const msg = Buffer.from(bytes).toString('base64');
  try {
    const written = (await go.call('Recode', { queue: 'any', now: 0, msg })) as string | null;
    return ours(new Uint8Array(Buffer.from(written ?? '', 'base64')));
  } catch (error) {
    if (error instanceof GoError) return undefined;
    throw error;
  }
}

it('both read the same from damaged messages', async () => {
  await fc.assert(
    fc.asyncProperty(damagedBytes(fc.constantFrom(...wholes)), async (damaged) => {
      expect(ours(damaged)).toEqual(await theirs(damaged));
    }),
    { numRuns: 3_000 },
  );
});

it('what ours writes of them, Go reads', async () => {
  await fc.assert(
    fc.asyncProperty(damagedBytes(fc.constantFrom(...wholes)), async (damaged) => {
      const read = ours(damaged);
      fc.pre(read !== undefined);
      expect(await theirs(encodeTaskMessage(read))).toEqual(read);
    }),
    { numRuns: 1_000 },
  );
});
