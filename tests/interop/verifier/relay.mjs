// What a relay signs and says: docs/spec/relay.md, and the ranges of docs/spec/sync.md.
import { Reader, Refused, ascii, b64, derive, refuse, same, sha256, u8 } from './bytes.mjs'
import { holds, holdsPlain } from './ed25519.mjs'
import { access } from './sync.mjs'
import { unpacked } from './envelope.mjs'
import { checked } from './texts.mjs'

const BAD = 'relay.malformed'
const LIMIT = 2n ** 63n
const ZEROS = Buffer.alloc(32)

/** The head of a log behind these event ids. */
export const head = (ids, from = ZEROS) => ids.reduce((at, id) => sha256(at, id), from)

/** A receipt that its relay has signed. */
export function receipt(bytes) {
  const made = receiptForm(bytes, 'receipt.bad')
  if (!holds(made.relay, 'receipt', bytes.subarray(0, -64), made.signature)) refuse('receipt.bad', 'signature')
  return made
}

function receiptForm(bytes, code) {
  if (bytes.length !== 208) refuse(code, 'size')
  const reader = new Reader(bytes, code)
  const [relay, space, number, event, at] = [reader.take(32), reader.take(32), reader.uint(8), reader.take(32), reader.uint(8)]
  if (number < 1n || number >= LIMIT || at >= 2n ** 47n) refuse(code, 'number')
  return { relay, space, number, event, at: Number(at), head: reader.take(32), signature: reader.take(64) }
}

const partOf = (space) => ((space[0] << 8) | space[1]) >> 6
const short = (rows) => sha256(...rows).subarray(0, 4)
const sorted = (rows) => [...rows].sort(Buffer.compare)

/** Of rows space ‖ position: the digest over all, those of the ranges, and those of the parts of each range asked for. */
export function digests(rows, asked = []) {
  const inPart = (at) => sorted(rows.filter((row) => partOf(row) === at))
  const inRange = (at) => sorted(rows.filter((row) => partOf(row) >> 5 === at))
  const thirtyTwo = (of) => Buffer.concat(Array.from({ length: 32 }, (_, at) => short(of(at))))
  const parts = asked.map((range) => [range, thirtyTwo((at) => inPart(32 * range + at))])
  return { whole: sha256(...sorted(rows)), ranges: thirtyTwo(inRange), parts }
}

function segments(reader, count = Infinity) {
  const found = []
  while (found.length < count && (count !== Infinity || reader.left)) {
    const bytes = reader.take(reader.small(4))
    try {
      found.push(unpacked(bytes))
    } catch (error) {
      throw error instanceof Refused ? new Refused(BAD, error.message) : error
    }
  }
  return found
}

const told = (run) => ({ device: b64(run.device), first: Number(run.first), count: run.rows.length })

