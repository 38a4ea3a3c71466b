#!/usr/bin/env node
import { runAsynq } from '../cli/asynq.ts';
import { processTerminal } from '../cli/process-terminal.ts';

process.exitCode = await runAsynq(process.argv.slice(2), { terminal: processTerminal() });
