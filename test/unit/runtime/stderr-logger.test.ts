import { describe, expect, it } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { stderrLogger } from '../../../src/runtime/stderr-logger.ts';

function logged(least: 'info' | 'warn', speak: (log: ReturnType<typeof stderrLogger>) => void): string {
  let said = '';
  speak(stderrLogger(least, { write: (text) => (said += text) }));
  return said.replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '');
}

describe('the log on stderr', () => {
  it('has a line for people, with its fields and those of its child', () => {
    const text = logged('info', (log) => {
      log.child({ queue: 'imágenes' }).info({ count: 3, where: 'here and there' }, 'moved');
    });
    expect(text).toBe('INFO  moved queue=imágenes count=3 where="here and there"\n');
  });

  it('says what is of its level and above only', () => {
    const text = logged('warn', (log) => {
      log.debug({}, 'one');
      log.info({}, 'two');
      log.warn({}, 'three');
      log.error({}, 'four');
    });
    expect(text).toBe('WARN  three\nERROR four\n');
  });

  it('has one line for an error of ours, and the stack of any other', () => {
    const text = logged('info', (log) => {
      log.warn({ err: new AsynqError('ASYNQ_REDIS_AUTH', 'wrong password') }, 'no connection');
      log.warn({ err: new Error('no route') }, 'task failed');
    });
    const [ours, theirs, frame] = text.split('\n');
    expect(ours).toBe('WARN  no connection error="wrong password"');
    expect(theirs).toBe('WARN  task failed error="no route"');
    expect(frame).toMatch(/^ +at .*stderr-logger\.test\.ts:\d+/);
  });

  it('shows no password, token or URI, and stands whatever it is given', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const text = logged('info', (log) => {
      log.info({ password: 'secret', redis: { uri: 'redis://:secret@x', token: 'secret' } }, 'one');
      log.info({ circle, big: 1n, none: undefined, call: () => {} }, 'two');
    });
    expect(text).not.toContain('secret');
    expect(text).toMatch(/^INFO {2}two circle=/m);
  });
});
