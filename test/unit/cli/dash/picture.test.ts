import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DashData, placeOf } from '../../../../src/cli/dash/data.ts';
import { lineWidth, type Size } from '../../../../src/cli/dash/line.ts';
import { paint } from '../../../../src/cli/dash/paint.ts';
import { boundsOf, draw } from '../../../../src/cli/dash/picture.ts';
import { pageSizeOf } from '../../../../src/cli/dash/queue-view.ts';
import { type DashState, START, settle } from '../../../../src/cli/dash/state.ts';
import { STATES } from '../../../../src/cli/queue-figures.ts';
import { Payload } from '../../../../src/tasks/payload.ts';
import type { TaskInfo } from '../../../../src/tasks/task-info.ts';
import { anyText } from '../../../support/any-text.ts';
import { info, inQueue, NOW, picture, screenText, task, textOf } from './sights.ts';

const WIDE: Size = { columns: 80, rows: 24 };
const SMALL: Size = { columns: 40, rows: 10 };

const queues = [
  info('critical', { active: 3, pending: 1, latencySeconds: 2, processed: 14, failed: 11 }),
  info('imágenes', {
    pending: 120,
    retry: 2,
    archived: 42,
    paused: true,
    latencySeconds: 312,
    memoryUsageBytes: 1_234_567,
    processed: 900,
    failed: 9,
  }),
  info('日本🎉', {
    completed: 20,
    aggregating: 7,
    latencySeconds: undefined,
    memoryUsageBytes: undefined,
  }),
];

const failed = task({
  queue: 'imágenes',
  type: '画像:resize',
  payload: Payload.of({ image: '日本🎉.png' }),
  headers: { trace: 'abc' },
  state: 'retry',
  retried: 1,
  lastErr: 'no such image in the bucket: 日本🎉.png',
  lastFailedAt: new Date(NOW - 61_000),
  nextProcessAt: new Date(NOW + 20_000),
});
const due = task({ id: 'short', state: 'retry', lastErr: 'x', lastFailedAt: new Date(NOW - 5_000) });

/** What was read for the view of `state`. */
function read(state: DashState, size: Size, tasks: readonly TaskInfo[]): DashData {
  const view = state.queue ?? inQueue({ queue: '' }).queue;
  if (view === undefined) throw new Error('expected a view');
  return {
    queues,
    info: queues.find(({ queue }) => queue === view.queue),
    groups: {
      queue: '日本🎉',
      list: [
        { group: 'user:7', size: 3 },
        { group: '🎉', size: 4 },
      ],
    },
    tasks: { place: placeOf(view, pageSizeOf(view, size.rows)), list: tasks },
    task: { queue: failed.queue, id: failed.id, info: failed },
  };
}

const retry = inQueue({ queue: 'imágenes', state: 'retry', cursor: { row: 1, name: failed.id } });
const open = { ...retry, queue: retry.queue && { ...retry.queue, task: { id: failed.id, scroll: 0 } } };

function shown(
  state: DashState,
  size: Size,
  tasks: readonly TaskInfo[] = [failed, due],
  failure?: string,
): string {
  return screenText(picture(state, read(state, size, tasks), { size, failure }));
}

