import { type Command, InvalidArgumentError, Option } from 'commander';
import { defined } from '../runtime/defined.ts';
import type { TaskOptions } from '../tasks/options.ts';
import { requireFlags, withExamples } from './commands.ts';
import type { Context } from './context.ts';
import { durationSeconds, rfc3339, wholeNumber, wholeSecondsDuration } from './flag-values.ts';

/** As commander has parsed them; named as Go's CLI names its flags. */
interface EnqueueFlags {
  readonly type_name: string;
  readonly payload: string;
  readonly queue?: string;
  readonly id?: string;
  readonly retry?: number;
  readonly timeout?: number;
  readonly deadline?: Date;
  readonly unique?: number;
  readonly process_at?: Date;
  readonly process_in?: number;
  readonly retention?: number;
  readonly group?: string;
  readonly header?: Readonly<Record<string, string>>;
}

/** `asynq task enqueue`. */
export function addEnqueueCommand(group: Command, context: Context): void {
  const enqueue = group
    .command('enqueue')
    .description('Put a task into a queue')
    .option('-t, --type_name <type>', 'type of the task')
    .option('-l, --payload <text>', 'payload, taken as it is; by convention a JSON object')
    .option('-q, --queue <name>', 'queue to put it into; absent, "default"')
    .option('-i, --id <id>', 'id of the task; absent, a random one')
    .addOption(valued('--retry <number>', 'how often it is run again when it fails', wholeNumber))
    .addOption(valued('--timeout <duration>', 'what one attempt may take, e.g. 1m30s', wholeSecondsDuration))
    .addOption(
      valued('--deadline <time>', 'when attempts count as failed, e.g. 2026-11-24T18:00:00Z', rfc3339),
    )
    .addOption(valued('--unique <duration>', 'for how long no other of its kind is let in', durationSeconds))
    .addOption(valued('--process_at <time>', 'when to run it', rfc3339))
    .addOption(valued('--process_in <duration>', 'in what time to run it', durationSeconds))
    .addOption(valued('--retention <duration>', 'how long it is kept after success', wholeSecondsDuration))
    .option('-g, --group <name>', 'group in which it waits to be made one task with others')
    .addOption(
      new Option('--header <name=value>', 'data beside the payload; may be given again').argParser(header),
    )
    .action(async (flags: EnqueueFlags, command: Command) => {
      const { enqueueTask } = await import('./task-enqueue.ts');
      const { type_name: type, payload } = flags;
      await context.answer(command, (session) =>
        enqueueTask(session.redis, { type, payload, options: optionsOf(flags) }, context.clock),
      );
    });
  requireFlags(enqueue, 'type_name', 'payload');
  withExamples(
    enqueue,
    `asynq task enqueue -t email:welcome -l '{"user_id":42}'`,
    `asynq task enqueue -t report:build -l '{"report":7}' --queue low --process_in 10m --unique 1h`,
  );
}

function valued(flags: string, help: string, parse: (text: string) => unknown): Option {
  return new Option(flags, help).argParser(parse);
}

function optionsOf(flags: EnqueueFlags): TaskOptions {
  return defined({
    queue: flags.queue,
    taskId: flags.id,
    maxRetry: flags.retry,
    timeoutSeconds: flags.timeout,
    deadline: flags.deadline,
    uniqueSeconds: flags.unique,
    processAt: flags.process_at,
    processInSeconds: flags.process_in,
    retentionSeconds: flags.retention,
    group: flags.group,
    headers: flags.header,
  });
}

function header(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError(`expected name=value, got "${text}"`);
  }
  return { ...earlier, [name]: value };
}
