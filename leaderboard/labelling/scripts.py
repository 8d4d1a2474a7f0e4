"""The changes of labels that must happen whole, as scripts that Redis runs in one go."""

APPEND = """
-- KEYS: mark, events, unsaved, people, urgent, shown, tallies.
-- ARGV: how many events the caller saw, event, annotator, what is shown ('' if that does not matter), whether it is
--       urgent; then for each change of a tally its key's place among KEYS, its field, and by how much.
-- Returns how many events there are now; 0 if something happened meanwhile, -1 while labels are being restored.
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local length = redis.call('LLEN', KEYS[2])
if length ~= tonumber(ARGV[1]) then
  return length > 0 and redis.call('LRANGE', KEYS[2], -1, -1)[1] == ARGV[2] and length or 0
end
if ARGV[4] ~= '' then
  if redis.call('GET', KEYS[6]) ~= ARGV[4] then return 0 end
  redis.call('DEL', KEYS[6])
end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
if ARGV[5] == '1' then redis.call('SADD', KEYS[5], ARGV[3]) end
for place = 6, #ARGV, 3 do redis.call('HINCRBY', KEYS[tonumber(ARGV[place])], ARGV[place + 1], ARGV[place + 2]) end
return length + 1
"""

SAVED = """
-- KEYS: events, unsaved, urgent. ARGV: how many events were saved, annotator.
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[2])
return 1
"""
