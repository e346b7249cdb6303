/*
 * redis_script - what Redis runs for one call: it asks all limits of the call
 * and, if all allow, counts it in all of them.  Nothing else runs meanwhile.
 *
 * KEYS  the mark of this client, then three for each limit: what was counted,
 *       what is kept for the counter, and its values ("per") that live
 * ARGV  the mode, the number of the question, and the name of the call; then
 *       seven for each limit: its max and window, the largest max and the
 *       windows of its counter, the amount ("" if calls are counted), how many
 *       values may live ("0": no per), and the value ("0": that used most)
 * modes ask, count, repeat (count, unless it was counted already), and delete
 *
 * Returns integers: the number of the question, 1 or 0 for yes or no, and four
 * for each limit: how long to wait (0: it allows, -1: always), millions and
 * rest of what is used, and how many values live (negative: too many).
 *
 * Times are in microseconds, by the server's clock.  Calls are members of a
 * sorted set, by time: what is exactly a window old has left it.  Sums lie in
 * a hash: field "WINDOW:PART" is what was counted in that part, a 64th of the
 * window, in millionths; a part counts until all of it has left.  Numbers of
 * Lua are doubles, exact up to 2^53: so a sum is two of them, millions and
 * rest.  kept is a hash of windows, the longest of calls with the largest max:
 * other policies of the grant may have others.
 *
 * For redis.c alone.
 */
#ifndef POLICIES_REDIS_SCRIPT_H
#define POLICIES_REDIS_SCRIPT_H

/* EVALSHA names a script by the SHA-1 of its text. */
#define REDIS_SCRIPT_SHA1 "905e61410d51ac58bd95f9cfdf76c1da2589626c"

/* clang-format off */
#define REDIS_SCRIPT \
"local mode, call, floor = ARGV[1], redis.call, math.floor\n"                  \
"local t = call('TIME')\n"                                                     \
"local now = t[1] * 1000000 + t[2]\n"                                          \
"local out, yes, seen = {tonumber(ARGV[2]), 1}, true, {}\n"                    \
"local function int(n) return string.format('%.0f', n) end\n"                  \
                                                                               \
/* The answer of a call that was counted was lost on its way. */               \
"if mode == 'repeat' and call('GET', KEYS[1]) == ARGV[3] then return out end\n"\
"if mode == 'delete' then\n"                                                   \
 "for _, v in ipairs(call('ZRANGE', KEYS[4], 0, -1)) do\n"                     \
  "call('DEL', KEYS[2] .. ':' .. v)\n"                                         \
 "end\n"                                                                       \
 "call('DEL', KEYS[2], KEYS[3], KEYS[4])\n"                                    \
 "return out\n"                                                                \
"end\n"                                                                        \
                                                                               \
/* How long to wait, millions used, rest. */                                   \
"local function calls(data, max, w)\n"                                         \
 "local used = call('ZCOUNT', data, '(' .. int(now - w), '+inf')\n"            \
 "max = tonumber(max)\n"                                                       \
 "if used < max then return 0, 0, used end\n"                                  \
 "if max == 0 then return -1, 0, used end\n"                                   \
 "local last = call('ZRANGE', data, -max, -max, 'WITHSCORES')\n"               \
 "return last[2] + w - now, 0, used\n"                                         \
"end\n"                                                                        \
                                                                               \
"local function split(s)\n"                                                    \
 "return tonumber(s:sub(1, -7)) or 0, tonumber(s:sub(-6))\n"                   \
"end\n"                                                                        \
                                                                               \
/* The parts of a sum: of[window][part] is {millions, rest}. */                \
"local function load(data)\n"                                                  \
 "local of, all = {}, call('HGETALL', data)\n"                                 \
 "for i = 1, #all, 2 do\n"                                                     \
  "local w, p = all[i]:match('(%d+):(%d*)')\n"                                 \
  "w = tonumber(w)\n"                                                          \
  "of[w] = of[w] or {}\n"                                                      \
  "if p ~= '' then of[w][tonumber(p)] = {split(all[i + 1])} end\n"             \
 "end\n"                                                                       \
 "return of\n"                                                                 \
"end\n"                                                                        \
                                                                               \
