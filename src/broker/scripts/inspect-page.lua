#!lua flags=no-writes
-- Tasks of a list or set in their order: of a list, from the next to run to the last. Go's ListPending and the like.
--
-- KEYS[1] the list or set
-- KEYS[2] lease, if the tasks are active
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] how many tasks to pass over
-- ARGV[3] how many tasks, at most
-- ARGV[4] bytes of messages and results after which no further task is taken
-- Returns { id, score, message, result, ... } with false for none; the score of an active task is that of its lease
local skip, most, budget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- Ids and scores by turns; scores false in a list.
local found = {}
if redis.call('TYPE', KEYS[1]).ok == 'list' then
  local ids = redis.call('LRANGE', KEYS[1], -skip - most, -skip - 1)
  for i = #ids, 1, -1 do
    found[#found + 1] = ids[i]
    found[#found + 1] = KEYS[2] and redis.call('ZSCORE', KEYS[2], ids[i]) or false
  end
else
  found = redis.call('ZRANGE', KEYS[1], skip, skip + most - 1, 'WITHSCORES')
end

local reply, bytes = {}, 0
for i = 1, #found, 2 do
  if bytes >= budget then break end
  local task = redis.call('HMGET', ARGV[1] .. found[i], 'msg', 'result')
  bytes = bytes + #(task[1] or '') + #(task[2] or '')
  for _, field in ipairs({ found[i], found[i + 1], task[1], task[2] }) do reply[#reply + 1] = field end
end
return reply
