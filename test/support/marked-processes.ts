import { readdir, readFile } from 'node:fs/promises';

/** Variable by which processes of one test are known, however deep they descend from it. */
export const MARK = 'TEST_PROCESS_MARK';

/**
 * Command lines of the processes that carry `mark` in their environment. Of zombies nothing is left but a number: they
 * do not count. Linux only.
 */
export async function markedProcesses(mark: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await read(pid, 'environ');
      return environment.includes(`${MARK}=${mark}\0`) ? [`${pid} ${await read(pid, 'cmdline')}`] : [];
    }),
  );
  return found.flat().map((line) => line.replaceAll('\0', ' ').trim());
}

/** Empty when the process ended meanwhile, or is not ours to look at. */
function read(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
