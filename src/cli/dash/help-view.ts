import { type Line, line } from './line.ts';

const KEYS: readonly (readonly [keys: string, effect: string])[] = [
  ['j k, ↓ ↑', 'next, previous row or line'],
  ['Enter', 'open the queue, group or task'],
  ['Esc, q', 'back; from the queues, quit'],
  ['h l, ← →', 'previous, next state'],
  ['n p', 'next, previous page'],
  ['s', 'sort queues: by name or most'],
  ['/', 'filter queues; Esc: no more'],
  ['?', 'this help'],
  ['Ctrl+L', 'redraw'],
  ['Ctrl+C', 'quit'],
];

export function helpView(): Line[] {
  return [
    line('=== Help ===', 'title'),
    ...KEYS.map(([keys, effect]) => line(`${keys.padEnd(10)} ${effect}`)),
  ];
}
