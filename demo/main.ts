import { parseArgs } from 'node:util';
import { errorText } from '../src/runtime/errors.ts';
import { StopSignals } from '../src/runtime/lifecycle.ts';
import { runDemo } from './run.ts';

/** `npm run demo [-- --output json]` */
try {
  const { output } = parseArgs({ options: { output: { type: 'string', default: 'text' } } }).values;
  if (output !== 'text' && output !== 'json')
    throw new Error(`--output: expected text or json, got ${output}`);
  using signals = new StopSignals();
  process.exitCode = await runDemo({ output, signals });
} catch (error) {
  process.stderr.write(`error: ${errorText(error)}\n`);
  process.exitCode = 1;
}
