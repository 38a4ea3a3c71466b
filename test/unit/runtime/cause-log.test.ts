import { describe, expect, it } from 'vitest';
import { oncePerCause } from '../../../src/runtime/cause-log.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

function begin() {
  const clock = new FakeClock();
  const record = new RecordingLogger();
  const said = () => record.entries.map(({ level, message, fields }) => [level, message, fields['unsaid']]);
  return { clock, log: oncePerCause(record, clock), said };
}

const refused = () => new AsynqError('ASYNQ_REDIS_AUTH', 'NOAUTH');

describe('a log for parts that share a Redis', () => {
  it('tells each cause once, whoever meets it, and later how often it was not told', async () => {
    const { clock, log, said } = begin();
    log.warn({ err: refused() }, 'no connection');
    log.child({ queue: 'a' }).error({ err: refused() }, 'cannot dequeue');
    log.error({ err: new AsynqError('ASYNQ_REDIS_AUTH', 'WRONGPASS') }, 'cannot forward');
    await clock.advance(29_000);
    log.error({ err: refused() }, 'cannot dequeue');
    await clock.advance(1_000);
    log.error({ err: refused() }, 'cannot dequeue');
    expect(said()).toEqual([
      ['warn', 'no connection', undefined],
      ['error', 'cannot forward', undefined],
      ['error', 'cannot dequeue', 2],
    ]);
  });

  it('tells it anew after good news', () => {
    const { log, said } = begin();
    log.warn({ err: refused() }, 'no connection');
    log.info({}, 'connected again');
    log.warn({ err: refused() }, 'no connection');
    expect(said().map(([, message]) => message)).toEqual([
      'no connection',
      'connected again',
      'no connection',
    ]);
  });

  it('keeps nothing else to itself', () => {
    const { log, said } = begin();
    for (const err of [new Error('x'), new AsynqError('ASYNQ_PAYLOAD_FIELD', 'x')]) {
      log.warn({ err }, 'task failed');
      log.warn({ err }, 'task failed');
    }
    log.warn({}, 'lease lost');
    log.warn({}, 'lease lost');
    expect(said()).toHaveLength(6);
  });

  it('takes it for no fault that the connection was closed', () => {
    const { log, said } = begin();
    log.error({ err: new AsynqError('ASYNQ_CLOSED', 'closed') }, 'cannot dequeue');
    expect(said()).toEqual([['debug', 'cannot dequeue', undefined]]);
  });
});
