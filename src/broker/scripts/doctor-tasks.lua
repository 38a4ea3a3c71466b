#!lua flags=no-writes
-- The messages of some tasks, and whether each is in one of the sets in which it can be. Those of lists and of aggregation
-- sets are not looked for here.
--
-- KEYS[1..4] scheduled, retry, archived, completed
-- KEYS[5..]  the hash of each task
-- ARGV[1]    a hash's key without the task's id
-- ARGV[2]    a group's key without its name
-- ARGV[3]    bytes of messages after which no further task is looked at
-- Returns for each task that was looked at: state or false, message or false, 1: it is in a set, 0: it is in none, false:
-- it is gone
local results, bytes = {}, 0

local function is_in_set(id, group)
  for i = 1, 4 do
    if redis.call('ZSCORE', KEYS[i], id) then return true end
  end
  return group and redis.call('ZSCORE', ARGV[2] .. group, id)
end

for i = 5, #KEYS do
  if bytes >= tonumber(ARGV[3]) then break end
  local at = #results
  for n = 1, 3 do results[at + n] = false end
  if redis.call('TYPE', KEYS[i]).ok == 'hash' then
    local task = redis.call('HMGET', KEYS[i], 'state', 'msg', 'group')
    results[at + 1], results[at + 2] = task[1], task[2]
    results[at + 3] = is_in_set(string.sub(KEYS[i], #ARGV[1] + 1), task[3]) and 1 or 0
    if task[2] then bytes = bytes + #task[2] end
  end
end
return results
