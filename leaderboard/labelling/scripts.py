"""The changes of labels that must happen whole, as scripts that Redis runs in one go."""

APPEND = """
-- KEYS: mark, events, unsaved, people, urgent, held, shown, what was just skipped, tallies.
-- ARGV: how many events the caller saw, event, annotator, what is shown ('' if that does not matter), whether it is
--       urgent; then for each change of a tally its key's place among KEYS, its field, and by how much.
-- Returns how many events there are now; 0 if something happened meanwhile, -1 while labels are being restored, -2 of
-- somebody who is held.
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HGET', KEYS[6], ARGV[3]) then return -2 end
local length = redis.call('LLEN', KEYS[2])
if length ~= tonumber(ARGV[1]) then
  return length > 0 and redis.call('LRANGE', KEYS[2], -1, -1)[1] == ARGV[2] and length or 0
end
if ARGV[4] ~= '' then
  if redis.call('GET', KEYS[7]) ~= ARGV[4] then return 0 end
  redis.call('DEL', KEYS[7], KEYS[8])
end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('SADD', KEYS[4], ARGV[3])
if ARGV[5] == '1' then redis.call('SADD', KEYS[5], ARGV[3]) end
for place = 6, #ARGV, 3 do redis.call('HINCRBY', KEYS[tonumber(ARGV[place])], ARGV[place + 1], ARGV[place + 2]) end
return length + 1
"""

SAVED = """
-- KEYS: events, unsaved, urgent, saved. ARGV: how many events were saved, annotator.
redis.call('HSET', KEYS[4], ARGV[2], ARGV[1])
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[2])
return 1
"""

SHOW = """
-- KEYS: shown. ARGV: what is shown so far ('' if nothing), what is to be shown, for how many seconds.
-- Returns what is shown now: somebody may have been shown something else meanwhile.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return held end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return ARGV[2]
"""

SKIP = """
-- KEYS: shown, put off, just skipped. ARGV: what is shown, item. Nothing happens if something else is shown.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for place = 2, 3 do
  local last = redis.call('ZRANGE', KEYS[place], -1, -1, 'WITHSCORES')[2] or 0
  redis.call('ZADD', KEYS[place], last + 1, ARGV[2])
end
redis.call('DEL', KEYS[1])
return 1
"""
