import { parseArgs } from 'node:util';
import { errorText } from '../src/runtime/errors.ts';
import { StopSignals } from '../src/runtime/lifecycle.ts';
import { runDemo } from './run.ts';

const HELP = `npm run demo -- [--output text|json] [--help]

A Redis Cluster, three queues, a burst of tasks and a steady load: watch the
workers rise from zero and leave again. Half a minute.

  --output text   a live table, or lines where stdout is no terminal (default)
  --output json   nothing but the result, as one line of JSON:
                  npm run --silent demo -- --output json
`;

/** `npm run demo [-- --output json]` */
try {
  const { output, help } = parseArgs({
    options: { output: { type: 'string', default: 'text' }, help: { type: 'boolean', short: 'h' } },
  }).values;
  if (output !== 'text' && output !== 'json')
    throw new Error(`--output: expected text or json, got ${output}`);
  using signals = new StopSignals();
  if (help === true) process.stdout.write(HELP);
  else process.exitCode = await runDemo({ output, signals });
} catch (error) {
  process.stderr.write(`error: ${errorText(error)}\n`);
  process.exitCode = 1;
}
