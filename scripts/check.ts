/** `npm run check`: all that can be said about the code without running it. Quiet when it is well. */
import { availableParallelism } from 'node:os';
import { build } from './build.ts';
import { checkFileSizes } from './check-file-sizes.ts';
import { checkGenerated } from './check-generated.ts';
import { runStep, type Step, tool } from './run-step.ts';

const steps: Step[] = [
  { name: 'typecheck', work: () => tool('tsc', '--noEmit') },
  { name: 'lint', work: () => tool('oxlint', '--type-aware', '--deny-warnings') },
  { name: 'format', work: () => tool('biome', 'ci', '--colors=off') },
  { name: 'import directions', work: () => tool('depcruise', 'src') },
  { name: 'unused code', work: () => tool('knip') },
  { name: 'generated files', work: checkGenerated },
  { name: 'file sizes', work: checkFileSizes },
  {
    name: 'build and package',
    work: async () => {
      await build();
      await tool('publint', '--strict');
    },
  },
];

const started = performance.now();
const failed: string[] = [];
const waiting = [...steps];
async function work(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    if (!(await runStep(step))) failed.push(step.name);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work));
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(failed.length === 0 ? `All checks passed in ${seconds} s` : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
