#!/usr/bin/env node
import { processTerminal } from '../cli/process-terminal.ts';
import { createProgram, ExitCode, runProgram } from '../cli/program.ts';

// Each command is loaded when it is called: the Kubernetes client alone costs the others a second and 100 MB.
const terminal = processTerminal();
const program = createProgram('asynq-operator', 'Scale the workers of Asynq queues.', terminal);

program
  .command('validate')
  .description('Judge AsynqQueue manifests as the API server would')
  .requiredOption('-f, --filename <path...>', 'files and folders; - is standard input')
  .action(async ({ filename }: { filename: string[] }) => {
    const { validateManifests } = await import('../operator/validate.ts');
    const { text } = await import('node:stream/consumers');
    const { notes, faults } = await validateManifests(filename, () => text(process.stdin));
    for (const note of notes) terminal.out(`${note}\n`);
    for (const fault of faults) terminal.err(`error: ${fault}\n`);
    if (faults.length > 0) throw new ExitCode(1);
  });

process.exitCode = await runProgram(program, process.argv.slice(2), terminal);
