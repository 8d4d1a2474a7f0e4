"""The changes of objections that must happen whole, as scripts that Redis runs in one go."""

from __future__ import annotations

from leaderboard.submissions.scripts import NOTE_ACT, NUMBERED

ENTER = """
-- KEYS: mark, objection, all, those that wait, unsaved, those of the person, those about the submitter.
-- ARGV: id, JSON, time, between which times others of the person count (two), how many of these may, how many may wait.
-- Returns 'entered', or a word that says why it was not.
if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
local known = redis.call('GET', KEYS[2])
if known then return known == ARGV[2] and 'entered' or 'known' end
if redis.call('ZCOUNT', KEYS[6], ARGV[4], ARGV[5]) >= tonumber(ARGV[6]) then return 'quota' end
if redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[7]) then return 'full' end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[5], ARGV[1])
for _, place in ipairs({3, 4, 6, 7}) do redis.call('ZADD', KEYS[place], ARGV[3], ARGV[1]) end
return 'entered'
"""

REPLY = f"""
-- KEYS: mark, objection, those that wait, unsaved, those that were accepted on the same answer.
-- ARGV: id, JSON as it was seen, JSON with the reply, time, whether it is accepted, log of maintainers, entry.
-- Returns 'replied', 'lost', or 'moved' if somebody else has replied meanwhile.
{NUMBERED}
{NOTE_ACT}
if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
local known = redis.call('GET', KEYS[2])
if known ~= ARGV[2] then return known == ARGV[3] and 'replied' or 'moved' end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('SADD', KEYS[4], ARGV[1])
if ARGV[5] == '1' then redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1]) end
note_act(ARGV[6], ARGV[7])
return 'replied'
"""

SAVED = """
-- KEYS: objection, unsaved. ARGV: id, JSON as it was saved. What has happened since is saved later.
if redis.call('GET', KEYS[1]) == ARGV[2] then redis.call('SREM', KEYS[2], ARGV[1]) end
return 1
"""
