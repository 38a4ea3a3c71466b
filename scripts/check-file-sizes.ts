import { glob, readFile } from 'node:fs/promises';

/** A longer file has two subjects. */
const MAX_LINES = 300;

export async function checkFileSizes(): Promise<void> {
  const tooLong: string[] = [];
  for await (const file of glob('src/**/*.{ts,lua}', { exclude: ['src/**/gen/**'] })) {
    const lines = (await readFile(file, 'utf8')).split('\n').length - 1;
    if (lines > MAX_LINES) tooLong.push(`${file} has ${lines} lines, more than ${MAX_LINES}: split it`);
  }
  if (tooLong.length > 0) throw new Error(tooLong.join('\n'));
}
