// Headers, bodies, certificates and segments: docs/spec/envelope.md.
import { Reader, Refused, ascii, b64, derive, refuse, same, sha256, tagged, u32, u64, u8, unb64, zero } from './bytes.mjs'
import { admit, holds } from './ed25519.mjs'
import { canonical, characters, decode, integer, isObject, keyed } from './json.mjs'
import { unseal } from './seals.mjs'

const HEADER = 'envelope.bad_header'
const BODY = 65536
export const MAGIC = ascii('CHEV')

export function header(bytes) {
  if (bytes.length !== 154) refuse(HEADER, 'size')
  const reader = new Reader(bytes, HEADER)
  if (!same(reader.take(4), MAGIC)) refuse(HEADER, 'magic')
  if (reader.small(1) !== 1) refuse('envelope.newer', 'version')
  const suite = reader.small(1)
  if (suite > 1) refuse('envelope.newer', 'suite')
  const [space, device] = [reader.take(32), reader.take(32)]
  const seq = reader.uint(8)
  const [prev, epoch] = [reader.take(32), reader.take(8)]
  const [size, hash] = [reader.small(4), reader.take(32)]
  if ((seq === 0n) !== zero(prev)) refuse(HEADER, 'prev')
  if ((suite === 0) !== zero(epoch)) refuse(HEADER, 'epoch')
  if (zero(space) !== (suite === 0 && seq === 0n)) refuse(HEADER, 'space')
  if (size > BODY) refuse(HEADER, 'body')
  return { suite, space, device, seq, prev, epoch, size, hash, id: sha256(bytes), bytes }
}

export const headerBytes = ({ suite, space, device, seq, prev, epoch, body }) =>
  Buffer.concat([MAGIC, u8(1), u8(suite), space, device, u64(seq), prev, epoch, u32(body.length), sha256(body)])

/** A genesis or a wrap. */
export function clearBody(bytes, seq) {
  const bad = 'envelope.bad_clear_body'
  return seq === 0n ? genesis(decode(bytes), bad) : wrap(decode(bytes), bad)
}

function genesis(value, bad) {
  const fits = keyed(value, 'creator', 'nonce', 'space') && unb64(value.creator, 32) && unb64(value.nonce, 16)
  if (!fits || !['self', 'board', 'deal'].includes(value.space)) refuse(bad, 'genesis')
  return value
}

const sealedText = (text) => typeof text === 'string' && text.length >= 1 && text.length <= 4000 && unb64(text) !== null

function wrap(value, bad) {
  const listed = keyed(value, 'boxes', 'commit', 'previous') && Array.isArray(value.boxes) && Array.isArray(value.previous)
  if (!listed || !unb64(value.commit, 32)) refuse(bad, 'wrap')
  const pair = (each, left, right) => Array.isArray(each) && each.length === 2 && left(each[0]) && right(each[1])
  const id = (text) => unb64(text, 32)
  const boxed = (each) => keyed(each, 'box', 'to') && sealedText(each.box) && pair(each.to, id, id)
  if (value.boxes.length < 1 || value.boxes.length > 16 || !value.boxes.every(boxed)) refuse(bad, 'boxes')
  if (!value.previous.every((each) => pair(each, (text) => unb64(text, 8), sealedText))) refuse(bad, 'previous')
  return value
}

export const identityOf = (root) => tagged('identity', root)
export const commitment = (space, secret) => tagged('epoch-commit', space, secret)

