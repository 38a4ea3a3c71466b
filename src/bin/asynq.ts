#!/usr/bin/env node
import { asynqProgram } from '../cli/asynq.ts';
import { processTerminal } from '../cli/process-terminal.ts';
import { runProgram } from '../cli/program.ts';

const terminal = processTerminal();
process.exitCode = await runProgram(asynqProgram(terminal), process.argv.slice(2), terminal);
