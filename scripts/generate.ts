/** `npm run generate`: runs every generator, scripts/generate-*.ts. */
import { globSync } from 'node:fs';
import { runStep, tool } from './run-step.ts';

for (const file of globSync('scripts/generate-*.ts').toSorted()) {
  if (!(await runStep({ name: file, work: () => tool('node', file) }))) process.exitCode = 1;
}
