#!lua flags=no-writes
-- How much memory a queue takes, estimated from some tasks of each state. Go's memoryUsage; unlike there, a task that is
-- gone spoils nothing, and a server that does not tell is no failure.
--
-- KEYS[1] pending   KEYS[2] active   KEYS[3] scheduled   KEYS[4] retry   KEYS[5] archived   KEYS[6] completed
-- KEYS[7] groups
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] a group's key without its name
-- ARGV[3] tasks asked of each list or set, at most
-- ARGV[4] groups asked, at most
-- ARGV[5] tasks in all groups
-- Returns bytes; false when the server does not tell
local most = tonumber(ARGV[3])
local forbidden = false

local function bytes_of(key)
  local bytes = redis.pcall('MEMORY', 'USAGE', key)
  if type(bytes) == 'table' then forbidden = true end
  return type(bytes) == 'number' and bytes or nil
end

-- Bytes of the tasks that are there, and their number.
local function weigh(ids)
  local all, found = 0, 0
  for _, id in ipairs(ids) do
    local bytes = bytes_of(ARGV[1] .. id)
    if bytes then all, found = all + bytes, found + 1 end
  end
  return all, found
end

local function estimate(bytes, found, count)
  return found > 0 and bytes / found * count or 0
end

local total = 0
for i = 1, 6 do
  local count, ids
  if i <= 2 then
    count, ids = redis.call('LLEN', KEYS[i]), redis.call('LRANGE', KEYS[i], 0, most - 1)
  else
    count, ids = redis.call('ZCARD', KEYS[i]), redis.call('ZRANGE', KEYS[i], 0, most - 1)
  end
  local bytes, found = weigh(ids)
  total = total + estimate(bytes, found, count) + (count > 0 and bytes_of(KEYS[i]) or 0)
end

local bytes, found = 0, 0
for _, name in ipairs(redis.call('SRANDMEMBER', KEYS[7], tonumber(ARGV[4]))) do
  local more, tasks = weigh(redis.call('ZRANGE', ARGV[2] .. name, 0, most - 1))
  bytes, found = bytes + more, found + tasks
end
total = total + estimate(bytes, found, tonumber(ARGV[5]))

if forbidden then return false end
return math.floor(total)
