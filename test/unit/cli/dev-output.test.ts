import { describe, expect, it } from 'vitest';
import { type DevMessage, devJson, devLine } from '../../../src/cli/dev-output.ts';

const at = new Date(2026, 10, 24, 19, 3, 12);
const plain = (message: DevMessage) => devLine(message, at, { color: false, width: 10 });
const colored = (message: DevMessage) => devLine(message, at, { color: true, width: 10 });

describe('devLine', () => {
  it('tells events in the words that kubectl would show', () => {
    const event = {
      type: 'event',
      name: 'imagenes',
      reason: 'ScaledUp',
      message: '0 -> 2 replicas',
    } as const;
    expect(plain({ ...event, severity: 'Normal' })).toBe('19:03:12 imagenes    ScaledUp 0 -> 2 replicas\n');
    expect(colored({ ...event, severity: 'Warning' })).toContain('\u001b[33mScaledUp\u001b[39m');
  });

  it('makes the JSON of a log readable', () => {
    const line = JSON.stringify({
      level: 'error',
      time: '2026-11-24T18:03:12Z',
      queue: 'a b',
      attempt: 2,
      err: { type: 'Error', message: 'connection refused', stack: '...' },
      msg: 'a task failed',
    });
    const text = 'a task failed queue="a b" attempt=2 error="connection refused"';
    expect(plain({ type: 'output', worker: 'w-1', stream: 'stdout', line })).toBe(
      `19:03:12 w-1         ${text}\n`,
    );
    expect(colored({ type: 'log', line })).toContain(`\u001b[31m${text}\u001b[39m`);
  });

  it('tells what was done to a manifest', () => {
    expect(plain({ type: 'edit', name: 'webhooks', edit: 'was edited: paused false -> true' })).toBe(
      '19:03:12 webhooks    Manifest was edited: paused false -> true\n',
    );
  });

  it('tells faults of manifests a line each, and when they are gone', () => {
    expect(plain({ type: 'manifests', faults: ['a.yaml:1:1: x', 'a.yaml:2:1: y'] })).toBe(
      [
        '19:03:12 dev         a.yaml:1:1: x',
        '19:03:12 dev         a.yaml:2:1: y',
        '19:03:12 dev         what the manifests said before stands',
        '',
      ].join('\n'),
    );
    expect(plain({ type: 'manifests', faults: [] })).toContain('right again');
  });

  it.each(['plain words', '{not json', '{"no":"message"}', '[1]'])('leaves %j as it is', (line) => {
    expect(plain({ type: 'output', worker: 'w-1', stream: 'stderr', line })).toBe(
      `19:03:12 w-1         ${line}\n`,
    );
  });

  it('lets no line of a worker move the cursor', () => {
    expect(plain({ type: 'output', worker: 'w', stream: 'stdout', line: '\u001b[2J' })).toContain(
      '\\u001b[2J',
    );
  });

  it('keeps statuses for programs', () => {
    const message: DevMessage = { type: 'status', name: 'a', status: { replicas: 1 } };
    expect(plain(message)).toBe('');
    expect(JSON.parse(devJson(message))).toEqual(message);
  });
});
