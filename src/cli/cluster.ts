import type { Command } from 'commander';
import { helpSection, withExamples } from './commands.ts';
import type { Context } from './context.ts';

/** `asynq cluster`: how the queues lie on the nodes. */
export function addClusterCommand(program: Command, context: Context): void {
  const cluster = program
    .command('cluster')
    .description('Show the masters of a Redis Cluster with their slots, replicas and queues')
    .action(async (_, command: Command) => {
      const { readClusterLoad } = await import('./cluster-load.ts');
      const { clusterFindings } = await import('./cluster-report.ts');
      await context.answer(command, async (session) => clusterFindings(await readClusterLoad(session)));
    });
  helpSection(cluster, 'NOTE', [
    'A queue lies in one key slot, so on one master. A queue is hot that has a tenth or more of all pending and active',
    'tasks; several on one master share what that one can do, while another one may be idle.',
  ]);
  withExamples(cluster, 'asynq cluster --cluster_addrs 127.0.0.1:7000', 'asynq cluster --cluster -o json');
}