describe('on 80 columns and 24 rows', () => {
  it('all queues, as docs/cli.md shows them', () => {
    const text = shown(START, WIDE);
    expect(text).toMatchInlineSnapshot(`
      "=== Queues ===

      critical ██ 4
      imágenes ███████████████████████████████████████████████████████████████████ 164
      日本🎉   ████████████ 27
      █ Active █ Pending █ Aggregating █ Scheduled █ Retry █ Archived █ Completed

      Queue     State   Size  Latency  MemoryUsage  Processed  Failed  ErrorRate
      critical  RUN     4     2s       1.2 kB       14         11      0.79
      imágenes  PAUSED  164   5m12s    1.2 MB       900        9       0.01
      日本🎉    RUN     27    -        -            0          0       -












      <?>: Help    <Ctrl+C>: Exit"
    `);
    const page = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
    expect(page.includes(text.replace(/\n{3,}/, '\n\n'))).toBe(true);
  });

  it('a queue', () => {
    expect(shown(retry, WIDE)).toMatchInlineSnapshot(`
      "=== Queue Summary ===
      Name      imágenes
      Size      164
      Latency   5m12s
      MemUsage  1.2 MB

      === Tasks ===
      Active:0 Pending:120 Aggregating:0 Scheduled:0 Retry:2 Archived:42 Completed:0

      ID          Type        Retry  Last Failu…  Last Failure Time  Next Process Time
      b3c2a9f0-…  画像:resi…  1/25   no such im…  1m1s ago           in 20s
      short       email:send  0/25   x            5s ago             right now
      Showing 1-2 out of 2










      <?>: Help    <Ctrl+C>: Exit"
    `);
  });

  it('a task', () => {
    expect(shown(open, WIDE)).toMatchInlineSnapshot(`
      "=== Queue Summary ===
      Name      imágenes
      Size      164
      Latency   5m12s
      MemUsage  1.2 MB┌──────────────────────────────────────────────┐
                      │ ID: b3c2a9f0-5d0e-4a43-9a0e-0c3a9f1d2e11     │
      === Tasks ===   │ Type: 画像:resize                            │
      Active:0 Pending│ State: retry                                 │42 Completed:0
                      │ Queue: imágenes                              │
      ID          Type│ Retry: 1/25                                  │ext Process Time
      b3c2a9f0-…  画像│ Last Failure: no such image in the bucket:   │n 20s
      short       emai│ 日本🎉.png                                   │ight now
      Showing 1-2 out │ Last Failure Time: Tue Nov 24 16:28:59 UTC 2 │
                      │ 026 (1m1s ago)                               │
                      │ Next Process Time: in 20s                    │
                      │ Header trace: abc                            │
                      │ Payload: {"image":"日本🎉.png"}              │
                      └──────────────────────────────────────────────┘





      <?>: Help    <Ctrl+C>: Exit"
    `);
  });

  it('groups', () => {
    expect(shown(inQueue({ queue: '日本🎉', state: 'aggregating' }), WIDE)).toMatchInlineSnapshot(`
      "=== Queue Summary ===
      Name      日本🎉
      Size      27
      Latency   -
      MemUsage  -

      === Tasks ===
      Active:0 Pending:0 Aggregating:7 Scheduled:0 Retry:0 Archived:0 Completed:20
      <<< Select group >>>

      Name    Size
      user:7  3
      🎉      4
      Showing 1-2 out of 2









      <?>: Help    <Ctrl+C>: Exit"
    `);
  });
});

describe('on 40 columns and 10 rows', () => {
  it('all queues', () => {
    expect(shown(START, SMALL)).toMatchInlineSnapshot(`
      "=== Queues ===
      Queue     State   Size  Latency
      critical  RUN     4     2s
      imágenes  PAUSED  164   5m12s
      日本🎉    RUN     27    -




      <?>: Help    <Ctrl+C>: Exit"
    `);
  });

  it('a queue, and what went wrong', () => {
    expect(shown(retry, SMALL, [failed, due], 'expected Redis to answer')).toMatchInlineSnapshot(`
      "imágenes  164 tasks  5m12s  1.2 MB
      Aggregating:0 Scheduled:0 Retry:2 Archiv
      ID          Type       Retry  Last Fail…
      b3c2a9f0-…  画像:res…  1/25   no such i…
      short       email:se…  0/25   x
      Showing 1-2 out of 2



       expected Redis to answer"
    `);
  });

  it('a task', () => {
    expect(shown(open, SMALL)).toMatchInlineSnapshot(`
      "┌──────────────────────────────────────┐
      │ ID: b3c2a9f0-5d0e-4a43-9a0e-0c3a9f1d │
      │ 2e11                                 │
      │ Type: 画像:resize                    │
      │ State: retry                         │
      │ Queue: imágenes                      │
      │ Retry: 1/25                          │
      └ 1-6 of 13, j k ──────────────────────┘

      <?>: Help    <Ctrl+C>: Exit"
    `);
  });

  it('the help', () => {
    expect(shown({ ...START, isHelp: true }, SMALL)).toMatchInlineSnapshot(`
      "=== Help ===
      j k, ↓ ↑   next, previous row or line
      Enter      open the queue, group or task
      Esc, q     back; from the queues, quit
      h l, ← →   previous, next state
      n p        next, previous page
      s          sort queues: by name or most
      /          filter queues; Esc: no more
      ?          this help
      <?>: Help    <Ctrl+C>: Exit"
    `);
  });
});

describe('says that', () => {
  it.each([
    ['nothing was read yet', START, {}, 'Loading...'],
    ['there are no queues', START, { queues: [] }, 'No queues'],
    ['no queue passes the filter', { ...START, filter: 'X' }, { queues }, 'No queue has "X" in its name'],
    [
      'a task is gone',
      open,
      { task: { queue: failed.queue, id: failed.id, info: undefined } },
      `no longer exists`,
    ],
  ])('%s', (_, state, data: DashData, text) => {
    expect(screenText(picture(state, data))).toContain(text);
  });
});

it('shows of many queues those around the cursor', () => {
  const many = Array.from({ length: 20 }, (_, i) => info(`q${String(i + 1).padStart(2, '0')}`));
  const text = screenText(picture({ ...START, cursor: { row: 12, name: 'q12' } }, { queues: many }));
  expect(text).toContain('=== Queues === 10-18 out of 20');
  expect(text.match(/^q\d\d(?= )/gm)).toEqual(
    [...many.slice(9, 18), ...many.slice(9, 18)].map((q) => q.queue),
  );
});

