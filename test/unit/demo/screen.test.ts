import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { Screen } from '../../../demo/screen.ts';

function screen() {
  const stream = new PassThrough();
  return { screen: new Screen(stream as unknown as WriteStream), written: () => String(stream.read() ?? '') };
}

describe('Screen', () => {
  it('draws over what it drew before', () => {
    const { screen: block, written } = screen();
    block.draw(['a', 'b', 'c']);
    expect(written()).toContain('a\u001b[K\nb\u001b[K\nc\u001b[K\n');
    block.draw(['d']);
    expect(written()).toContain('\u001b[3Ad\u001b[K\n\u001b[J');
    block.draw(['e']);
    expect(written()).toContain('\u001b[1Ae');
  });

  it('gives the cursor back', () => {
    const { screen: block, written } = screen();
    block.close();
    expect(written()).toBe('');
    block.draw(['a']);
    expect(written()).toContain('\u001b[?25l');
    block.close();
    expect(written()).toBe('\u001b[?25h');
  });
});
