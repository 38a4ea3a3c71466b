import { expect, test } from 'vitest';
import { classifyReplyError } from '../../../src/redis/reply-error.ts';

const ASKED = '10.0.0.1:7000';

test.each([
  ['MOVED 2788 10.0.0.2:7001', { kind: 'moved', slot: 2788, addr: '10.0.0.2:7001' }],
  ['ASK 2788 redis-1.local:7001', { kind: 'ask', addr: 'redis-1.local:7001' }],
  ['MOVED 1 fe80::1:7001', { kind: 'moved', slot: 1, addr: 'fe80::1:7001' }],
  ['NOSCRIPT No matching script. Please use EVAL.', { kind: 'noscript' }],
  ["READONLY You can't write against a read only replica.", { kind: 'readonly' }],
])('%s', (text, refusal) => {
  expect(classifyReplyError(text, ASKED)).toEqual(refusal);
});

test.each(['MOVED 7 :7001', 'MOVED 7 ?:7001'])('"%s" means the host that was asked', (text) => {
  expect(classifyReplyError(text, ASKED)).toEqual({ kind: 'moved', slot: 7, addr: '10.0.0.1:7001' });
});

test.each([
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'CLUSTERDOWN Hash slot not served',
  'CLUSTERDOWN The cluster is down',
  'LOADING Redis is loading the dataset in memory',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'ERR Script attempted to access a non local key in a cluster node script: 6b1, on @user_script:1.',
])('"%s" passes by itself', (text) => {
  expect(classifyReplyError(text, ASKED)).toEqual({ kind: 'again' });
});

test.each([
  ['WRONGPASS invalid username-password pair or user is disabled.', 'ASYNQ_REDIS_AUTH'],
  ['NOAUTH Authentication required.', 'ASYNQ_REDIS_AUTH'],
  ["NOPERM User worker has no permissions to run the 'evalsha' command", 'ASYNQ_REDIS_AUTH'],
  ['ERR This instance has cluster support disabled', 'ASYNQ_REDIS_NOT_A_CLUSTER'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'ASYNQ_REDIS_COMMAND'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'ASYNQ_REDIS_COMMAND'],
  ['BUSYGROUP Consumer Group name already exists', 'ASYNQ_REDIS_COMMAND'],
  ['', 'ASYNQ_REDIS_COMMAND'],
])('"%s" is final: %s', (text, code) => {
  expect(classifyReplyError(text, ASKED)).toEqual({ kind: 'final', code });
});