const READERS = {
  summary(reader) {
    const [digest, ranges, wait] = [reader.take(32), reader.take(128), reader.small(2)]
    return wait > 60 ? refuse(BAD, 'wait') : { digest: b64(digest), ranges: b64(ranges), wait }
  },
  'summary answer'(reader) {
    const flag = reader.small(1)
    if (flag > 1) refuse(BAD, 'flag')
    if (flag === 0) return { differs: false }
    const [digest, count] = [reader.take(32), reader.small(1)]
    const rows = Array.from({ length: count }, () => ({ range: reader.small(1), digests: b64(reader.take(128)) }))
    const ascending = rows.every(({ range }, at) => range < 32 && (at === 0 || rows[at - 1].range < range))
    if (!ascending) refuse(BAD, 'ranges')
    return { differs: true, digest: b64(digest), ranges: rows, news: sections(reader) }
  },
  pull(reader) {
    const [n, m] = [reader.small(2), reader.small(4)]
    if (n > 1024 || m > 100000) refuse(BAD, 'too many')
    const parts = Array.from({ length: n }, () => reader.small(2))
    if (parts.some((part) => part >= 1024)) refuse(BAD, 'part')
    const rows = Array.from({ length: m }, () => ({ space: b64(reader.take(32)), after: reader.uint(8), head: b64(reader.take(8)) }))
    if (rows.some(({ after }) => after >= LIMIT)) refuse(BAD, 'number')
    return { parts, rows: rows.map((row) => ({ ...row, after: Number(row.after) })) }
  },
  'pull answer'(reader) {
    const more = reader.small(1)
    if (more > 1) refuse(BAD, 'more')
    return { more: more === 1, sections: sections(reader) }
  },
  push(reader) {
    const [space, flag] = [reader.take(32), reader.small(1)]
    if (flag > 1) refuse(BAD, 'flag')
    const door = flag ? b64(reader.take(32)) : null
    const runs = segments(reader)
    if (runs.some((run) => !same(run.space, space))) refuse(BAD, 'space')
    if (runs.reduce((sum, run) => sum + run.rows.length, 0) > 5000) refuse(BAD, 'events')
    return { space: b64(space), door, segments: runs.map(told) }
  },
  'push answer'(reader, { given }) {
    const [first, before, count, flag] = [reader.uint(8), reader.take(32), reader.small(4), reader.small(1)]
    if (flag > 1 || count !== given) refuse(BAD, 'form')
    const signed = flag ? receiptForm(reader.take(208), BAD) : null
    const taken = Array.from({ length: count }, () => reader.small(2))
    const refused = []
    while (reader.left) {
      const [at, size] = [reader.small(2), reader.small(1)]
      const code = reader.take(size)
      if (at >= count || size > 64 || code.some((byte) => byte > 127)) refuse(BAD, 'refusal')
      refused.push([at, code.toString()])
    }
    return { first: Number(first), before: b64(before), receipt: signed && Number(signed.number), taken, refused }
  },
  object(reader) {
    const [space, address, size, offset] = [reader.take(32), reader.take(32), reader.uint(8), reader.uint(8)]
    if (reader.left > 2 ** 20 || size >= 2n ** 47n || offset + BigInt(reader.left) > size) refuse(BAD, 'piece')
    return { space: b64(space), address: b64(address), size: Number(size), offset: Number(offset), bytes: reader.rest().length }
  },
}

function sections(reader) {
  const found = []
  while (reader.left) found.push(section(reader))
  return found
}

function section(reader) {
  const [space, after, to, count] = [reader.take(32), reader.uint(8), reader.uint(8), reader.small(2)]
  const signed = receiptForm(reader.take(208), BAD)
  const order = Array.from({ length: runsOf(reader) }, () => [reader.small(2), reader.small(2)])
  const runs = segments(reader, count)
  if (!same(signed.space, space) || signed.number !== to || after >= to) refuse(BAD, 'section')
  const left = runs.map((run) => run.rows.length)
  for (const [at, number] of order) {
    if (!(at < left.length) || number < 1 || number > left[at]) refuse(BAD, 'order')
    left[at] -= number
  }
  const total = runs.reduce((sum, run) => sum + run.rows.length, 0)
  if (left.some(Boolean) || runs.some((run) => !same(run.space, space)) || BigInt(total) !== to - after) refuse(BAD, 'entries')
  return { space: b64(space), after: Number(after), to: Number(to), order, segments: runs.map(told) }
}

const runsOf = (reader) => {
  const count = reader.small(4)
  return count * 4 > reader.left ? refuse(BAD, 'too short') : count
}

export function message(form, bytes, context = {}) {
  const reader = new Reader(bytes, BAD)
  const value = READERS[form](reader, context)
  reader.end()
  return value
}

export const doorSeed = (secret) => derive(access(secret), 'door')
export const doorHolds = (door, relay, device, space, signature) =>
  holds(door, 'proof', Buffer.concat([ascii('chaise/1 door'), u8(0), relay, device, space]), signature)

export const invite = (text) => sha256(checked(text, 'relay-invite', 'relay.bad_invite', 20))

/** Does a request's signature hold, by RFC 9421? `input` is what stands behind `c=` in Signature-Input. */
export function requestHolds({ method, authority, path, digest, input, signature, device }) {
  const lines = [`"@method": ${method}`, `"@authority": ${authority}`, `"@path": ${path}`, `"content-digest": ${digest}`]
  return holdsPlain(device, Buffer.from([...lines, `"@signature-params": ${input}`].join('\n')), signature)
}
