import { type Backoff, exponentialMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { FleetState } from '../ends.ts';
import { planFleet } from './local-fleet-plan.ts';
import { LocalWorker, type WorkerEnd } from './local-worker.ts';

/** Kubernetes starts at 10 s and goes up to 5 min; a developer who just mended the module does not wait so long. */
const RESTART_BACKOFF: Backoff = { baseMs: 1_000, capMs: 30_000 };

/** A worker that was ready for so long has worked: its crash is the first in a row. */
const STABLE_MS = 10_000;

/** What a worker may take beyond its own drain timeout: to give tasks back, to say good-bye to Redis. */
const STOP_SLACK_MS = 5_000;

const MAX_STARTUPS = 8;

export interface LocalTemplate {
  /** Changes with everything that a running worker cannot take over. */
  readonly revision: string;
  readonly env: Readonly<Record<string, string>>;
  readonly drainTimeoutMs: number;
}

export interface LocalDeploymentOptions {
  /** Workers are called `<name>-1`, `<name>-2`, ...; a number is not given twice. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly log: Logger;
  readonly onOutput: (worker: string, line: string, stream: 'stdout' | 'stderr') => void;
  /** How many more workers may be started just now; a later `settle` starts those that this kept waiting. */
  readonly room: () => number;
  /** Something that `state` tells has changed, and `settle` may find something to do. */
  readonly onChange: () => void;
}

/** Workers that ended unasked, in a row, and the wait before the next start. */
interface Crash {
  readonly failures: number;
  readonly end: WorkerEnd;
  readonly wait: AbortController;
  /** No worker is started meanwhile. */
  isWaiting: boolean;
  /** A worker became ready since. */
  isOver: boolean;
}

/**
 * The worker processes of one queue, kept at the number and the template that were asked for last; a Deployment in small.
 *
 * A worker that ends unasked is replaced after a back-off, which a new template cuts short: its author has just mended it.
 */
export class LocalDeployment {
  readonly #options: LocalDeploymentOptions;
  readonly #workers: LocalWorker[] = [];
  readonly #startups: number[] = [];
  #wanted: { replicas: number; template: LocalTemplate } | undefined;
  #started = 0;
  #crash: Crash | undefined;
  #notReadySince: number | undefined;

  constructor(options: LocalDeploymentOptions) {
    this.#options = options;
  }

  get replicas(): number {
    return this.#wanted?.replicas ?? 0;
  }

  get revision(): string | undefined {
    return this.#wanted?.template.revision;
  }

  state(): FleetState {
    const readyReplicas = this.#workers.filter(({ isReady }) => isReady).length;
    const crash = this.#crash;
    return {
      presence: this.#wanted === undefined ? 'absent' : 'ours',
      replicas: this.replicas,
      readyReplicas,
      ...(crash === undefined || crash.isOver ? {} : { problem: problemOf(crash.end) }),
      startupSeconds: [...this.#startups],
      ...(this.#notReadySince === undefined ? {} : { notReadySince: this.#notReadySince }),
    };
  }

  /** Pids of the processes that run, those that are stopping too. */
  get pids(): number[] {
    return this.#workers.map(({ pid }) => pid).filter((pid) => pid !== undefined);
  }

  want(replicas: number, template: LocalTemplate): void {
    if (template.revision !== this.revision) this.#forgive();
    this.#wanted = { replicas, template };
    if (replicas === 0) this.#forgive();
    this.settle();
  }

  /** Workers that are there to stay. */
  get size(): number {
    return this.#staying().length;
  }

  /** Workers that were started within the last `ms` and are not ready yet. */
  startingSince(ms: number): number {
    const now = this.#options.clock.monotonic();
    return this.#workers.filter(({ state, startedAt }) => state === 'starting' && now - startedAt < ms)
      .length;
  }

  /** Learns which workers are idle, for a `want` of fewer of them. */
  async askActive(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.askActive()));
  }

  /** Asks all workers to end, and resolves when they have. */
  async stop(): Promise<void> {
    if (this.#wanted !== undefined) this.want(0, this.#wanted.template);
    await Promise.all(this.#workers.map(({ ended }) => ended));
  }

  /** Ends all workers without waiting for their tasks. */
  kill(): void {
    for (const worker of this.#workers) worker.kill();
  }

  /** Starts and stops what the plan says, as far as there is room. */
  settle(): void {
    if (this.#wanted === undefined) return;
    const { replicas, template } = this.#wanted;
    const plan = planFleet(this.#staying(), { replicas, revision: template.revision });
    for (const worker of plan.stop) void worker.stop(template.drainTimeoutMs + STOP_SLACK_MS);
    const mayStart = this.#crash?.isWaiting === true ? 0 : this.#options.room();
    for (let i = 0; i < Math.min(plan.start, mayStart); i++) this.#start(template);
    this.#noteReadiness();
  }

  #changed(): void {
    this.#noteReadiness();
    this.#options.onChange();
  }

  #staying(): LocalWorker[] {
    return this.#workers.filter(({ state }) => state === 'starting' || state === 'ready');
  }

  #start(template: LocalTemplate): void {
    const { clock, command, log, onOutput } = this.#options;
    const name = `${this.#options.name}-${++this.#started}`;
    const worker = new LocalWorker(
      {
        name,
        revision: template.revision,
        command,
        env: { ...template.env, POD_NAME: name },
        clock,
        onOutput: (line, stream) => onOutput(name, line, stream),
      },
      () => {
        this.#startups.push((clock.monotonic() - worker.startedAt) / 1000);
        if (this.#startups.length > MAX_STARTUPS) this.#startups.shift();
        if (this.#crash !== undefined) this.#crash.isOver = true;
        log.debug({ worker: name, port: worker.port }, 'a worker is ready');
        this.#changed();
      },
    );
    this.#workers.push(worker);
    void worker.ended.then((end) => this.#onEnd(worker, end));
  }

  #onEnd(worker: LocalWorker, end: WorkerEnd): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    if (!worker.wasStopped) {
      const { log } = this.#options;
      log.warn({ worker: worker.name, how: end.how, lastWords: end.lastWords }, 'a worker ended unasked');
      if (worker.revision === this.revision) this.#countCrash(worker, end);
    }
    this.#changed();
  }

  #countCrash(worker: LocalWorker, end: WorkerEnd): void {
    // Workers that fall together, say over one bad module, are one failure.
    if (this.#crash?.isWaiting === true) return;
    const now = this.#options.clock.monotonic();
    const wasStable = worker.readyAt !== undefined && now - worker.readyAt >= STABLE_MS;
    const failures = wasStable ? 1 : (this.#crash?.failures ?? 0) + 1;
    const crash = { failures, end, wait: new AbortController(), isWaiting: true, isOver: false };
    this.#crash = crash;
    void this.#retry(crash);
  }

  async #retry(crash: Crash): Promise<void> {
    await this.#options.clock.sleep(exponentialMs(crash.failures, RESTART_BACKOFF), crash.wait.signal);
    crash.isWaiting = false;
    if (!crash.wait.signal.aborted) this.#changed();
  }

  #forgive(): void {
    this.#crash?.wait.abort();
    this.#crash = undefined;
  }

  #noteReadiness(): void {
    const someReady = this.#workers.some(({ isReady }) => isReady);
    if (this.replicas === 0 || someReady) this.#notReadySince = undefined;
    else this.#notReadySince ??= this.#options.clock.now();
  }
}

function problemOf({ how, lastWords }: WorkerEnd): { reason: string; message: string } {
  const words = lastWords === undefined ? '' : `: ${lastWords}`;
  return { reason: 'CrashLoopBackOff', message: `a worker ended with ${how}${words}` };
}
