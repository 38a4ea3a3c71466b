import type { Clock } from '../../runtime/clock.ts';
import { errorText } from '../../runtime/errors.ts';
import { Nudge } from '../../runtime/nudge.ts';
import type { Inspector } from '../../tasks/inspector.ts';
import type { Tty } from '../terminal.ts';
import { type DashData, placeOf, readData } from './data.ts';
import { FullScreen, type ScreenListener } from './full-screen.ts';
import type { Key } from './keys.ts';
import type { Size } from './line.ts';
import { paint } from './paint.ts';
import { boundsOf, draw } from './picture.ts';
import { pageSizeOf } from './queue-view.ts';
import { type DashState, press, START, settle } from './state.ts';

export interface DashParts {
  readonly tty: Tty;
  readonly inspector: Inspector;
  readonly clock: Clock;
  readonly refreshMs: number;
  readonly isColoured: boolean;
}

/** Shows the queues until the user has seen enough, the terminal is gone or `signal` aborts. */
export async function runDash(parts: DashParts, signal: AbortSignal): Promise<void> {
  const dash = new Dash(parts);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  using screen = new FullScreen(parts.tty, dash.on(resolve));
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  dash.open(screen);
  await ended;
  dash.close();
}

/**
 * Lets keys and figures change what the screen shows. Redis is read by one loop, each interval and as soon as the view
 * is one whose figures are not there, so at most one look is under way; keys do not wait for it. A look that fails is told
 * in the footer, over what was read last. One that is under way at the end is left to fail with the connection.
 */
class Dash {
  readonly #parts: DashParts;
  readonly #nudge: Nudge;
  #screen: FullScreen | undefined;
  #state: DashState = START;
  #data: DashData = {};
  #failure: string | undefined;
  /** What the last look was for, or the one under way is. */
  #asked = '';

  constructor(parts: DashParts) {
    this.#parts = parts;
    this.#nudge = new Nudge(parts.clock);
  }

  /** What the screen is to tell; `quit` ends it. */
  on(quit: () => void): ScreenListener {
    return {
      onKey: (key) => {
        if (!this.#press(key)) quit();
      },
      onResize: () => this.#change(this.#state),
      onEnd: quit,
    };
  }

  open(screen: FullScreen): void {
    this.#screen = screen;
    this.#draw();
    void this.#follow();
  }

  close(): void {
    this.#screen = undefined;
    this.#nudge.nudge();
  }

  #press(key: Key): boolean {
    if (key === 'ctrl-l') this.#screen?.clear();
    const next = press(this.#state, key, this.#bounds(this.#state));
    if (next !== undefined) this.#change(next);
    return next !== undefined;
  }

  #change(next: DashState): void {
    this.#state = settle(next, this.#bounds(next));
    if (this.#wanted() !== this.#asked) this.#nudge.nudge();
    this.#draw();
  }

  async #follow(): Promise<void> {
    while (this.#screen !== undefined) {
      this.#asked = this.#wanted();
      await this.#look(this.#state);
      this.#change(this.#state);
      await this.#nudge.sleep(this.#parts.refreshMs);
    }
  }

  async #look(state: DashState): Promise<void> {
    try {
      const { data, failure } = await readData(
        this.#parts.inspector,
        state,
        this.#data,
        this.#pageSize(state),
      );
      this.#data = data;
      this.#failure = failure;
    } catch (error) {
      this.#failure = errorText(error);
    }
  }

  #draw(): void {
    const screen = this.#screen;
    if (screen === undefined) return;
    const picture = { state: this.#state, data: this.#data, failure: this.#failure, ...this.#sight(screen) };
    screen.draw(draw(picture).map((line) => paint(line, this.#parts.isColoured)));
  }

  #bounds(state: DashState): ReturnType<typeof boundsOf> {
    return boundsOf({ state, data: this.#data, ...this.#sight(this.#screen) });
  }

  #sight(screen: FullScreen | undefined): { size: Size; nowMs: number } {
    return { size: screen?.size ?? { columns: 0, rows: 0 }, nowMs: this.#parts.clock.now() };
  }

  #pageSize({ queue }: DashState): number {
    return queue === undefined ? 1 : pageSizeOf(queue, this.#sight(this.#screen).size.rows);
  }

  /** What has to be read for the view; equal for views of the same. */
  #wanted(): string {
    const { queue } = this.#state;
    return queue === undefined
      ? ''
      : `${placeOf(queue, this.#pageSize(this.#state))} ${queue.task?.id ?? ''}`;
  }
}
