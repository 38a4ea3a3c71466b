#!/usr/bin/env node
import { InvalidArgumentError, Option } from 'commander';
import { processTerminal } from '../cli/process-terminal.ts';
import { createProgram, ExitCode, packageVersion, runProgram } from '../cli/program.ts';
import { isAddress, withoutSecrets } from '../runtime/address.ts';
import { parseGoDuration } from '../runtime/go-duration.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { WORKER_VARIABLES } from '../runtime/worker-variables.ts';
import type { DevFlags } from './dev.ts';
import type { OperatorFlags } from './operator.ts';
import type { SchedulerFlags } from './scheduler.ts';

// Each command is loaded when it is called: the Kubernetes client alone costs the others a second and 100 MB.
const terminal = processTerminal();
const program = createProgram('asynq-operator', 'Scale the workers of Asynq queues.', terminal);

program
  .command('operator')
  .description('Scale the workers of the AsynqQueues of a Kubernetes cluster')
  .option('--kubeconfig <path>', 'absent: what kubectl would use, in a pod its ServiceAccount')
  .addOption(
    withEnv(
      new Option('--watch-namespaces <name,...>', 'to serve; absent, all'),
      'WATCH_NAMESPACES',
    ).argParser(names),
  )
  .option('--no-leader-elect', 'this process is the only one')
  .addOption(withEnv(new Option('--lease-name <name>'), 'LEASE_NAME').default('asynq-operator'))
  .option('--lease-namespace <name>', "absent: the pod's (POD_NAMESPACE), else the kubeconfig's")
  .addOption(
    withEnv(new Option('--worker-image <image>', 'of workers that name none'), 'WORKER_IMAGE').default(
      `asynq-operator:${packageVersion()}`,
    ),
  )
  .addOption(logLevel('info'))
  .addOption(new Option('--metrics-port <number>', '0 picks one').argParser(port).default(8080))
  .addOption(new Option('--health-port <number>', '0 picks one').argParser(port).default(8081))
  .addHelpText(
    'after',
    `
The default connection of AsynqQueues without spec.redis comes from the
environment: ASYNQ_REDIS_ADDRS, ASYNQ_REDIS_MODE, ASYNQ_REDIS_USERNAME and, as
names of Secrets, ASYNQ_REDIS_PASSWORD_SECRET, ASYNQ_REDIS_TLS_CA_SECRET, ...`,
  )
  .action(async (flags: Omit<OperatorFlags, 'version' | 'env'>) => {
    const { main } = await import('./operator.ts');
    const code = await main({ ...flags, version: packageVersion(), env: terminal.env });
    if (code !== 0) throw new ExitCode(code);
  });

program
  .command('worker')
  .description('Run the handlers of a module on the queues that ASYNQ_QUEUES names')
  .addOption(
    new Option('--port <number>', 'of health and metrics; 0 picks one').argParser(port).default(8080),
  )
  .option('--host <address>', 'to listen on; absent, all')
  .addOption(logLevel('info'))
  .addHelpText('after', workerVariables)
  .action(async (flags: { port: number; host?: string; logLevel: LogLevel }) => {
    const { main } = await import('./worker.ts');
    const code = await main(flags);
    if (code !== 0) throw new ExitCode(code);
  });

program
  .command('scheduler')
  .description('Enqueue the periodic tasks of a file')
  .requiredOption('-f, --filename <path>', 'YAML or JSON; read again and again')
  .addOption(
    new Option('--sync-interval <duration>', 'between two readings of the file')
      .argParser(duration)
      .default(10_000, '10s'),
  )
  .option('--location <zone>', 'of cron specs that name none, e.g. Europe/Berlin', 'UTC')
  .option('--no-high-availability', 'enqueue whatever other schedulers of the same tasks do')
  .addOption(new Option('--port <number>', 'of health; 0 picks one').argParser(port).default(8080))
  .option('--host <address>', 'to listen on; absent, all')
  .addOption(logLevel('info'))
  .addHelpText(
    'after',
    `
The file lists the tasks, each with its cron spec, and options as in the library:

  tasks:
    - spec: CRON_TZ=Europe/Berlin 0 6 * * MON-FRI
      type: report:daily
      payload: { team: sales }
      queue: reports
      timeoutSeconds: 600
    - { spec: '@every 90s', type: tick }

A file that becomes wrong while it runs is told of, and changes nothing. Any
number of schedulers may run with the same file: each fire is enqueued once.
Where Redis is says the environment, as for a worker: ASYNQ_REDIS_ADDRS,
ASYNQ_REDIS_MODE, ASYNQ_REDIS_USERNAME, ASYNQ_REDIS_PASSWORD, ... More is in
docs/scheduler.md.`,
  )
  .action(async (flags: SchedulerFlags) => {
    const { main } = await import('./scheduler.ts');
    const code = await main(flags);
    if (code !== 0) throw new ExitCode(code);
  });

