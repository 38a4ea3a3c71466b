import { silentLogger } from '../../src/runtime/logger.ts';
import type { ServerConfig } from '../../src/server/config.ts';
import type { Handler, HandlerFunction } from '../../src/server/handler.ts';
import { Server } from '../../src/server/server.ts';
import type { TaskState } from '../../src/wire/states.ts';
import type { TaskMessage } from '../../src/wire/task-message.ts';
import { FakeBroker } from './fake-broker.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { taskMessage } from './task-messages.ts';

/** A server on a broker in memory, with a clock that the test turns. Its queue is `default`. */
export class ServedQueue implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly broker = new FakeBroker(this.clock);
  readonly server: Server;

  constructor(config: ServerConfig = {}) {
    this.server = new Server(this.broker, {
      concurrency: 10,
      host: 'test-host',
      random: () => 0.5,
      log: silentLogger,
      clock: this.clock,
      ...config,
    });
  }

  async start(handler: Handler | HandlerFunction): Promise<void> {
    this.server.start(handler);
    await settled();
  }

  /** Adds tasks and lets the server look at its queues; returns their ids. */
  async add(...tasks: Partial<TaskMessage>[]): Promise<string[]> {
    const messages = tasks.map((fields) => taskMessage({ queue: 'default', ...fields }));
    for (const message of messages) await this.broker.enqueue({ message });
    if (this.server.status === 'active') await this.clock.advance(1_500);
    return messages.map(({ id }) => id);
  }

  stateOf(id: string, queue = 'default'): TaskState | undefined {
    return this.broker.stateOf(queue, id);
  }

  messageOf(id: string, queue = 'default'): TaskMessage | undefined {
    return this.broker.messageOf(queue, id);
  }

  /** Shuts down, letting all the time pass that this may take. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.broker.heal();
    const closed = this.server.shutdown();
    await this.clock.advance(60_000);
    await closed;
  }
}

/** A handler that is at work until the test ends it. */
export class HeldHandler implements Handler {
  readonly running: {
    readonly taskId: string;
    readonly signal: AbortSignal;
    end: (error?: Error) => void;
  }[] = [];
  mostAtOnce = 0;

  processTask(...[, { taskId, signal }]: Parameters<HandlerFunction>): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = {
        taskId,
        signal,
        end: (error?: Error) => {
          this.running.splice(this.running.indexOf(entry), 1);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      this.running.push(entry);
      this.mostAtOnce = Math.max(this.mostAtOnce, this.running.length);
    });
  }

  /** Ends all that run now, in one turn. */
  async endAll(): Promise<void> {
    for (const { end } of this.running.slice()) end();
    await settled();
  }

  /** Ends the handler that has run longest. */
  async endFirst(error?: Error): Promise<void> {
    const [first] = this.running;
    if (first === undefined) throw new Error('expected a running handler, got none');
    first.end(error);
    await settled();
  }
}