it('sorts queues by what there is most of', () => {
  const names = (sort: DashState['sort']) =>
    boundsOf({ state: { ...START, sort }, data: { queues }, size: WIDE, nowMs: NOW }).rows;
  expect(names('size')).toEqual(['imágenes', '日本🎉', 'critical']);
  expect(names('latency')).toEqual(['imágenes', 'critical', '日本🎉']);
  expect(names('failed')).toEqual(['critical', 'imágenes', '日本🎉']);
});

describe('colours', () => {
  const chosen = draw(picture(retry, read(retry, WIDE, [failed]), { failure: 'lost' }));
  const row = (isColoured: boolean) => chosen.map((spans) => paint(spans, isColoured));

  it('mark the chosen row, the state and what went wrong', () => {
    expect(row(true).find((text) => text.includes('画像'))).toContain('\u001b[7m');
    expect(row(true).find((text) => text.includes('Retry:2'))).toContain('\u001b[1;4mRetry:2\u001b[m');
    expect(row(true).at(-1)).toContain('\u001b[97;48;5;88m lost');
  });

  it('are none for those who want none', () => {
    expect(row(false).join('')).not.toContain('38;5');
    expect(row(false).join('')).not.toContain('48;5');
    expect(row(false).at(-1)).toContain('\u001b[7m lost');
  });
});

it('shows the beginning of large payloads, and does not look at the rest', () => {
  const large = task({
    id: 'large',
    payload: Payload.of('日'.repeat(2_000_000)),
    lastErr: 'x'.repeat(2_000_000),
  });
  const state = inQueue({ queue: 'q', state: 'pending', task: { id: 'large', scroll: 0 } });
  const tasks = Array<TaskInfo>(12).fill(large);
  const data = { ...read(state, WIDE, tasks), task: { queue: 'q', id: 'large', info: large } };
  const start = performance.now();
  expect(
    shown({ ...state, queue: state.queue && { ...state.queue, task: undefined } }, WIDE, tasks),
  ).toContain('"日日');
  const { scrolls } = boundsOf({ state, data, size: WIDE, nowMs: NOW });
  const end = inQueue({ queue: 'q', state: 'pending', task: { id: 'large', scroll: scrolls } });
  expect(screenText(picture(end, data))).toContain('日… (6000002 bytes)');
  expect(performance.now() - start).toBeLessThan(5_000);
});

it('fills the screen, whatever its size and whatever is in Redis', () => {
  const text = fc.oneof(anyText, fc.constantFrom('imágenes', '日本', '🎉', '\u001b[2J', '\u202e'));
  const count = fc.oneof(fc.nat(3), fc.nat());
  const some = fc.record({
    name: text,
    counts: fc.record(Object.fromEntries(STATES.map((state) => [state, count]))),
    lines: fc.array(text),
    failure: fc.option(text, { nil: undefined }),
    size: fc.record({ columns: fc.integer({ min: 1, max: 120 }), rows: fc.integer({ min: 1, max: 40 }) }),
    state: fc.constantFrom(...STATES),
    view: fc.constantFrom('queues', 'filter', 'queue', 'group', 'task', 'help'),
    row: fc.nat(5),
  });
  fc.assert(
    fc.property(some, ({ name, counts, lines, failure, size, state, view, row }) => {
      const tasks = lines.map((one) =>
        task({ id: one, type: one, lastErr: one, headers: { [one]: one }, payload: Payload.of(one), state }),
      );
      const cursor = { row, name: '' };
      const group = view === 'group' ? name : undefined;
      const at = inQueue({
        queue: name,
        state,
        group,
        cursor,
        task: view === 'task' ? { id: lines[0] ?? '', scroll: row } : undefined,
      });
      const isTyping = view === 'filter';
      const alone = { ...START, cursor, isTyping, filter: isTyping ? name : '', isHelp: view === 'help' };
      const given = ['queue', 'group', 'task'].includes(view) ? at : alone;
      const known = info(name, counts);
      const data = {
        ...read(at, size, tasks),
        queues: [known, ...queues],
        info: known,
        groups: { queue: name, list: lines.map((one) => ({ group: one, size: 1 })) },
        task: { queue: name, id: lines[0] ?? '', info: tasks[0] },
      };
      const settled = settle(given, boundsOf({ state: given, data, size, nowMs: NOW }));
      const screen = draw(picture(settled, data, { size, failure }));
      expect(screen).toHaveLength(size.rows);
      for (const spans of screen) {
        expect(lineWidth(spans)).toBe(size.columns);
        expect(textOf(spans)).not.toMatch(/\p{Cc}|\u202e/u);
      }
    }),
  );
});
