import { fileURLToPath } from 'node:url';
import { type DevMessage, devJson, devLine, speakerOf } from '../cli/dev-output.ts';
import { displayWidth } from '../cli/table.ts';
import type { Terminal } from '../cli/terminal.ts';
import type { RedisSpec } from '../operator/asynq-queue.ts';
import { LocalOperator } from '../operator/local-operator.ts';
import { systemClock } from '../runtime/clock.ts';
import { defined } from '../runtime/defined.ts';
import { createLogger } from '../runtime/json-logger.ts';
import { aborted, StopSignals } from '../runtime/lifecycle.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { ParentChannel } from '../runtime/parent-channel.ts';
import { compileWorker } from './compile-cache.ts';

export interface DevFlags {
  readonly redisAddrs?: readonly string[];
  readonly redisMode: 'Cluster' | 'Standalone';
  readonly redisUsername?: string;
  readonly logLevel: LogLevel;
  readonly output: 'text' | 'json';
}

/** The Secret that stands for ASYNQ_REDIS_PASSWORD, and the variable in which a source without manifests of it looks. */
const PASSWORD_SECRET = { name: 'asynq-redis', key: 'password' };
const PASSWORD_SECRET_VARIABLE = 'ASYNQ_SECRET_ASYNQ_REDIS_PASSWORD';

const BIN = fileURLToPath(import.meta.url).replace(/dev(?=\.[jt]s$)/, 'asynq-operator');

/** `asynq-operator dev`: runs until a signal asks to stop, and once more to stop at once. */
export async function dev(
  paths: readonly string[],
  flags: DevFlags,
  terminal: Terminal,
  workerEnv: Readonly<Record<string, string>>,
): Promise<void> {
  using signals = new StopSignals();
  using parent = new ParentChannel(signals.stop);
  const tell = teller(flags, terminal);
  const { env } = terminal;
  const operator = new LocalOperator({
    paths,
    operatorDefault: operatorDefault(flags, env),
    env: { ...env, ...workerEnv, [PASSWORD_SECRET_VARIABLE]: env['ASYNQ_REDIS_PASSWORD'] },
    worker: [process.execPath, ...process.execArgv, BIN, 'worker', '--host', '127.0.0.1', '--port', '0'],
    clock: systemClock,
    log: createLogger({
      level: flags.logLevel,
      stream: { write: (line) => tell({ type: 'log', line: line.trimEnd() }) },
    }),
    listener: {
      onOutput: (worker, line, stream) => tell({ type: 'output', worker, stream, line }),
      onEvent: ({ metadata }, { type, reason, message }) =>
        tell({ type: 'event', name: metadata.name, severity: type, reason, message }),
      onEdit: (name, edit) => tell({ type: 'edit', name, edit }),
      onFaults: (faults) => tell({ type: 'manifests', faults }),
      onStatus: ({ metadata, status = {} }) => tell({ type: 'status', name: metadata.name, status }),
    },
  });
  await operator.start();
  await compileWorker();
  parent.send({ type: 'ready' });
  await aborted(signals.graceful);
  signals.forceful.addEventListener('abort', () => operator.kill());
  await operator.stop();
}

function teller({ output }: DevFlags, terminal: Terminal): (message: DevMessage) => void {
  if (output === 'json') return (message) => terminal.out(devJson(message));
  let width = 0;
  return (message) => {
    width = Math.max(width, displayWidth(speakerOf(message)));
    terminal.out(devLine(message, new Date(systemClock.now()), { color: terminal.isTTY, width }));
  };
}

function operatorDefault(
  { redisAddrs, redisMode, redisUsername }: DevFlags,
  env: Terminal['env'],
): RedisSpec | undefined {
  if (redisAddrs === undefined) return undefined;
  return defined({
    mode: redisMode,
    addrs: redisAddrs,
    username: redisUsername,
    passwordSecretRef: env['ASYNQ_REDIS_PASSWORD'] === undefined ? undefined : PASSWORD_SECRET,
  });
}