/** One certificate of the right form; whether it holds is asked elsewhere. */
export function certificate(value) {
  const bad = 'certificate.bad'
  const forGrant = value?.kind === 'grant' ? ['space', 'until'] : []
  if (!keyed(value, 'at', 'by', 'device', 'identity', 'kind', 'name', 'sig', ...forGrant, 'v')) refuse(bad, 'keys')
  const [by, device, identity, sig] = [unb64(value.by, 32), unb64(value.device, 32), unb64(value.identity, 32), unb64(value.sig, 64)]
  const worded = typeof value.name === 'string' && characters(value.name) <= 64 && ['admin', 'device', 'grant', 'run'].includes(value.kind)
  if (!by || !device || !identity || !sig || !worded || value.v !== 1 || !integer(value.at, 0, 2 ** 53 - 1)) refuse(bad, 'form')
  const space = value.kind === 'grant' ? unb64(value.space, 32) : undefined
  if (value.kind === 'grant' && (!space || !integer(value.until, 0, 2 ** 53 - 1))) refuse(bad, 'grant')
  const { sig: _, ...signed } = value
  return { by, device, identity, sig, kind: value.kind, name: value.name, space, until: value.until, signed: canonical(signed) }
}

/** Whose device it is, by a chain of certificates, the device's own first; of a run also the key and space of its grant. */
export function certified(chain, device) {
  const bad = 'certificate.bad'
  if (!Array.isArray(chain) || chain.length < 1 || chain.length > 6) refuse(bad, 'length')
  const links = chain.map((value) => certificate(value))
  const ahead = { run: 2, grant: 1 }[links[0].kind] ?? 0 // certificates before those of a device
  if (links.length - ahead < 1 || links.length - ahead > 4) refuse(bad, 'length')
  try {
    for (const link of links) for (const key of [link.by, link.device]) admit(key)
  } catch (error) {
    throw error instanceof Refused ? new Refused(bad, error.message) : error
  }
  links.forEach((link, at) => {
    const above = links[at + 1]
    if (at === 0 && device !== undefined && !same(link.device, device)) refuse(bad, 'of another device')
    const wanted = ahead === 2 && at === 0 ? 'grant' : 'admin'
    if (above && (!same(link.by, above.device) || above.kind !== wanted)) refuse(bad, 'not by who may')
    if (!above && !same(identityOf(link.by), link.identity)) refuse(bad, 'not by the root')
    if (!same(link.identity, links[0].identity)) refuse(bad, 'two identities')
    if (!holds(link.by, 'certificate', link.signed, link.sig)) refuse(bad, 'signature')
  })
  const [first, above] = links
  const grant = first.kind === 'run' ? { key: b64(above.device), space: above.space } : null
  return { identity: first.identity, kind: first.kind, device: first.device, grant, above: links.map((link) => b64(link.device)) }
}

export const eventNonce = (device, seq) => tagged('event-nonce', device, u64(seq)).subarray(0, 12)

/** The plaintext of a sealed body, as it was padded; `body.unopenable` where it does not open. */
export function opened(head, body, secret) {
  try {
    return unseal(derive(secret, 'body'), eventNonce(head.device, head.seq), head.bytes.subarray(0, 118), body)
  } catch (error) {
    throw error instanceof Refused ? new Refused('body.unopenable') : error
  }
}

const MALFORMED = 'body.malformed'

/** What an event says. */
export function plaintext(padded) {
  if (padded.length % 64 || !padded.length || padded.length > 65520) refuse(MALFORMED, 'length')
  let end = padded.length
  while (end && padded[end - 1] === 0) end--
  if (padded.length - end > 63) refuse(MALFORMED, 'padding')
  const value = (() => {
    try {
      return decode(padded.subarray(0, end))
    } catch (error) {
      throw error instanceof Refused ? new Refused(MALFORMED, error.message) : error
    }
  })()
  if (!isObject(value)) refuse(MALFORMED, 'no object')
  const keys = ['kind', 'v', 'at', 'seen', 'data', ...['cert', 'optional', 'request'].filter((key) => key in value)]
  if (!keyed(value, ...keys)) refuse(MALFORMED, 'keys')
  const kind = typeof value.kind === 'string' && characters(value.kind) >= 1 && characters(value.kind) <= 64
  const sound = kind && integer(value.v, 1, 2 ** 53 - 1) && integer(value.at, 0, 2 ** 47 - 1) && isObject(value.data)
  if (!sound || !seenSound(value.seen)) refuse(MALFORMED, 'values')
  if ('optional' in value && value.optional !== true) refuse(MALFORMED, 'optional')
  if ('cert' in value && !Array.isArray(value.cert)) refuse(MALFORMED, 'cert')
  if ('request' in value && !requestSound(value.request)) refuse(MALFORMED, 'request')
  return value
}

