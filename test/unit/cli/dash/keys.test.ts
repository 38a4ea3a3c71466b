import { once } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { type Key, type Keypress, keyOf } from '../../../../src/cli/dash/keys.ts';

/** The keys that a terminal means by these bytes. */
function keysOf(bytes: string): Key[] {
  const input = new PassThrough();
  const keys: Key[] = [];
  emitKeypressEvents(input);
  input.on('keypress', (_: string | undefined, press: Keypress) => {
    const key = keyOf(press);
    if (key !== undefined) keys.push(key);
  });
  input.emit('data', Buffer.from(bytes));
  return keys;
}

it.each([
  ['jkq?/', ['j', 'k', 'q', '?', '/']],
  ['\r\n', ['enter', 'enter']],
  ['\u001b[A\u001b[B\u001b[C\u001b[D', ['up', 'down', 'right', 'left']],
  ['\u001bOA\u001b[5~\u001b[6~\u001b[H\u001b[F', ['up', 'pageup', 'pagedown', 'home', 'end']],
  ['\u0003\u000c\u007f', ['ctrl-c', 'ctrl-l', 'backspace']],
  ['日é🎉 G', ['日', 'é', '🎉', ' ', 'G']],
  ['\u0001\u0004\u0000\u001bx\u001b[200~\t', []],
])('%j: %j', (bytes, keys) => {
  expect(keysOf(bytes)).toEqual(keys);
});

it('an Esc is one when nothing follows it', async () => {
  const input = new PassThrough();
  emitKeypressEvents(input);
  const pressed = once(input, 'keypress');
  input.emit('data', Buffer.from('\u001b'));
  const [, press] = await pressed;
  expect(keyOf(press)).toBe('escape');
});
