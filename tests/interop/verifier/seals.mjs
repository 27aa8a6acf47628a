// AES-256-GCM-SIV (RFC 8452), which Node lacks, from AES and POLYVAL; attachments: docs/spec/keys.md, 3 and 4.
import { createCipheriv, timingSafeEqual } from 'node:crypto'
import { ascii, number, refuse, sha256, same } from './bytes.mjs'

const littleBytes = (value, size) => number(value, size).reverse()
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((16 - (bytes.length % 16)) % 16)])

const LANES = [0, 1, 2, 3] // of 32 bits, the lowest first
const lanes = (bytes, from) => LANES.map((lane) => bytes.readUInt32LE(from + 4 * lane))
const TURNED = 0xe1000000 // (x^128 + x^127 + x^126 + x^121 + 1) / x, in the highest lane

/** POLYVAL: bit i of a block, read as a little-endian number, is the coefficient of x^i; dot(a, b) = a·b·x^-128. */
function polyval(key, bytes) {
  const steps = new Uint32Array(4 * 128) // key · x^(i − 128) for each bit i
  let at = lanes(key, 0)
  for (let bit = 127; bit >= 0; bit--) {
    const odd = at[0] & 1
    at = LANES.map((lane) => (at[lane] >>> 1) | ((at[lane + 1] ?? 0) << 31))
    if (odd) at[3] ^= TURNED
    steps.set(at, 4 * bit)
  }
  const [block, sum] = [new Uint32Array(4), new Uint32Array(4)]
  for (let from = 0; from < bytes.length; from += 16) {
    for (const lane of LANES) block[lane] = sum[lane] ^ bytes.readUInt32LE(from + 4 * lane)
    sum.fill(0)
    for (let bit = 0; bit < 128; bit++)
      if ((block[bit >> 5] >>> (bit & 31)) & 1) for (let lane = 0; lane < 4; lane++) sum[lane] ^= steps[4 * bit + lane]
  }
  const out = Buffer.alloc(16)
  sum.forEach((value, lane) => out.writeUInt32LE(value, 4 * lane))
  return out
}

const aes = (key, blocks) => createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(blocks)

function keysFor(key, nonce) {
  const blocks = [0, 1, 2, 3, 4, 5].map((count) => Buffer.concat([littleBytes(count, 4), nonce]))
  const out = aes(key, Buffer.concat(blocks))
  const halves = [0, 1, 2, 3, 4, 5].map((at) => out.subarray(16 * at, 16 * at + 8))
  return [Buffer.concat(halves.slice(0, 2)), Buffer.concat(halves.slice(2))]
}

function tagOf(auth, inner, nonce, aad, text) {
  const sizes = Buffer.concat([littleBytes(aad.length * 8, 8), littleBytes(text.length * 8, 8)])
  const sum = polyval(auth, Buffer.concat([padded(aad), padded(text), sizes]))
  for (let at = 0; at < 12; at++) sum[at] ^= nonce[at]
  sum[15] &= 0x7f
  return aes(inner, sum)
}

function stream(inner, tag, text) {
  const count = Math.ceil(text.length / 16)
  const blocks = Buffer.alloc(16 * count)
  const start = tag.readUInt32LE(0)
  for (let at = 0; at < count; at++) {
    tag.copy(blocks, 16 * at)
    blocks.writeUInt32LE((start + at) >>> 0, 16 * at)
    blocks[16 * at + 15] |= 0x80
  }
  const mask = aes(inner, blocks)
  return Buffer.from(text.map((byte, at) => byte ^ mask[at]))
}

export function seal(key, nonce, aad, text) {
  const [auth, inner] = keysFor(key, nonce)
  const tag = tagOf(auth, inner, nonce, aad, text)
  return Buffer.concat([stream(inner, tag, text), tag])
}

export function unseal(key, nonce, aad, sealed) {
  if (sealed.length < 16) refuse('seal.broken', 'too short')
  const tag = Buffer.from(sealed.subarray(-16))
  const [auth, inner] = keysFor(key, nonce)
  const text = stream(inner, tag, sealed.subarray(0, -16))
  if (!timingSafeEqual(tagOf(auth, inner, nonce, aad, text), tag)) refuse('seal.broken')
  return text
}

const FULL = 2 ** 20 + 16

/** The content of a sealed file. */
export function attachment(key, sealed, address) {
  if (address && !same(sha256(sealed), address)) refuse('seal.broken', 'address')
  const header = sealed.subarray(0, 8)
  if (!same(header.subarray(0, 7), ascii('CHSEFIL'))) refuse('seal.broken', 'no sealed file')
  if (header.length < 8) refuse('seal.broken', 'cut')
  if (header[7] !== 1) refuse('attachment.newer')
  const parts = []
  for (let at = 8, count = 0; ; at += FULL, count++) {
    const last = sealed.length - at <= FULL
    const nonce = Buffer.concat([number(count, 11), number(last ? 1 : 0, 1)])
    const part = unseal(key, nonce, header, sealed.subarray(at, at + FULL))
    if (last && count && !part.length) refuse('seal.broken', 'an empty chunk behind others')
    parts.push(part)
    if (last) return Buffer.concat(parts)
  }
}
