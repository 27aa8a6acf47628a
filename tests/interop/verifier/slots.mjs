// Store key, slots and anchors: docs/spec/keys.md, 8 and 9, and docs/spec/store.md.
import { argon2id } from './argon2.mjs'
import { Reader, Refused, ascii, derive, hmac, refuse, same, u32, u8, unb64, zero } from './bytes.mjs'
import { integer, keyed } from './json.mjs'
import { unseal } from './seals.mjs'
import { keyText, recoveryCode } from './texts.mjs'

const DAMAGED = 'key.slots_damaged'
export const fingerprint = (key) => derive(key, 'fingerprint', 16)

/** UTF-8; a lone surrogate is three bytes. */
function wtf8(text) {
  const parts = [...text.normalize('NFC')].map((letter) => {
    const code = letter.codePointAt(0)
    const lone = code >= 0xd800 && code < 0xe000
    return lone ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)]) : Buffer.from(letter)
  })
  return Buffer.concat(parts)
}

function numbers(params) {
  const { iterations, lanes, memory } = params
  const fits = integer(iterations, 1, 16) && integer(lanes, 1, 16) && integer(memory, 8 * lanes, 1048576)
  return fits ? { iterations, lanes, memory } : refuse(DAMAGED, 'cost')
}

const SECRETS = { keyfile: keyText, keyring: keyText, recovery: recoveryCode }

/** The store key in `slot`; `secret` is the text that somebody types or keeps. */
export function openSlot(slot, secret) {
  if (!keyed(slot, 'kind', 'params', 'fingerprint', 'nonce', 'box')) refuse(DAMAGED, 'fields')
  const kind = slot.kind
  const typed = kind === 'passphrase'
  if (!typed && !['keyfile', 'keyring', 'recovery'].includes(kind)) refuse(DAMAGED, 'kind')
  if (!keyed(slot.params, 'salt', ...(typed ? ['iterations', 'lanes', 'memory'] : []))) refuse(DAMAGED, 'params')
  const salt = unb64(slot.params.salt, 16)
  const print = unb64(slot.fingerprint, 16)
  const nonce = unb64(slot.nonce, 12)
  const box = unb64(slot.box, 64)
  if (!salt || !print || !nonce || !box) refuse(DAMAGED, 'spelling')
  const cost = typed ? numbers(slot.params) : null
  const key = typed ? argon2id(wtf8(secret), salt, cost, 32) : derive(SECRETS[kind](secret), `slot-${kind}`, 32, salt)
  const costs = typed ? [cost.iterations, cost.lanes, cost.memory].map(u32) : []
  const aad = Buffer.concat([ascii('chaise/1 slot'), u8(0), ascii(kind), u8(0), salt, ...costs, print])
  const opened = (() => {
    try {
      return unseal(key, nonce, aad, box)
    } catch (error) {
      throw error instanceof Refused ? new Refused('key.wrong') : error
    }
  })()
  if (!same(fingerprint(opened), print)) refuse(DAMAGED, 'fingerprint')
  return opened
}

export const anchorMac = (storeKey, record) => hmac(derive(storeKey, 'anchor'), record).subarray(0, 16)

/** The newest sound record of an anchor file, against what the store says of itself. */
export function anchor(storeKey, file, total, id) {
  const records = []
  for (let at = 0; at < 2; at++) {
    const record = file.subarray(56 * at, 56 * at + 56)
    if (record.length < 56) continue
    const reader = new Reader(record, 'store.behind_anchor')
    const count = reader.small(8)
    const newest = reader.take(32)
    if (same(anchorMac(storeKey, record.subarray(0, 40)), reader.rest())) records.push([count, newest])
  }
  records.sort((left, right) => right[0] - left[0])
  if (!records.length) refuse('store.behind_anchor', 'no sound record')
  const [count, newest] = records[0]
  if (count > total || (count === total && !same(newest, id))) refuse('store.behind_anchor')
  return { total: count, id: newest, fresh: count === 0 && zero(newest) }
}
