import { type Command, Option } from 'commander';
import { addClusterCommand } from './cluster.ts';
import { addHelpCommand, helpSection, holdsCommands, withExamples } from './commands.ts';
import { addCompletionCommands } from './completion.ts';
import { Context, type ContextParts } from './context.ts';
import { addCronCommands } from './cron.ts';
import { addDashCommand } from './dash.ts';
import { addDoctorCommand } from './doctor.ts';
import { goArguments } from './go-arguments.ts';
import { addGroupCommands } from './group.ts';
import { OUTPUT_FORMATS } from './output.ts';
import { createProgram, packageVersion, runProgram } from './program.ts';
import { addQueueCommands } from './queue.ts';
import { addServerCommands } from './server.ts';
import { addSettingFlags } from './settings.ts';
import { addStatsCommands } from './stats.ts';
import { addTaskCommands } from './task.ts';

/** The `asynq` command line: the commands, flags and words of Go's CLI, with `--output` and completion besides. */
export function asynqProgram(context: Context): Command {
  const { terminal } = context;
  const program = createProgram(
    'asynq',
    'Inspect and manage the queues and tasks of Asynq in Redis.',
    terminal,
  );
  addSettingFlags(program);
  program
    .option(
      '--config <file>',
      'settings, as YAML or JSON; absent, .asynq.yaml (yml, json) of the home folder',
    )
    .addOption(
      new Option('-o, --output <format>', 'how answers are printed').choices(OUTPUT_FORMATS).default('table'),
    );
  addClusterCommand(program, context);
  addCronCommands(program, context);
  addDashCommand(program, context);
  addDoctorCommand(program, context);
  addGroupCommands(program, context);
  addQueueCommands(program, context);
  addServerCommands(program, context);
  addStatsCommands(program, context);
  addTaskCommands(program, context);
  addCompletionCommands(program, context);
  addHelpCommand(program);
  program
    .command('version', { hidden: true })
    .action(() => terminal.out(`asynq version ${packageVersion()}\n`));
  holdsCommands(program);
  helpSection(
    program,
    'LEARN MORE',
    ["Use 'asynq <command> <subcommand> --help' for more about a command."],
    'afterAll',
  );
  withExamples(
    program,
    'asynq stats',
    'asynq queue pause myqueue',
    'asynq task list --queue myqueue --state archived',
  );
  return program;
}

/** Runs what `args` say; the exit code. */
export function runAsynq(args: readonly string[], parts: ContextParts): Promise<number> {
  const program = asynqProgram(new Context(parts));
  return runProgram(program, () => goArguments(program, args), parts.terminal);
}
