import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The executable's full path, or undefined when no folder of PATH holds it. */
export function findOnPath(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
