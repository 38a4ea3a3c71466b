import { createServer } from 'node:http';
import { connect } from 'node:net';

export interface ForwardProxy extends AsyncDisposable {
  /** As a client's HTTPS_PROXY wants it. */
  readonly url: string;
}

/**
 * Lets those who can reach `address` of this machine reach `host` on port 443, and nothing else: containers whose
 * network leads nowhere get at the npm registry through it.
 */
export async function forwardProxy(address: string, host: string): Promise<ForwardProxy> {
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket, head) => {
    socket.on('error', () => {});
    if (request.url !== `${host}:443`) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const upstream = connect(443, host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, address, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `http://${address}:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
