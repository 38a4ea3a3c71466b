import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';
/**
 * Ports below the ranges from which kernels pick ports of outgoing connections: a server that is stopped and started
 * again must find its port free, whatever its clients do meanwhile.
 */
const LOWEST = 10_240;
const HIGHEST = 32_000;
const ATTEMPTS = 3;

/** `count` different ports that nothing listens on at `host` right now. */
async function freePorts(count: number, host = LOOPBACK): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!found.has(port) && (await isFree(port, host))) found.add(port);
  }
  return [...found];
}

/** Starts something on free ports, again on others when a neighbour took one of them in between. */
export async function onFreePorts<T>(
  count: number,
  host: string | undefined,
  start: (ports: number[]) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePorts(count, host));
    } catch (error) {
      if (attempt === ATTEMPTS || !/address already in use/i.test(String(error))) throw error;
    }
  }
}

export function isFree(port: number, host = LOOPBACK): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
