// Makes one digest of the events of each user, and prints it. Ctrl-C ends it.
//
//   ASYNQ_REDIS_ADDRS=127.0.0.1:7000 npm run example examples/groups.ts
import { Client, runServer, Server, Task } from 'asynq-operator';

const addrs = (process.env['ASYNQ_REDIS_ADDRS'] ?? '127.0.0.1:7000').split(',');

const client = new Client({ addrs });
for (const user of ['Ana', 'Luis']) {
  for (const what of ['follow', 'like', 'reply']) {
    await client.enqueue(new Task('event', { what }, { queue: 'events', group: user }));
  }
}
await client.close();

const server = new Server(
  { addrs },
  {
    queues: { events: 1 },
    // A group is ready when it has three tasks, or ten seconds after the last has come.
    groupMaxSize: 3,
    groupGracePeriod: 10_000,
    groupAggregator: (user, events) => {
      const what = events.map(({ payload }) => payload.getString('what'));
      return new Task('digest', { user, what: what.toSorted() });
    },
  },
);

await runServer(server, ({ payload }) => {
  console.log(`${payload.getString('user')}: ${payload.getStringSlice('what').join(', ')}`);
});
