"""The changes of the ledger that must happen whole, as scripts that Redis runs in one go."""

CREATE = """
-- KEYS: mark, submission, events, submissions, unsaved, active, counted of all, counted of its submitter, entered by
--       its submitter; for each run the fingerprint of what it covers, for each run its state.
-- ARGV: id, JSON, number of runs, time, between which times others count (two), how many of each of these three
--       may (-1: as many as they like), whether this one counts, state of its runs; the first events; the state of the
--       site and its field of a pause, '' where that does not matter.
-- Returns its id; or why it was not entered: a word, or where a run is known, for each run the id of what covers it,
-- '' where nothing does.
if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
local runs = tonumber(ARGV[3])
local site = ARGV[12 + runs]
if site ~= '' and redis.call('HGET', site, ARGV[13 + runs]) then return 'paused' end
local known, covered = {}, false
for run = 1, runs do
  known[run] = redis.call('GET', KEYS[9 + run]) or ''
  covered = covered or known[run] ~= ''
end
if covered then return known end
if redis.call('EXISTS', KEYS[2]) == 1 then return 'taken' end
for place = 7, 9 do
  local limit = tonumber(ARGV[place])
  if limit >= 0 and redis.call('ZCOUNT', KEYS[place], ARGV[5], ARGV[6]) >= limit then return 'quota' end
end
if ARGV[10] == '1' then
  redis.call('ZREMRANGEBYSCORE', KEYS[9], '-inf', ARGV[5])
  for place = 7, 9 do redis.call('ZADD', KEYS[place], ARGV[4], ARGV[1]) end
end
redis.call('SET', KEYS[2], ARGV[2])
for run = 1, runs do
  redis.call('SET', KEYS[9 + run], ARGV[1])
  redis.call('SET', KEYS[9 + runs + run], ARGV[11])
  redis.call('RPUSH', KEYS[3], ARGV[11 + run])
end
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
redis.call('SADD', KEYS[6], ARGV[1])
return ARGV[1]
"""

NUMBERED = """
local function numbered(event, sequence)
  return (string.gsub(event, '"sequence":1,', '"sequence":' .. sequence .. ',', 1))
end
local function is_last(events, event, length)
  return length > 0 and redis.call('LRANGE', events, -1, -1)[1] == numbered(event, length)
end
"""
"""Gives an event its number; and finds an event that was added already, when the answer to that was lost."""

NOTE_ACT = """
local function note_act(list, act)
  if list ~= '' then redis.call('RPUSH', list, numbered(act, redis.call('LLEN', list) + 1)) end
end
"""
"""Appends what a maintainer does to the log. The log is named among the arguments and not among the keys, '' where no
maintainer acts: who may run a script on a key may do anything to it, and nobody may do more to the log than append."""

MOVE = f"""
-- KEYS: state, events, unsaved, active, urgent.
-- ARGV: before, after, transition, submission id, whether it ends there, log of maintainers, entry.
-- Moves a run if it is still where the caller saw it; the list's length gives the transition its sequence number.
{NUMBERED}
{NOTE_ACT}
local length = redis.call('LLEN', KEYS[2])
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return is_last(KEYS[2], ARGV[3], length) and length or 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('RPUSH', KEYS[2], numbered(ARGV[3], length + 1))
redis.call('SADD', KEYS[3], ARGV[4])
redis.call('SADD', KEYS[4], ARGV[4])
if ARGV[5] == '1' then redis.call('SADD', KEYS[5], ARGV[4]) end
note_act(ARGV[6], ARGV[7])
return length + 1
"""

AMEND = f"""
-- KEYS: events, unsaved, urgent.
-- ARGV: how many events the caller saw, amendment, submission id, log of maintainers, entry.
{NUMBERED}
{NOTE_ACT}
local length = redis.call('LLEN', KEYS[1])
if length ~= tonumber(ARGV[1]) then return is_last(KEYS[1], ARGV[2], length) and length or 0 end
redis.call('RPUSH', KEYS[1], numbered(ARGV[2], length + 1))
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('SADD', KEYS[3], ARGV[3])
note_act(ARGV[4], ARGV[5])
return length + 1
"""

SAVED = """
-- KEYS: events, unsaved, urgent, active, counted of all, counted of the submitter.
-- ARGV: how many events were saved, submission id, whether it has ended, whether it counts, time.
-- A submission is saved only if nothing has happened since its history was read.
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[3], ARGV[2])
if ARGV[3] == '1' then redis.call('SREM', KEYS[4], ARGV[2]) end
for place = 5, 6 do
  redis.call('ZREM', KEYS[place], ARGV[2])
  if ARGV[4] == '1' then redis.call('ZADD', KEYS[place], ARGV[5], ARGV[2]) end
end
return 1
"""

FORGET = """
-- KEYS: fingerprints. ARGV: submission id. What another submission covers by now stays covered.
for place = 1, #KEYS do
  if redis.call('GET', KEYS[place]) == ARGV[1] then redis.call('DEL', KEYS[place]) end
end
return 1
"""

PLAN = """
-- KEYS: plan, progress. ARGV: plan, then names and values of what is counted against. Of several plans the first stays.
if redis.call('SETNX', KEYS[1], ARGV[1]) == 0 then return 0 end
for place = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[place], ARGV[place + 1]) end
return 1
"""
