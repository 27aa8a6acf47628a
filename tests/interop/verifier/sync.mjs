// Packs of folders and the frames of a conversation: docs/spec/sync.md.
import { Reader, Refused, ascii, b64, derive, hmac, refuse, same, sha256, u32, u64, u8, unb64 } from './bytes.mjs'
import { holds } from './ed25519.mjs'
import { certified, segment, unpacked } from './envelope.mjs'
import { decode, keyed } from './json.mjs'
import { digests } from './relay.mjs'

const MALFORMED = 'pack.malformed'
const ascending = (rows) => rows.every((row, at) => at === 0 || Buffer.compare(rows[at - 1], row) < 0)

/** A pack with its segments verified; `name` is that of the file, without its ending. */
export function pack(bytes, name) {
  if (bytes.length > 64 * 2 ** 20) refuse('pack.too_large')
  const reader = new Reader(bytes, MALFORMED)
  if (bytes.length < 83 || !same(reader.take(4), ascii('CHPK'))) refuse(MALFORMED, 'magic')
  if (reader.small(1) !== 1) refuse('pack.newer')
  if (reader.uint(8) !== BigInt(bytes.length)) refuse('pack.partial')
  if (name !== undefined && sha256(bytes).toString('hex') !== name) refuse('pack.damaged')
  const [space, writer] = [reader.take(32), reader.take(32)]
  const [named, ranged] = [reader.small(2), reader.small(4)]
  if (named > 1000 || ranged > 100000) refuse(MALFORMED, 'too many')
  const names = Array.from({ length: named }, () => reader.take(32))
  if (!ascending(names)) refuse(MALFORMED, 'names')
  const ranges = Array.from({ length: ranged }, () => {
    const device = reader.take(32)
    return { device, first: reader.uint(8), last: reader.uint(8), id: reader.take(32) }
  })
  const segments = []
  while (reader.left) segments.push(strictly(MALFORMED, () => within(reader.take(reader.small(4)), space)))
  const joined = join(segments)
  const alike = (own, told) => same(own.device, told.device) && own.first === told.first && own.last === told.last
  if (joined.length !== ranges.length || !joined.every((own, at) => alike(own, ranges[at]))) refuse(MALFORMED, 'ranges')
  return { space, writer, names, ranges, segments: segments.map((one) => segment(one.bytes, space)) }
}

/** The form of a packed segment of a space, not yet verified. */
function within(bytes, space) {
  const run = unpacked(bytes)
  return same(run.space, space) ? { ...run, bytes } : refuse(MALFORMED, 'of another space')
}

/** Refuses under `code` what is no canonical JSON or no segment. */
function strictly(code, work) {
  try {
    return work()
  } catch (error) {
    throw error instanceof Refused && error.code.startsWith('envelope.') ? new Refused(code, error.message) : error
  }
}

function join(segments) {
  const out = []
  for (const { device, first, rows } of segments) {
    const before = out.at(-1)
    const last = first + BigInt(rows.length) - 1n
    if (before && same(before.device, device) && before.last + 1n === first) before.last = last
    else out.push({ device, first, last })
  }
  return out
}

const RULES = 'peer.protocol'
const FRAME = 4 * 2 ** 20
const KINDS = ['HELLO', 'PROOF', 'SUMMARY', 'SPACES', 'HEADS', 'SEGMENT', 'RESULT', 'WANT', 'OBJECT', 'OBJECT_END', 'END', 'BYE', 'ERROR',
  'RANGES', 'PARTS', 'RECEIPTS', 'PAIR']

/** One frame as {name, payload}; nothing may stand behind it. */
export function frame(bytes) {
  const reader = new Reader(bytes, RULES)
  const kind = reader.small(1)
  const size = reader.small(4)
  if (kind < 1 || kind > KINDS.length) refuse(RULES, 'kind')
  if (size > FRAME) refuse(RULES, 'size')
  const payload = reader.take(size)
  reader.end()
  return { name: KINDS[kind - 1], payload }
}

export function hello(payload) {
  const value = strictly(RULES, () => decode(payload))
  if (Number.isInteger(value?.version) && value.version > 1) refuse('peer.newer')
  const fits = keyed(value, 'certificates', 'device', 'nonce', 'version') && value.version === 1
  const device = fits && unb64(value.device, 32)
  if (!device || !unb64(value.nonce, 32) || !Array.isArray(value.certificates)) refuse(RULES, 'hello')
  const { identity, kind, device: certifiedDevice } = certified(value.certificates)
  if (!same(certifiedDevice, device)) refuse('peer.unproven', 'certificates of another device')
  if (['grant', 'run'].includes(kind)) refuse('peer.unproven', 'a grant')
  return { device, identity }
}