program
  .command('dev')
  .description('Run AsynqQueues from manifest files with local workers, without Kubernetes')
  .argument('<path...>', 'manifests, files and folders; watched')
  .addOption(
    withEnv(
      new Option(
        '--redis-addrs <host:port,...>',
        'where queues live that have no spec.redis; its password is ASYNQ_REDIS_PASSWORD',
      ),
      'ASYNQ_REDIS_ADDRS',
    ).argParser(addresses),
  )
  .addOption(
    withEnv(new Option('--redis-mode <mode>', 'of that Redis'), 'ASYNQ_REDIS_MODE')
      .choices(['Cluster', 'Standalone'])
      .default('Cluster'),
  )
  .addOption(withEnv(new Option('--redis-username <name>', 'ACL user of that Redis'), 'ASYNQ_REDIS_USERNAME'))
  .addOption(logLevel('warn'))
  .addOption(
    new Option('-o, --output <format>', 'lines for people or for programs')
      .choices(['text', 'json'])
      .default('text'),
  )
  .addHelpText(
    'after',
    `
Secrets come from the manifests, else from the environment: key "password" of
Secret "my-redis" is ASYNQ_SECRET_MY_REDIS_PASSWORD there. Handler modules are
found from the manifest's folder, or in a ConfigMap of the manifests; a
ConfigMap that is in none of them is the files beside the manifest.`,
  )
  .action(async (paths: string[], flags: DevFlags) => {
    const { keepCompiledCode } = await import('./compile-cache.ts');
    const workerEnv = keepCompiledCode(terminal.env);
    const { dev } = await import('./dev.ts');
    await dev(paths, flags, terminal, workerEnv);
  });

program
  .command('validate')
  .description('Judge AsynqQueue manifests as the API server would')
  .argument('[path...]', 'files and folders; - is standard input')
  .option('-f, --filename <path...>', 'the same, as kubectl has it')
  .action(async (paths: string[], { filename = [] }: { filename?: string[] }) => {
    const { validateManifests } = await import('../operator/validate.ts');
    const { text } = await import('node:stream/consumers');
    const all = [...paths, ...filename];
    if (all.length === 0) program.error("error: missing required argument 'path'");
    const { notes, faults } = await validateManifests(all, () => text(process.stdin));
    for (const note of notes) terminal.out(`${note}\n`);
    for (const fault of faults) terminal.err(`error: ${fault}\n`);
    if (faults.length > 0) throw new ExitCode(1);
  });

/** All that a worker is told by its environment; required first. */
function workerVariables(): string {
  const width = Math.max(...WORKER_VARIABLES.map(({ name }) => name.length));
  const lines = WORKER_VARIABLES.map(({ name, meaning, fallback }) => {
    const absent = fallback === undefined ? ' (required)' : fallback === '' ? '' : ` (${fallback})`;
    return `  ${name.padEnd(width)}  ${meaning}${absent}`.replaceAll('`', '');
  });
  return `\nENVIRONMENT (docs/worker.md)\n${lines.join('\n')}`;
}

/** The variable stands in for the flag; set to nothing it counts as absent, as in manifests that leave it open. */
function withEnv(option: Option, variable: string): Option {
  return terminal.env[variable] === '' ? option : option.env(variable);
}

function logLevel(fallback: LogLevel): Option {
  return withEnv(new Option('--log-level <level>'), 'LOG_LEVEL')
    .choices(['debug', 'info', 'warn', 'error'])
    .default(fallback);
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError(`expected a port, got "${text}"`);
}

/** Milliseconds. */
function duration(text: string): number {
  try {
    const ms = parseGoDuration(text);
    if (ms >= 1) return ms;
  } catch {
    // as any other text that is none
  }
  throw new InvalidArgumentError(`expected a duration such as 90s or 5m, got "${text}"`);
}

/** A list that names nothing is refused: read as one, it would serve nothing and look well. */
function names(list: string): string[] {
  const found = list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (found.length > 0) return found;
  throw new InvalidArgumentError(`expected name,name,..., got "${list}"`);
}

function addresses(list: string): string[] {
  const addrs = list.split(',').map((addr) => addr.trim());
  const wrong = addrs.find((addr) => !isAddress(addr));
  if (wrong === undefined) return addrs;
  throw new InvalidArgumentError(`expected host:port,host:port,..., got ${withoutSecrets(wrong)}`);
}

process.exitCode = await runProgram(program, () => process.argv.slice(2), terminal);
