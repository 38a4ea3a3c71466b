import type { ClusterLoad, MasterLoad, QueueLoad } from './cluster-load.ts';
import type { Bold, Findings } from './output.ts';
import { renderTable, visible } from './table.ts';

/** What `asynq cluster` prints. */
export function clusterFindings({ masters, failures }: ClusterLoad): Findings {
  return {
    data: masters.map(({ slotRanges, ...master }) => ({
      ...master,
      slotRanges: slotRanges.map(([from, to]) => ({ from, to })),
    })),
    text: (bold) => clusterText(masters, bold),
    failures,
  };
}

function clusterText(masters: readonly MasterLoad[], bold: Bold): string {
  const queues = masters.flatMap((master) => master.queues.map((queue) => queueRow(master, queue)));
  const crowded = masters.filter(({ sharedByHotQueues }) => sharedByHotQueues.length > 0);
  return [
    `${bold('Masters')}\n`,
    renderTable(['Address', 'ID', 'Slots', 'Slot Ranges', 'Replicas', 'Queues'], masters.map(masterRow)),
    `\n${bold('Queues')}\n`,
    renderTable(['Master', 'Queue', 'Slot', 'Size', 'Pending', 'Active', 'Latency', 'Hot'], queues),
    ...(crowded.length === 0 ? [] : [`\n${bold('Hot Queues That Share a Master')}\n`]),
    ...crowded.map(
      ({ addr, sharedByHotQueues }) => `${addr}: ${sharedByHotQueues.map(visible).join(', ')}\n`,
    ),
  ].join('');
}

function masterRow({ addr, id, slots, slotRanges, replicas, queues }: MasterLoad): string[] {
  const ranges = slotRanges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`));
  const followers = replicas.map((replica) => replica.addr).join(' ');
  return [addr, id, String(slots), ranges.join(' '), followers || '-', String(queues.length)];
}

function queueRow({ addr }: MasterLoad, load: QueueLoad): string[] {
  const { queue, keySlot, size, pending, active, latencySeconds, isHot } = load;
  const latency = latencySeconds === undefined ? '-' : `${latencySeconds.toFixed(1)}s`;
  const counts = [size, pending, active].map((count) => String(count ?? '-'));
  return [addr, queue, String(keySlot), ...counts, latency, isHot ? 'yes' : ''];
}
