#!lua flags=allow-oom
-- Moves tasks of a list or set to archived, and drops from there what is too old or too much. Go's ArchiveTask and
-- ArchiveAll; unlike there, what is dropped leaves neither its hash nor its lock behind, and one call drops no more than a
-- bounded number. An id without a message is dropped.
--
-- KEYS[1]    the list or set
-- KEYS[2]    groups
-- KEYS[3]    archived
-- KEYS[4..]  the hash of each task
-- ARGV[1..4] see taking.lua
-- ARGV[5]    now, Unix seconds
-- ARGV[6]    Unix second up to which archived tasks are dropped
-- ARGV[7]    archived tasks that may stay
-- Returns for each task 1: moved; 2: dropped; 0: it was not there
-- include: taking.lua
local function archive(task)
  local id = id_of(task)
  if not take(id) then return resent and redis.call('HGET', task, 'state') == 'archived' and 1 or 0 end
  if is_gone(task) then return 2 end
  redis.call('ZADD', KEYS[3], ARGV[5], id)
  redis.call('HSET', task, 'state', 'archived')
  return 1
end

local function drop(ids)
  for _, id in ipairs(ids) do
    local task = ARGV[2] .. id
    local lock = redis.pcall('HGET', task, 'unique_key')
    -- A hash that has left already, its slot being on the move, keeps its place until it can be dropped whole.
    if type(redis.pcall('DEL', task)) == 'number' then
      redis.call('ZREM', KEYS[3], id)
      if type(lock) == 'string' and redis.pcall('GET', lock) == id then redis.pcall('DEL', lock) end
    end
  end
end

local results, archived = {}, 0
for i = 4, #KEYS do
  local result = archive(KEYS[i])
  results[i - 3] = result
  if result == 1 then archived = archived + 1 end
end
leave_group()
if archived > 0 then
  local most = archived + 100
  drop(redis.call('ZRANGE', KEYS[3], '-inf', ARGV[6], 'BYSCORE', 'LIMIT', 0, most))
  local excess = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[7])
  if excess > 0 then drop(redis.call('ZRANGE', KEYS[3], 0, math.min(excess, most) - 1)) end
end
return results
