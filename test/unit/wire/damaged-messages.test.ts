import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import {
  decodeSchedulerEntry,
  decodeSchedulerEvent,
  encodeSchedulerEntry,
  encodeSchedulerEvent,
} from '../../../src/wire/scheduler-entry.ts';
import {
  decodeServerInfo,
  decodeWorkerInfo,
  encodeServerInfo,
  encodeWorkerInfo,
} from '../../../src/wire/server-info.ts';
import { decodeTaskMessage, encodeTaskMessage } from '../../../src/wire/task-message.ts';
import { damagedBytes } from '../../support/damaged-bytes.ts';
import vectors from '../../vectors/messages.json' with { type: 'json' };

/* Whatever lies in Redis: it is read, or refused with an error of ours. */

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const entry = encodeSchedulerEntry({
  id: 'i',
  spec: '@every 1m',
  taskType: 'ñ',
  taskPayload: bytes('00ff'),
  options: ['Queue("q")'],
  next: 1_700_000_000_000,
  prev: undefined,
});

const KINDS: { name: string; wholes: Uint8Array[]; recode: (bytes: Uint8Array) => Uint8Array }[] = [
  {
    name: 'task message',
    wholes: vectors.tasks.map(({ msg }) => bytes(msg)),
    recode: (read) => encodeTaskMessage(decodeTaskMessage(read)),
  },
  {
    name: 'server info',
    wholes: [bytes(vectors.server.server)],
    recode: (read) => encodeServerInfo(decodeServerInfo(read)),
  },
  {
    name: 'worker info',
    wholes: [bytes(vectors.server.worker)],
    recode: (read) => encodeWorkerInfo(decodeWorkerInfo(read)),
  },
  {
    name: 'scheduler entry',
    wholes: [entry],
    recode: (read) => encodeSchedulerEntry(decodeSchedulerEntry(read)),
  },
  {
    name: 'enqueue event',
    wholes: [encodeSchedulerEvent({ taskId: 't', enqueuedAt: 1_700_000_000_000 })],
    recode: (read) => encodeSchedulerEvent(decodeSchedulerEvent(read)),
  },
];

it.each(KINDS)('a damaged $name is read, as it is written again, or refused', ({ wholes, recode }) => {
  fc.assert(
    fc.property(damagedBytes(fc.constantFrom(...wholes)), (damaged) => {
      let once: Uint8Array;
      try {
        once = recode(damaged);
      } catch (error) {
        if (AsynqError.is(error, 'ASYNQ_MESSAGE_UNREADABLE')) return;
        throw error;
      }
      expect(Buffer.from(recode(new Uint8Array(once)))).toEqual(Buffer.from(once));
    }),
    { numRuns: 3_000 },
  );
});
