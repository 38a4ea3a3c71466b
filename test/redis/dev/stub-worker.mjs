// A worker as the fleet sees one: says over IPC that it is ready, ends on SIGTERM and when its parent is gone.
const { STUB = 'good' } = process.env;

process.on('disconnect', () => process.exit(0));
if (STUB === 'stubborn') process.on('SIGTERM', () => console.log('SIGTERM? no'));
else process.on('SIGTERM', () => process.exit(0));

if (STUB === 'broken') {
  console.log('starting');
  console.error('expected a handler module, got nothing');
  process.exit(1);
}
if (STUB !== 'silent') process.send({ type: 'ready', port: 1 });
if (STUB === 'crash') setTimeout(() => process.exit(3), 50);
console.log(`I am ${process.env.POD_NAME}`);
setInterval(() => {}, 1_000);