/* A new window begins with what the next longer one knows, or else the */     \
/* longest: each of its parts as late as it can have been, so never looser. */ \
"local function begin(d, w)\n"                                                 \
 "if d.of[w] then return end\n"                                                \
 "local from, new = nil, {}\n"                                                 \
 "for v in pairs(d.of) do\n"                                                   \
  "if not d.new[v] and (not from or (v > w and (from < w or v < from)) or\n"   \
    "(v < w and from < v)) then\n"                                             \
   "from = v\n"                                                                \
  "end\n"                                                                      \
 "end\n"                                                                       \
 "for p, s in pairs(from and d.of[from] or {}) do\n"                           \
  "p = floor(math.min((p + 1) * (from / 64) - 1, now) / (w / 64))\n"           \
  "local to = new[p] or {0, 0}\n"                                              \
  "new[p] = {to[1] + s[1], to[2] + s[2]}\n"                                    \
 "end\n"                                                                       \
 "d.of[w], d.new[w] = new, true\n"                                             \
"end\n"                                                                        \
                                                                               \
"local function sum(d, max, w)\n"                                              \
 "begin(d, w)\n"                                                               \
 "local parts, width, h, l, wait = {}, w / 64, 0, 0, 0\n"                      \
 "local first = floor(now / width) - 64\n"                                     \
 "for p, s in pairs(d.of[w]) do\n"                                             \
  "if p >= first then\n"                                                       \
   "parts[#parts + 1], h, l = p, h + s[1], l + s[2]\n"                         \
  "end\n"                                                                      \
 "end\n"                                                                       \
 "local used, rest = h + floor(l / 1000000), l % 1000000\n"                    \
 "local mh, ml = split(max)\n"                                                 \
 "local ah, al = split(d.amount)\n"                                            \
 /* A large difference need not be exact to have the right sign. */            \
 "local function over() return (h + ah - mh) * 1000000 + l + al - ml > 0 end\n"\
 "if over() then table.sort(parts) end\n"                                      \
 "for _, p in ipairs(parts) do\n"                                              \
  "if not over() then break end\n"                                             \
  "local s = d.of[w][p]\n"                                                     \
  "h, l, wait = h - s[1], l - s[2], (p + 65) * width - now\n"                  \
 "end\n"                                                                       \
 "return over() and -1 or wait, used, rest\n"                                  \
"end\n"                                                                        \
                                                                               \
"local function look(d, data, max, w)\n"                                       \
 "if d.amount == '' then return calls(data, max, w) end\n"                     \
 "if d.data ~= data then d.data, d.of, d.new = data, load(data), {} end\n"     \
 "return sum(d, max, w)\n"                                                     \
"end\n"                                                                        \
                                                                               \
"for k = 2, #KEYS, 3 do\n"                                                     \
 "local a = 4 + (k - 2) / 3 * 7\n"                                             \
 "local data, kept, values = unpack(KEYS, k, k + 2)\n"                         \
 "local max, w, most, windows, amount, may, value = unpack(ARGV, a, a + 6)\n"  \
 "local d = seen[data]\n"                                                      \
 "if not d then\n"                                                             \
  "d = {kept = kept, values = values, most = tonumber(most), long = 0,\n"      \
   "amount = amount, may = tonumber(may), value = value, windows = {}}\n"      \
  "local all, n = call('HGETALL', kept), 0\n"                                  \
  "d.long0, d.most0 = all[1], all[2]\n"                                        \
  "for i = 1, #all, 2 do\n"                                                    \
   "d.windows[tonumber(all[i])] = true\n"                                      \
   "d.most = math.max(d.most, tonumber(all[i + 1]))\n"                         \
  "end\n"                                                                      \
  "for v in windows:gmatch('%d+') do\n"                                        \
   "v = tonumber(v)\n"                                                         \
   "d.grown = d.grown or not d.windows[v]\n"                                   \
   "d.windows[v] = true\n"                                                     \
  "end\n"                                                                      \
  "for v in pairs(d.windows) do d.long, n = math.max(d.long, v), n + 1 end\n"  \
  "if n > 64 then\n"                                                           \
   "return redis.error_reply('WEIR more than 64 windows of one counter')\n"    \
  "end\n"                                                                      \
  "seen[data] = d\n"                                                           \
 "end\n"                                                                       \
 "w = tonumber(w)\n"                                                           \
 "local live, wait, used, rest = 0, 0, 0, 0\n"                                 \
 "local least = '(' .. int(now - d.long)\n"                                    \
 "if d.may > 0 then live = call('ZCOUNT', values, least, '+inf') end\n"        \
 "if d.may == 0 then\n"                                                        \
  "wait, used, rest = look(d, data, max, w)\n"                                 \
 "elseif value == '0' then\n"                                                  \
  "for _, v in ipairs(call('ZRANGE', values, 0, -1)) do\n"                     \
   "local x, u, r = look(d, data .. ':' .. v, max, w)\n"                       \
   "if u > used or (u == used and r > rest) then\n"                            \
    "wait, used, rest = x, u, r\n"                                             \
   "end\n"                                                                     \
  "end\n"                                                                      \
 "elseif live >= d.may and\n"                                                  \
   "(tonumber(call('ZSCORE', values, value) or 0) <= now - d.long) then\n"     \
  "local last = call('ZRANGE', values, -d.may, -d.may, 'WITHSCORES')\n"        \
  "live, wait = -live, last[2] + d.long - now\n"                               \
 "else\n"                                                                      \
  "wait, used, rest = look(d, data, max, w)\n"                                 \
 "end\n"                                                                       \
 "yes = yes and wait == 0\n"                                                   \
 "for _, n in ipairs({wait, used, rest, live}) do out[#out + 1] = n end\n"     \
