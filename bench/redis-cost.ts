import type { RedisRouter } from '../src/index.ts';

/** What the master of a queue has spent since its start. */
export interface RedisCost {
  /** CPU seconds. */
  readonly seconds: number;
  /** Bytes that went to its replicas. */
  readonly replicated: number;
}

export async function redisCost(router: RedisRouter, queue: string): Promise<RedisCost> {
  const key = `asynq:{${queue}}:pending`;
  const info = async (section: string) => String(await router.command(key, 'INFO', [section]));
  const [cpu, replication] = await Promise.all([info('cpu'), info('replication')]);
  return {
    seconds: field(cpu, 'used_cpu_user') + field(cpu, 'used_cpu_sys'),
    replicated: field(replication, 'master_repl_offset'),
  };
}

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([0-9.]+)`, 'm').exec(info)?.[1]);
}
