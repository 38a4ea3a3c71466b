#!lua flags=no-writes
-- The figures of a queue, all of one instant. Go's CurrentStats; unlike there, the stamp is the earliest of several, since
-- a task that was given back is the next to run and not the one that waits longest.
--
-- KEYS[1] pending    KEYS[2] active        KEYS[3] scheduled  KEYS[4] retry  KEYS[5] archived  KEYS[6] completed
-- KEYS[7] groups     KEYS[8] paused
-- KEYS[9] processed of today  KEYS[10] failed of today  KEYS[11] processed  KEYS[12] failed
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] a group's key without its name
-- ARGV[3] of more groups than this, the tasks are not counted
-- Returns { pending, active, scheduled, retry, archived, completed, groups, tasks in groups or false, earliest stamp or
-- false, whether it is paused, processed of today, failed of today, processed, failed }; the last four false for none
local STAMPS = 16 -- tasks next to run that are asked since when they wait
local DIGITS = 19 -- of Unix nanoseconds, until the year 2286; compared as texts, since a double does not hold them

local earliest = false
for _, id in ipairs(redis.call('LRANGE', KEYS[1], -STAMPS, -1)) do
  local stamp = redis.call('HGET', ARGV[1] .. id, 'pending_since')
  if stamp and #stamp == DIGITS and (not earliest or stamp < earliest) then earliest = stamp end
end

local groups, grouped = redis.call('SCARD', KEYS[7]), false
if groups <= tonumber(ARGV[3]) then
  grouped = 0
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[7])) do
    grouped = grouped + redis.call('ZCARD', ARGV[2] .. name)
  end
end

local reply = { redis.call('LLEN', KEYS[1]), redis.call('LLEN', KEYS[2]) }
for i = 3, 6 do reply[i] = redis.call('ZCARD', KEYS[i]) end
reply[7], reply[8], reply[9] = groups, grouped, earliest
reply[10] = redis.call('EXISTS', KEYS[8])
for i, figure in ipairs(redis.call('MGET', KEYS[9], KEYS[10], KEYS[11], KEYS[12])) do reply[10 + i] = figure end
return reply
