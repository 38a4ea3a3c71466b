import type { Command } from 'commander';
import { helpSection, withExamples } from './commands.ts';
import type { Context } from './context.ts';

/** `asynq doctor`: what is broken in Redis, and its repair. */
export function addDoctorCommand(program: Command, context: Context): void {
  const doctor = program
    .command('doctor')
    .argument('[queue...]', 'names of queues; none: all that there are')
    .description('Find what crashes, evictions and faults have left behind, and mend it')
    .option('--fix', 'mend what can be mended without losing a task')
    .action(async (queues: string[], { fix = false }: { fix?: boolean }, command: Command) => {
      const { examineRedis } = await import('./doctor-report.ts');
      await context.answer(command, ({ redis }) => examineRedis(redis, context, { queues, fix }));
    });
  helpSection(doctor, 'NOTE', [
    'It walks over all keys of Redis and reads each message, in small steps; servers may go on meanwhile.',
    'The exit code is 0 when there is nothing to mend, or all was mended, else 1.',
  ]);
  withExamples(doctor, 'asynq doctor', 'asynq doctor default --fix', 'asynq doctor --output json');
}
