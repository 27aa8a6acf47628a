// Bytes, text and the one kind of failure: docs/spec/envelope.md.
import { createHash, createHmac, hkdfSync } from 'node:crypto'

/** A refusal with the stable code of docs/spec/errors.md. */
export class Refused extends Error {
  constructor(code, why = '') {
    super(why ? `${code}: ${why}` : code)
    this.code = code
  }
}

export const refuse = (code, why) => {
  throw new Refused(code, why)
}

export const ascii = (text) => Buffer.from(text, 'latin1')
export const hex = (text) => Buffer.from(text.replace(/\s/g, ''), 'hex')
export const b64 = (bytes) => Buffer.from(bytes).toString('base64url')
export const same = (left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)) === 0
export const zero = (bytes) => bytes.every((byte) => byte === 0)

/** The bytes of unpadded base64url in its one spelling, or null; of `size` bytes where that is given. */
export function unb64(text, size) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64url')
  return b64(bytes) === text && (size === undefined || bytes.length === size) ? bytes : null
}

export function number(value, size) {
  const out = Buffer.alloc(size)
  for (let at = size - 1, rest = BigInt(value); at >= 0; at--, rest >>= 8n) out[at] = Number(rest & 255n)
  return out
}

export const u8 = (value) => number(value, 1)
export const u16 = (value) => number(value, 2)
export const u32 = (value) => number(value, 4)
export const u64 = (value) => number(value, 8)

/** Reads big-endian fields one after the other; whatever is missing is refused under `code`. */
export class Reader {
  constructor(bytes, code) {
    Object.assign(this, { bytes: Buffer.from(bytes), code, at: 0 })
  }

  get left() {
    return this.bytes.length - this.at
  }

  take(size) {
    if (size > this.left) refuse(this.code, 'too short')
    this.at += size
    return this.bytes.subarray(this.at - size, this.at)
  }

  rest() {
    return this.take(this.left)
  }

  uint(size) {
    return this.take(size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  }

  /** As a number of JavaScript; only for sizes below 2^53. */
  small(size) {
    return Number(this.uint(size))
  }

  end() {
    if (this.left) refuse(this.code, 'bytes behind the end')
  }
}

export const hash = (name, ...parts) => {
  const state = createHash(name)
  for (const part of parts) state.update(part)
  return state.digest()
}
export const sha256 = (...parts) => hash('sha256', ...parts)
export const sha3 = (bits, ...parts) => hash(`sha3-${bits}`, ...parts)
export const shake = (bits, size, ...parts) => {
  const state = createHash(`shake${bits}`, { outputLength: size })
  for (const part of parts) state.update(part)
  return state.digest()
}
export const hmac = (key, ...parts) => {
  const state = createHmac('sha256', key)
  for (const part of parts) state.update(part)
  return state.digest()
}

/** keys.md, 1. */
export const derive = (secret, label, size = 32, salt = Buffer.alloc(0)) =>
  Buffer.from(hkdfSync('sha256', secret, salt, ascii(`chaise/1 ${label}`), size))
export const tagged = (use, ...parts) => sha256(ascii(`chaise/1 ${use}`), u8(0), ...parts)

export const compare = (left, right) => (left < right ? -1 : left > right ? 1 : 0)

/** An order by several keys, one after the other; bytes as bytes. */
export const byRows = (rows) => (left, right) => {
  for (const row of rows) {
    const [one, two] = [row(left), row(right)]
    const order = Buffer.isBuffer(one) && Buffer.isBuffer(two) ? Buffer.compare(one, two) : compare(one, two)
    if (order) return order
  }
  return 0
}
