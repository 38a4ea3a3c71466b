import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { aborted, QuietSignal, StopSignals } from '../../../src/runtime/lifecycle.ts';

describe('stop signals', () => {
  test.each(['SIGTERM', 'SIGINT'])('the first %s is graceful, the second forceful', async (signal) => {
    const source = new EventEmitter();
    using signals = new StopSignals(source);
    source.emit(signal);
    await aborted(signals.graceful);
    expect(signals.forceful.aborted).toBe(false);
    source.emit('SIGTERM');
    await aborted(signals.forceful);
  });

  test('can be told by other means', () => {
    using signals = new StopSignals(new EventEmitter());
    signals.stop();
    expect(signals.graceful.aborted).toBe(true);
  });

  test('leave the process as it was', () => {
    const source = new EventEmitter();
    const signals = new StopSignals(source);
    signals[Symbol.dispose]();
    expect(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT')).toBe(0);
  });
});

test('SIGTSTP asks to be quiet, until the process is let go', () => {
  const source = new EventEmitter();
  const quiet = new QuietSignal(source);
  expect(quiet.asked.aborted).toBe(false);
  source.emit('SIGTSTP');
  expect(quiet.asked.aborted).toBe(true);
  quiet[Symbol.dispose]();
  expect(source.listenerCount('SIGTSTP')).toBe(0);
});
