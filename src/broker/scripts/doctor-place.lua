#!lua flags=allow-oom
-- One page of a list or set of task ids: those whose task is gone, and what is amiss between active and lease. Mends it in
-- the same instant when told to, so that nothing is taken for broken that was so a moment ago.
--
-- Mended: an id without a message is taken out, with what may be left of its hash; an active task without a lease gets
-- one, which its worker goes on with if it lives, and whose end brings it back if not; a lease that is over, of a task
-- that is not active, goes. One that stands is left: active may be what was lost, and a worker goes on.
--
-- KEYS[1] the list or set
-- KEYS[2] active
-- KEYS[3] lease
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] where the last page ended; 0 at first
-- ARGV[3] how many ids, about
-- ARGV[4] 1: mend
-- ARGV[5] Unix second in which new leases end
-- ARGV[6] now, Unix seconds
-- Returns { where to go on or 'end', { id of a list, ... }, { id without a task, ... }, { id without its counterpart, ... } }
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'zset' then return { 'end', {}, {}, {} } end
local is_list = kind == 'list'
local count, mend = tonumber(ARGV[3]), ARGV[4] == '1'
local is_active, is_lease = KEYS[1] == KEYS[2], KEYS[1] == KEYS[3]
local ids, next_page = {}, 'end'
if is_list then
  -- From the left: what is pushed there meanwhile is seen twice at worst, and what goes at the right is not missed.
  ids = redis.call('LRANGE', KEYS[1], ARGV[2], ARGV[2] + count - 1)
  if #ids == count then next_page = tostring(math.floor(ARGV[2] + count)) end
else
  local page = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', count)
  if page[1] ~= '0' then next_page = page[1] end
  for i = 1, #page[2], 2 do
    local stands = is_lease and tonumber(page[2][i + 1]) > tonumber(ARGV[6])
    if not stands then ids[#ids + 1] = page[2][i] end
  end
end

-- Read once: each lease of a page would be sought in all of it.
local active = {}
if is_lease and #ids > 0 then
  for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do active[id] = true end
end

local kept, gone, alone = {}, {}, {}
local places = {}
for i, id in ipairs(ids) do
  local is_leased_and_active = is_lease and active[id]
  if redis.call('HEXISTS', ARGV[1] .. id, 'msg') == 0 then
    -- Active has it, too, and it counts there.
    if not is_leased_and_active then
      gone[#gone + 1] = id
      places[#places + 1] = i - 1
    end
  else
    if is_list then kept[#kept + 1] = id end
    if is_active and not redis.call('ZSCORE', KEYS[3], id) or is_lease and not is_leased_and_active then
      alone[#alone + 1] = id
    end
  end
end
if not mend then return { next_page, kept, gone, alone } end

if is_list and #gone > 0 then
  -- One pass over the list, however many they are. No task has this id.
  local grave = 'asynq-operator:removed'
  for _, place in ipairs(places) do redis.call('LSET', KEYS[1], ARGV[2] + place, grave) end
  redis.call('LREM', KEYS[1], 0, grave)
  if next_page ~= 'end' then next_page = tostring(math.floor(next_page - #gone)) end
end
for _, id in ipairs(gone) do
  if not is_list then redis.call('ZREM', KEYS[1], id) end
  if is_active then redis.call('ZREM', KEYS[3], id) end
  redis.call('DEL', ARGV[1] .. id)
end
for _, id in ipairs(alone) do
  if is_active then
    redis.call('ZADD', KEYS[3], 'NX', ARGV[5], id)
  else
    redis.call('ZREM', KEYS[3], id)
  end
end
return { next_page, kept, gone, alone }
