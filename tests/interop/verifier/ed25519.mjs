// Signatures and the admission of keys: docs/spec/keys.md, 2. Node verifies the equation; what it lets through is refused here.
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { ascii, b64, hex, refuse, u8, unb64 } from './bytes.mjs'

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (value) => {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}
const power = (base, exponent) => {
  let out = 1n
  for (let bit = exponent, at = mod(base); bit; bit >>= 1n, at = mod(at * at)) if (bit & 1n) out = mod(out * at)
  return out
}
const D = mod(-121665n * power(121666n, P - 2n))
const ROOT = power(2n, (P - 1n) / 4n) // of minus one
const little = (bytes) => [...bytes].reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
const SIGN = 1n << 255n

const SMALL = new Set(
  [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ].map((text) => little(hex(text))),
)

/** The point of 32 bytes as [x, y], or null when there is none with this y. */
function point(bytes) {
  const spelled = little(bytes)
  const y = mod(spelled & (SIGN - 1n))
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n))
  let x = power(square, (P + 3n) / 8n)
  if (mod(x * x - square)) x = mod(x * ROOT)
  if (mod(x * x - square)) return null
  return [(x & 1n) === spelled >> 255n ? x : mod(-x), y]
}

/** The sum of two points as [X, Y, Z, T] (RFC 8032, 5.1.4): of whole chains of sums only the last needs a division. */
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const [a, b] = [mod((y1 - x1) * (y2 - x2)), mod((y1 + x1) * (y2 + x2))]
  const [c, d] = [mod(2n * D * t1 * t2), mod(2n * z1 * z2)]
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)]
}

/** Whether that many of a point are the neutral one. */
function vanishes(scalar, [x, y]) {
  let out = [0n, 1n, 1n, 0n]
  for (let rest = scalar, at = [x, y, 1n, mod(x * y)]; rest; rest >>= 1n, at = add(at, at)) if (rest & 1n) out = add(out, at)
  return out[0] === 0n && out[1] === out[2]
}

const plain = (bytes) => {
  const y = little(bytes) & (SIGN - 1n)
  const signed = bytes[31] >> 7 === 1
  return y < P && !(signed && (y === 1n || y === P - 1n)) // x is 0 there alone
}
const small = (bytes) => SMALL.has(little(bytes) & (SIGN - 1n))

/** Refuses a key that may not enter; `deal` asks for the torsion check too. */
export function admit(key, { deal = false } = {}) {
  if (key.length !== 32) refuse('key.bad', 'size')
  if (!plain(key)) refuse('key.not_canonical')
  if (small(key)) refuse('key.small_order')
  const at = point(key)
  if (at === null) refuse('key.bad', 'not on the curve')
  if (deal && !vanishes(L, at)) refuse('key.torsion')
}

/** Does plain Ed25519 of `key` over `message` hold, by the rules of keys.md? */
export function holdsPlain(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false
  const R = signature.subarray(0, 32)
  if (!plain(key) || !plain(R) || small(key) || small(R) || little(signature.subarray(32)) >= L) return false
  try {
    return verify(null, message, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: b64(key) }, format: 'jwk' }), signature)
  } catch {
    return false
  }
}

/** The same under a tag of Chaise. */
export const holds = (key, tag, message, signature) =>
  holdsPlain(key, Buffer.concat([ascii(`chaise/1 ${tag}`), u8(0), message]), signature)

/** The public key of a seed. */
export function publicOf(seed) {
  const key = Buffer.concat([hex('302e020100300506032b657004220420'), seed])
  return unb64(createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' }).x)
}