function seenSound(seen) {
  if (!Array.isArray(seen)) return false
  const fits = (each) =>
    Array.isArray(each) && each.length === 3 && unb64(each[0], 32) && integer(each[1], 0, 2 ** 53 - 1) && unb64(each[2], 32)
  return seen.every((each, at) => fits(each) && (at === 0 || rankedBefore(seen[at - 1], each)))
}

/** By (device, seq, id), device and id as text. */
const rankedBefore = (one, two) => {
  const at = [0, 1, 2].find((place) => one[place] !== two[place])
  return at !== undefined && one[at] < two[at]
}

const requestSound = (request) =>
  Array.isArray(request) &&
  request.length === 2 &&
  typeof request[0] === 'string' &&
  characters(request[0]) >= 1 &&
  characters(request[0]) <= 128 &&
  unb64(request[1], 32) !== null

/** The parts of a packed segment, not yet verified. */
export function unpacked(bytes) {
  const bad = 'envelope.bad_segment'
  const reader = new Reader(bytes, bad)
  const [space, device] = [reader.take(32), reader.take(32)]
  const [first, prev, count] = [reader.uint(8), reader.take(32), reader.small(4)]
  if (count < 1 || count > 1000) refuse(bad, 'count')
  if (first + BigInt(count) >= 2n ** 63n) refuse(bad, 'too far')
  const rows = Array.from({ length: count }, () => {
    const [suite, epoch, size] = [reader.small(1), reader.take(8), reader.small(4)]
    if (size > BODY) refuse(bad, 'body')
    return { suite, epoch, body: reader.take(size) }
  })
  const signature = reader.take(64)
  reader.end()
  return { space, device, first, prev, rows, signature }
}

/** The events of a packed segment, each with its header rebuilt, as proved by the newest one's signature. */
export function segment(bytes, expected) {
  const bad = 'envelope.bad_segment'
  const { space, device, first, prev: start, rows, signature } = unpacked(bytes)
  let prev = start
  if (expected !== undefined && !same(space, expected)) refuse(bad, 'of another space')
  const events = rows.map(({ suite, epoch, body }, at) => {
    const seq = first + BigInt(at)
    const named = suite === 0 && seq === 0n ? Buffer.alloc(32) : space
    const head = header(headerBytes({ suite, space: named, device, seq, prev, epoch, body }))
    if (seq === 0n && suite === 0) {
      if (!same(head.id, space)) refuse(bad, 'a genesis of another space')
      clearBody(body, 0n)
    }
    prev = head.id
    return { ...head, space, body }
  })
  const newest = events.at(-1)
  if (!holds(device, 'event', newest.bytes, signature)) refuse(bad, 'signature')
  return { space, device, first, prev: events[0].prev, events, signature, last: newest.id }
}

export const names = (value) => value.boxes.map((each) => each.to[0])

/** The secrets of older epochs that a wrap of `secret` hands on; what does not open or is another's is left out. */
export function older(space, secret, { previous }) {
  const found = previous.map(([told, sealed]) => {
    const name = unb64(told)
    const aad = Buffer.concat([ascii('chaise/1 history'), u8(0), space, name])
    try {
      const made = unseal(derive(secret, 'history'), tagged('history-nonce', name).subarray(0, 12), aad, unb64(sealed))
      return made.length === 32 && same(commitment(space, made).subarray(0, 8), name) ? made : null
    } catch (error) {
      if (error instanceof Refused) return null
      throw error
    }
  })
  return found.filter((each) => each !== null)
}