/** M of the handshake. */
export const message = (role, lead, follow) =>
  Buffer.concat([ascii('chaise/1 sync'), u8(0), ascii(role), u8(0), sha256(lead), sha256(follow)])

/**
 * Position and mark of each space in a comparison, and the digests over the marks. `spaces`: [space, heads];
 * `signed`: [space, [relay, number, head]…] of the relays that both sides use.
 */
export function comparison(transcript, number, spaces, signed) {
  const told = new Map(signed.map(([space, rows]) => [b64(space), rows.map(([relay, at, head]) => Buffer.concat([relay, u64(at), head]))]))
  const signedFor = (space) => (told.get(b64(space)) ?? []).sort(Buffer.compare)
  const packed = (heads) => heads.map(([device, seq, id]) => Buffer.concat([device, u64(seq), id])).sort(Buffer.compare)
  const placed = spaces.map(([space, heads]) => [space, sha256(...packed(heads))]).sort(([one], [two]) => Buffer.compare(one, two))
  const marked = placed.map(([space, at]) => [space, at, sha256(transcript, u32(number), space, at, ...signedFor(space)).subarray(0, 8)])
  const { whole, ranges } = digests(marked.map(([space, , mark]) => Buffer.concat([space, mark])))
  return { spaces: marked, digest: whole, ranges }
}

export const access = (secret) => derive(secret, 'access')
export const mac = (secret, role, lead, follow) => hmac(access(secret), message(role, lead, follow))

/** The payload of a PROOF: does its signature hold, and which of the boards' and relays' MACs are in it? */
export function proof(payload, role, lead, follow, boards, relays) {
  if (payload.length < 64 || (payload.length - 64) % 32) refuse(RULES, 'proof')
  const { device } = hello(role === 'lead' ? lead : follow)
  if (!holds(device, 'proof', message(role, lead, follow), payload.subarray(0, 64))) refuse('peer.unproven')
  const macs = new Set()
  for (let at = 64; at < payload.length; at += 32) macs.add(b64(payload.subarray(at, at + 32)))
  return {
    boards: boards.map((secret) => macs.has(b64(mac(secret, role, lead, follow)))),
    relays: relays.map((relay) => macs.has(b64(hmac(relay, message(role, lead, follow))))),
  }
}

const LIMIT = 2n ** 63n

function rows(reader, size, read) {
  if (reader.left % size) refuse(RULES, 'rows')
  return Array.from({ length: reader.left / size }, () => read(reader))
}

const head = (reader) => {
  const row = { device: b64(reader.take(32)), seq: reader.uint(8), id: null }
  if (row.seq >= LIMIT) refuse(RULES, 'seq')
  return { ...row, seq: Number(row.seq), id: b64(reader.take(32)) }
}

const below = (limit, value) => (value < limit ? value : refuse(RULES, 'out of range'))

/** The payload of a frame of one of the simpler kinds; of a SUMMARY also whether its side leads. */
export function payload(name, bytes, leads) {
  const reader = new Reader(bytes, RULES)
  if (name === 'SUMMARY') {
    const said = { digest: b64(reader.take(32)), wants: below(2, reader.small(1)) === 1, ranges: b64(reader.take(leads ? 128 : 0)) }
    reader.end()
    return said
  }
  if (name === 'RANGES') return rows(reader, 129, (each) => [below(32, each.small(1)), b64(each.take(128))])
  if (name === 'PARTS') return rows(reader, 2, (each) => below(1024, each.small(2)))
  if (name === 'SPACES') return rows(reader, 40, (each) => [b64(each.take(32)), b64(each.take(8))])
  if (name === 'HEADS') return { space: b64(reader.take(32)), heads: rows(reader, 72, head) }
  if (name === 'RECEIPTS') return rows(reader, 208, (each) => b64(each.take(208)))
  if (name === 'PAIR') {
    const [mailbox, message] = [b64(reader.take(32)), reader.rest()]
    return message.length > 0 && message.length <= 16 * 1024 ? { mailbox, message: b64(message) } : refuse(RULES, 'pair')
  }
  if (name === 'WANT') return rows(reader, 32, (each) => b64(each.take(32)))
  if (name === 'OBJECT_END') {
    const address = b64(reader.take(32))
    reader.end()
    return { address }
  }
  if (name === 'END' || name === 'BYE') {
    reader.end()
    return {}
  }
  if (name === 'RESULT') {
    const [space, accepted, rejected] = [b64(reader.take(32)), reader.small(4), reader.small(4)]
    return { space, accepted, rejected, heads: rows(reader, 72, head) }
  }
  if (name === 'ERROR') {
    const value = strictly(RULES, () => decode(bytes))
    if (!keyed(value, 'code', 'text') || typeof value.code !== 'string' || typeof value.text !== 'string') refuse(RULES, 'error')
    return value
  }
  return refuse(RULES, 'name')
}
