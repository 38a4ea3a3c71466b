#!lua flags=allow-oom
-- Empties a queue at one stroke, however much is in it: what holds its tasks gets another name, under which they can be
-- deleted bit by bit while the queue is used anew. Go's RemoveQueue, which deletes all in one script and forgets completed
-- and grouped tasks.
--
-- Reads all before it writes: in a slot that is being moved, a group that has left already makes a script fail where it
-- is read.
--
-- KEYS[1] active   KEYS[2] lease   KEYS[3] groups   KEYS[4] aggregation_sets
-- KEYS[5] pending  KEYS[6] scheduled  KEYS[7] retry  KEYS[8] archived  KEYS[9] completed
-- KEYS[10] paused  KEYS[11] processed  KEYS[12] failed
-- ARGV[1] a group's key without its name
-- ARGV[2] a new key without the number of what it holds
-- ARGV[3] 1: whatever is in it; 0: only if it is empty
-- Returns { removed, empty (there was nothing to remove), full or active (nothing was done), how many new keys there are }
local active = redis.call('LLEN', KEYS[1])
if ARGV[3] == '1' and active > 0 then return { 'active', 0 } end

local held, seen = {}, {}
local function hold(key)
  if not seen[key] and redis.call('EXISTS', key) == 1 then held[#held + 1] = key end
  seen[key] = true
end
for i = 5, 9 do hold(KEYS[i]) end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[3])) do hold(ARGV[1] .. name) end
for _, set in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do hold(set) end
if ARGV[3] == '0' and active + #held > 0 then return { 'full', 0 } end

for i, key in ipairs(held) do redis.call('RENAME', key, ARGV[2] .. i) end
local others = redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[10], KEYS[11], KEYS[12])
return { #held + others > 0 and 'removed' or 'empty', #held }
