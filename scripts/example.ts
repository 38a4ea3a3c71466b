/** `npm run example FILE`: the file as a user of the package has it, on the sources; a clone has no build. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const FROM_SOURCE = new URL('../test/support/from-source.mjs', import.meta.url);

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: npm run example FILE\n');
  process.exitCode = 2;
} else {
  await import(FROM_SOURCE.href);
  await import(pathToFileURL(resolve(file)).href);
}