"end\n"                                                                        \
"out[2] = yes and 1 or 0\n"                                                    \
"if not yes or mode == 'ask' then return out end\n"                            \
                                                                               \
/* The mark is first: of these commands, it too fails where memory is full. */ \
"call('SET', KEYS[1], ARGV[3], 'PX', 1000)\n"                                  \
"for data, d in pairs(seen) do\n"                                              \
 "local ttl, last = int(d.long / 64000 * 65 + 1000), int(now - d.long)\n"      \
 "if d.amount == '' then\n"                                                    \
  "call('ZADD', data, int(now), ARGV[3])\n"                                    \
  "call('ZREMRANGEBYSCORE', data, '-inf', last)\n"                             \
  "call('ZREMRANGEBYRANK', data, 0, -1 - d.most)\n"                            \
  "if int(d.long) ~= d.long0 or int(d.most) ~= d.most0 then\n"                 \
   "call('DEL', d.kept)\n"                                                     \
   "call('HSET', d.kept, int(d.long), int(d.most))\n"                          \
  "end\n"                                                                      \
 "else\n"                                                                      \
  "for w in pairs(d.windows) do\n"                                             \
   "begin(d, w)\n"                                                             \
   "if d.grown then call('HSET', d.kept, int(w), 0) end\n"                     \
   "local name, n = int(w) .. ':', floor(now / (w / 64))\n"                    \
   "if d.new[w] then call('HSET', data, name, '') end\n"                       \
   "for p, s in pairs(d.of[w]) do\n"                                           \
    "if p < n - 64 then\n"                                                     \
     "call('HDEL', data, name .. int(p))\n"                                    \
    "elseif d.new[w] then\n"                                                   \
     "local all = string.format('%.0f%06.0f', s[1] + floor(s[2] / 1000000),\n" \
      "s[2] % 1000000)\n"                                                      \
     "call('HSET', data, name .. int(p), (all:gsub('^0+(.)', '%1')))\n"        \
    "end\n"                                                                    \
   "end\n"                                                                     \
   "call('HINCRBY', data, name .. int(n), d.amount)\n"                         \
  "end\n"                                                                      \
 "end\n"                                                                       \
 "if d.may > 0 then\n"                                                         \
  "call('ZADD', d.values, int(now), d.value)\n"                                \
  "call('ZREMRANGEBYSCORE', d.values, '-inf', last)\n"                         \
  "call('PEXPIRE', d.values, ttl)\n"                                           \
 "end\n"                                                                       \
 "call('PEXPIRE', data, ttl)\n"                                                \
 "call('PEXPIRE', d.kept, ttl)\n"                                              \
"end\n"                                                                        \
"return out\n"

#endif
