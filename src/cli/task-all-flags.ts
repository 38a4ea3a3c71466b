import type { Command } from 'commander';
import { BULK_STATES, type BulkFlags, type BulkVerb } from './bulk-states.ts';
import { choiceFlag, requireFlags, withExamples } from './commands.ts';
import type { Context } from './context.ts';

const DESCRIPTIONS: Readonly<Record<BulkVerb, string>> = {
  archive: 'Archive all tasks of a queue that are in a state',
  delete: 'Delete all tasks of a queue that are in a state',
  run: 'Let all tasks of a queue that are in a state be run now',
};

/** `asynq task archiveall`, `deleteall` and `runall`. */
export function addBulkCommands(group: Command, context: Context): void {
  for (const verb of Object.keys(BULK_STATES) as BulkVerb[]) {
    const command = group
      .command(`${verb}all`)
      .description(DESCRIPTIONS[verb])
      .option('-q, --queue <name>', 'queue that holds the tasks')
      .addOption(choiceFlag('-s, --state <state>', 'state of the tasks', BULK_STATES[verb]))
      .option('-g, --group <name>', 'group of aggregating tasks')
      .addHelpText('after', '\nCtrl-C ends it between two batches and tells how far it has come.')
      .action(async (flags: BulkFlags, self: Command) => {
        const { changeAll, parseBulkFlags } = await import('./task-all.ts');
        const wanted = parseBulkFlags(verb, flags);
        await context.answer(self, ({ inspector }) => changeAll(inspector, wanted, context));
      });
    requireFlags(command, 'queue', 'state');
    withExamples(command, `asynq task ${verb}all --queue myqueue --state retry`);
  }
}
