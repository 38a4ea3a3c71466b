import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProgressBar, progressLine } from '../../../src/cli/progress.ts';
import { displayWidth } from '../../../src/cli/table.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeTerminal } from './run.ts';

describe('progressLine', () => {
  it('shows the part that is done', () => {
    expect(progressLine('running', 0, 10, 40)).toBe('running [>                 ]   0%  0/10');
    expect(progressLine('running', 5, 10, 40)).toBe('running [=========>        ]  50%  5/10');
    expect(progressLine('running', 10, 10, 40)).toBe('running [==================] 100% 10/10');
    expect(progressLine('running', 0, 0, 12)).toBe('running 100');
  });

  it('is shorter than the line, whatever the figures', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(200), (done, total, columns) => {
        expect(displayWidth(progressLine('deleting retry tasks', done, total, columns))).toBeLessThan(
          Math.max(1, columns),
        );
      }),
    );
  });
});

describe('ProgressBar', () => {
  function drawn(isErrTTY: boolean): { steps: number; erased: string } {
    const terminal = fakeTerminal({ isErrTTY });
    const clock = new FakeClock();
    const bar = new ProgressBar(terminal, clock, 'x');
    for (let done = 0; done < 100; done++) {
      bar.update(done, 100);
      clock.block(10);
    }
    bar[Symbol.dispose]();
    const { err } = terminal.written;
    return { steps: err.split('\r').length - 1, erased: err.slice(-4) };
  }

  it('comes after a while, changes now and then, and leaves nothing behind', () => {
    // From 300 ms on, each 100 ms, and the erasure.
    expect(drawn(true)).toEqual({ steps: 8, erased: '\r\u001b[K' });
  });

  it('is for terminals only', () => {
    expect(drawn(false)).toEqual({ steps: 0, erased: '' });
  });
});
