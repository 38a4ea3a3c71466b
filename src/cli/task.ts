import { type Command, Option } from 'commander';
import { addGroup, choiceFlag, requireFlags, withExamples } from './commands.ts';
import type { Context } from './context.ts';
import { positiveInteger } from './flag-values.ts';
import { STATES } from './queue-figures.ts';
import { addBulkCommands } from './task-all-flags.ts';
import { addEnqueueCommand } from './task-enqueue-flags.ts';
import type { ListFlags } from './task-list.ts';

/** `asynq task ...`: to look at tasks, to put them into queues, and to move and delete them, one or all. */
export function addTaskCommands(program: Command, context: Context): void {
  const group = addGroup(program, 'task', 'Manage tasks');
  addListCommand(group, context);
  addInspectCommand(group, context);
  addCancelCommand(group, context);
  addChangeCommands(group, context);
  addEnqueueCommand(group, context);
  addBulkCommands(group, context);
}

function addListCommand(group: Command, context: Context): void {
  const list = group
    .command('list')
    .alias('ls')
    .description('List the tasks of a queue that are in a state, a page at a time')
    .option('-q, --queue <name>', 'queue that holds the tasks')
    .addOption(choiceFlag('-s, --state <state>', 'state of the tasks', STATES))
    .option('-g, --group <name>', 'group of aggregating tasks')
    .addOption(new Option('--page <number>', 'which page').argParser(positiveInteger).default(1))
    .addOption(new Option('--size <number>', 'tasks on a page').argParser(positiveInteger).default(30))
    .action(async (flags: ListFlags, command: Command) => {
      const { parseListFlags, listTasks } = await import('./task-list.ts');
      const what = parseListFlags(flags);
      await context.answer(command, ({ inspector }) => listTasks(inspector, what, context.clock));
    });
  requireFlags(list, 'queue', 'state');
  withExamples(
    list,
    'asynq task list --queue myqueue --state pending',
    'asynq task ls --queue myqueue --state aggregating --group mygroup',
    'asynq task ls --queue myqueue --state scheduled --page 2',
  );
}

/** Flags that name one task. */
interface OneTask {
  readonly queue: string;
  readonly id: string;
}

function addInspectCommand(group: Command, context: Context): void {
  const inspect = group
    .command('inspect')
    .description('Show a task; with --output json or yaml, all of it')
    .action(async ({ queue, id }: OneTask, command: Command) => {
      const { inspectTask } = await import('./task-inspect.ts');
      await context.answer(command, ({ inspector }) => inspectTask(inspector, queue, id, context.clock));
    });
  withExamples(
    ofOneTask(inspect),
    'asynq task inspect --queue myqueue --id f1720682-f5a6-4db1-8953-4f48ae541d0f',
  );
}

function addCancelCommand(group: Command, context: Context): void {
  const cancel = group
    .command('cancel')
    .argument('<id...>', 'ids of active tasks')
    .description('Ask the servers that work on tasks to give them up')
    .action(async (ids: string[], _, command: Command) => {
      const { cancelTasks } = await import('./task-changes.ts');
      await context.answer(command, ({ inspector }) => cancelTasks(inspector, ids));
    });
  withExamples(cancel, 'asynq task cancel f1720682-f5a6-4db1-8953-4f48ae541d0f');
}

function addChangeCommands(group: Command, context: Context): void {
  const archive = group
    .command('archive')
    .description('Archive a task: it is kept, and not run')
    .action(async ({ queue, id }: OneTask, command: Command) => {
      const { archiveTask } = await import('./task-changes.ts');
      await context.answer(command, ({ inspector }) => archiveTask(inspector, queue, id));
    });
  withExamples(ofOneTask(archive), 'asynq task archive --queue myqueue --id f1720682');

  const remove = group
    .command('delete')
    .aliases(['remove', 'rm'])
    .description('Delete a task')
    .action(async ({ queue, id }: OneTask, command: Command) => {
      const { deleteTask } = await import('./task-changes.ts');
      await context.answer(command, ({ inspector }) => deleteTask(inspector, queue, id));
    });
  withExamples(ofOneTask(remove), 'asynq task delete --queue myqueue --id f1720682');

  const run = group
    .command('run')
    .description('Let a task be run now')
    .action(async ({ queue, id }: OneTask, command: Command) => {
      const { runTask } = await import('./task-changes.ts');
      await context.answer(command, ({ inspector }) => runTask(inspector, queue, id));
    });
  withExamples(ofOneTask(run), 'asynq task run --queue myqueue --id f1720682');
}

function ofOneTask(command: Command): Command {
  command.option('-q, --queue <name>', 'queue that holds the task').option('-i, --id <id>', 'id of the task');
  return requireFlags(command, 'queue', 'id');
}
