import { main } from '../../src/bin/worker.ts';

// The worker command as a process of its own.
process.exitCode = await main({ port: 0, host: '127.0.0.1', logLevel: 'info' });
