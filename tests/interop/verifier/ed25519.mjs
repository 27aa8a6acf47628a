// Signatures and the admission of keys: docs/spec/keys.md, 2. Node verifies the equation; what it lets through is refused here.
import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import { ascii, b64, hex, refuse, u8, unb64 } from './bytes.mjs'

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const mod = (value) => ((value % P) + P) % P
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

function add([x1, y1], [x2, y2]) {
  const cross = mod(D * x1 * x2 * y1 * y2)
  return [
    mod((x1 * y2 + x2 * y1) * power(1n + cross, P - 2n)),
    mod((y1 * y2 + x1 * x2) * power(1n - cross, P - 2n)),
  ]
}

function times(scalar, of) {
  let out = [0n, 1n]
  for (let rest = scalar, at = of; rest; rest >>= 1n, at = add(at, at)) if (rest & 1n) out = add(out, at)
  return out
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
  if (deal) {
    const [x, y] = times(L, at)
    if (x !== 0n || y !== 1n) refuse('key.torsion')
  }
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
