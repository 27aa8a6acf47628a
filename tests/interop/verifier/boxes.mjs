// Boxes: docs/spec/keys.md, 5.
import { createDecipheriv, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { Refused, ascii, hex, refuse, sha3, shake, tagged, u16, u8, zero } from './bytes.mjs'
import { decapsulate, keyPair, sound } from './mlkem.mjs'

export const SUITE = hex('647a 0011 0003')
const LABEL = hex('5c2e2f2f5e5c')
const sized = (bytes) => Buffer.concat([u16(bytes.length), bytes])
const PRIVATE = hex('302e020100300506032b656e04220420')
const PUBLIC = hex('302a300506032b656e032100')
const secretOf = (raw) => createPrivateKey({ key: Buffer.concat([PRIVATE, raw]), format: 'der', type: 'pkcs8' })
const publicOf = (raw) => createPublicKey({ key: Buffer.concat([PUBLIC, raw]), format: 'der', type: 'spki' })

export function boxPair(seed) {
  const both = shake(256, 96, seed)
  const own = secretOf(both.subarray(64))
  const point = Buffer.from(createPublicKey(own).export({ format: 'jwk' }).x, 'base64url')
  const lattice = keyPair(both.subarray(0, 64))
  return { own, point, lattice, publicKey: Buffer.concat([lattice.publicKey, point]) }
}

const exchange = (own, other) => {
  const shared = diffieHellman({ privateKey: own, publicKey: publicOf(other) })
  if (zero(shared)) throw new Error('low order')
  return shared
}

/** The id of a public box key that may be used. */
export function boxKeyId(key) {
  if (key.length !== 1216 || !sound(key.subarray(0, 1184))) refuse('key.bad_box_key')
  try {
    exchange(secretOf(Buffer.alloc(32, 7)), key.subarray(1184)) // any scalar gives zero for a point of low order
  } catch {
    refuse('key.bad_box_key', 'a point of low order')
  }
  return tagged('box-key', key)
}

export function openBox(seed, info, box) {
  if (box.length < 1088 + 32 + 16) refuse('box.broken', 'too short')
  try {
    const { own, point, lattice } = boxPair(seed)
    const ephemeral = box.subarray(1088, 1120)
    const shared = sha3(256, decapsulate(lattice, box.subarray(0, 1088)), exchange(own, ephemeral), ephemeral, point, LABEL)
    const context = Buffer.concat([u8(0), sized(Buffer.alloc(0)), sized(info)])
    const parts = [sized(Buffer.alloc(0)), sized(shared), ascii('HPKE-v1'), ascii('HPKE'), SUITE, sized(ascii('secret')), u16(108), context]
    const out = shake(256, 108, ...parts)
    const cipher = createDecipheriv('chacha20-poly1305', out.subarray(0, 32), out.subarray(32, 44), { authTagLength: 16 })
    cipher.setAuthTag(box.subarray(-16))
    return Buffer.concat([cipher.update(box.subarray(1120, -16)), cipher.final()])
  } catch (error) {
    if (error instanceof Refused) throw error
    return refuse('box.broken')
  }
}

const info = (name, space, commit) => Buffer.concat([ascii(`chaise/1 ${name}`), u8(0), SUITE, space, commit])
export const reviewKeyInfo = (space, commit) => info('review key', space, commit)
export const wrapInfo = (space, commit) => info('wrap', space, commit)
