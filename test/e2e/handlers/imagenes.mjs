// Takes as long as its task says, and tells in Redis what it began and what it finished, and where.
import { setTimeout as delay } from 'node:timers/promises';
import { ServeMux } from 'asynq-operator';
import { Cluster } from 'ioredis';

const { ASYNQ_REDIS_ADDRS, ASYNQ_REDIS_PASSWORD, POD_NAME } = process.env;
const redis = new Cluster(ASYNQ_REDIS_ADDRS.split(','), {
  redisOptions: { password: ASYNQ_REDIS_PASSWORD, protocol: 2 },
});

const mux = new ServeMux();
mux.handle('imágenes:resize', async (task, { taskId, signal }) => {
  await redis.rpush('{e2e}:began', `${taskId} ${POD_NAME}`);
  await delay(task.payload.getInt('ms'), undefined, { signal });
  await redis.rpush('{e2e}:finished', `${taskId} ${POD_NAME}`);
});
export default mux;
