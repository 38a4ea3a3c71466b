import { RedisQueueReader } from '../broker/redis-queue-reader.ts';
import { openRedis } from '../redis/open.ts';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { type RedisSpec, redisOf } from './asynq-queue.ts';
import { FileSource, type SourceListener } from './ends/file-source.ts';
import { LocalFleet } from './ends/local-fleet.ts';
import { localTemplate } from './ends/local-template.ts';
import { MountedFiles } from './ends/mounted-files.ts';
import { Engine } from './engine.ts';

export interface LocalListener extends Omit<SourceListener, 'onChange'> {
  onOutput?(worker: string, line: string, stream: 'stdout' | 'stderr'): void;
}

export interface LocalOperatorOptions {
  /** Files and folders of manifests. */
  readonly paths: readonly string[];
  /** Where queues live that do not say. */
  readonly operatorDefault: RedisSpec | undefined;
  /** What workers inherit, and where Secrets come from that no manifest holds. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Program and arguments of a worker. */
  readonly worker: readonly [string, ...string[]];
  readonly clock: Clock;
  readonly log: Logger;
  readonly listener?: LocalListener;
}

const NO_REDIS =
  'no Redis: expected --redis-addrs host:port,... or ASYNQ_REDIS_ADDRS, as no AsynqQueue has spec.redis';

/**
 * The operator without Kubernetes: the same engine, between manifest files and processes of this machine.
 *
 * States: new -> running -> stopped. Workers end with it: in good order on `stop`, at once on `kill`, and by themselves
 * when its process is no more.
 */
export class LocalOperator {
  readonly #source: FileSource;
  readonly #fleet: LocalFleet;
  readonly #engine: Engine;
  readonly #files = new MountedFiles();
  readonly #log: Logger;
  readonly #operatorDefault: RedisSpec | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LocalOperatorOptions) {
    const { paths, operatorDefault, env, worker, clock, log, listener = {} } = options;
    this.#log = log;
    this.#operatorDefault = operatorDefault;
    this.#source = new FileSource({
      paths,
      clock,
      log,
      env,
      listener: {
        ...listener,
        onChange: (keys, removed) => {
          for (const key of [...keys, ...removed]) this.#engine.enqueue(key, 'high');
        },
      },
    });
    const parts = { source: this.#source, operatorDefault, files: this.#files, env };
    this.#fleet = new LocalFleet({
      templateOf: (queue) => localTemplate(queue, parts),
      command: worker,
      clock,
      log,
      onOutput: (name, line, stream) => listener.onOutput?.(name, line, stream),
      onChange: (key) => this.#engine.enqueue(key, 'high'),
    });
    this.#engine = new Engine({
      source: this.#source,
      fleet: this.#fleet,
      redis: {
        open: (redis) => openRedis(redis, { clock, log }),
        reader: (router) => new RedisQueueReader(router),
      },
      ...(operatorDefault && { operatorDefault }),
      clock,
      log,
    });
  }

  /**
   * @throws ASYNQ_MANIFEST_INVALID with one fault a line; ASYNQ_CONFIG_INVALID when no AsynqQueue has a Redis. Nothing
   * was started then
   */
  async start(): Promise<void> {
    await this.#source.start();
    if (this.#source.list().every((queue) => redisOf(queue, this.#operatorDefault) === undefined)) {
      await this.#source.stop();
      throw new AsynqError('ASYNQ_CONFIG_INVALID', NO_REDIS);
    }
    for (const { file, line, kind, name } of this.#source.others) {
      this.#log.warn({ file, line }, `${kind} ${name} means nothing here`);
    }
    for (const { metadata, spec } of this.#source.list()) {
      if (spec.worker?.image === undefined) continue;
      const { image } = spec.worker;
      this.#log.warn(
        { queue: metadata.name, image },
        'images are not run here: the workers are local processes',
      );
    }
    this.#engine.start();
  }

  /** Lets the workers finish, each within its drain timeout. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends the workers at once; a `stop` that waits for them resolves. */
  kill(): void {
    this.#fleet.kill();
  }

  async #stop(): Promise<void> {
    await this.#source.stop();
    await Promise.all([this.#engine.stop(), this.#fleet.stop()]);
    await this.#files.remove();
  }
}
