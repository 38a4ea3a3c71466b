#!lua flags=allow-oom
-- Deletes what is left of a removed queue, unless the queue is used anew.
--
-- KEYS[1] pending  KEYS[2] scheduled  KEYS[3] retry  KEYS[4] archived  KEYS[5] completed
-- KEYS[6] active   KEYS[7] groups     KEYS[8] aggregation_sets
-- KEYS[9..] keys to delete
-- Returns 1: deleted; 0: the queue is used
for i = 1, 8 do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
for i = 9, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
