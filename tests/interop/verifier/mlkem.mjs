// ML-KEM-768 (FIPS 203): a key pair from its seed, and decapsulation.
import { sha3, shake, u8 } from './bytes.mjs'

const Q = 3329
const N = 256
const K = 3
const reverse7 = (value) => Number.parseInt(value.toString(2).padStart(7, '0').split('').reverse().join(''), 2)
const pow = (base, exponent) => {
  let out = 1
  for (let step = 0; step < exponent; step++) out = (out * base) % Q
  return out
}
const ZETAS = Array.from({ length: 128 }, (_, at) => pow(17, reverse7(at)))
const GAMMAS = Array.from({ length: 128 }, (_, at) => pow(17, 2 * reverse7(at) + 1))
const range = Array.from({ length: K }, (_, at) => at)
const plus = (left, right) => left.map((value, at) => (value + right[at]) % Q)
const minus = (left, right) => left.map((value, at) => (value - right[at] + Q) % Q)

function ntt(from) {
  const f = [...from]
  for (let size = 128, zeta = 1; size >= 2; size /= 2)
    for (let start = 0; start < N; start += 2 * size, zeta++)
      for (let at = start; at < start + size; at++) {
        const turned = (ZETAS[zeta] * f[at + size]) % Q
        f[at + size] = (f[at] - turned + Q) % Q
        f[at] = (f[at] + turned) % Q
      }
  return f
}

function unntt(from) {
  const f = [...from]
  for (let size = 2, zeta = 127; size <= 128; size *= 2)
    for (let start = 0; start < N; start += 2 * size, zeta--)
      for (let at = start; at < start + size; at++) {
        const left = f[at]
        f[at] = (left + f[at + size]) % Q
        f[at + size] = (ZETAS[zeta] * (f[at + size] - left + Q)) % Q
      }
  return f.map((value) => (value * 3303) % Q)
}

function product(f, g) {
  const out = new Array(N)
  for (let at = 0; at < 128; at++) {
    const [a, b, c, d] = [f[2 * at], f[2 * at + 1], g[2 * at], g[2 * at + 1]]
    out[2 * at] = (a * c + ((b * d) % Q) * GAMMAS[at]) % Q
    out[2 * at + 1] = (a * d + b * c) % Q
  }
  return out
}

const dot = (rows, columns) => rows.map((row, at) => product(row, columns[at])).reduce(plus)

function uniform(rho, j, i) {
  const stream = shake(128, 168 * 8, rho, u8(j), u8(i)) // 8 blocks give 896 candidates; 256 are always among them
  const out = []
  for (let at = 0; out.length < N; at += 3) {
    const [a, b, c] = stream.subarray(at, at + 3)
    const low = a + 256 * (b % 16)
    const high = (b >> 4) + 16 * c
    if (low < Q) out.push(low)
    if (high < Q && out.length < N) out.push(high)
  }
  return out
}

/** Centered binomial of eta 2. */
function noise(seed, count) {
  const bytes = shake(256, 128, seed, u8(count))
  const bit = (at) => (bytes[at >> 3] >> (at & 7)) & 1
  return Array.from({ length: N }, (_, at) => (bit(4 * at) + bit(4 * at + 1) - bit(4 * at + 2) - bit(4 * at + 3) + Q) % Q)
}

function pack(poly, bits) {
  const out = Buffer.alloc((N * bits) / 8)
  poly.forEach((value, at) => {
    for (let bit = 0; bit < bits; bit++) out[(at * bits + bit) >> 3] |= ((value >> bit) & 1) << ((at * bits + bit) & 7)
  })
  return out
}

function unpack(bytes, bits) {
  return Array.from({ length: N }, (_, at) => {
    let value = 0
    for (let bit = 0; bit < bits; bit++) value |= ((bytes[(at * bits + bit) >> 3] >> ((at * bits + bit) & 7)) & 1) << bit
    return value
  })
}

const shrink = (poly, bits) => poly.map((value) => Math.floor((value * 2 ** bits + (Q - 1) / 2) / Q) % 2 ** bits)
const grow = (poly, bits) => poly.map((value) => (Q * value + 2 ** (bits - 1)) >> bits)
const split = (bytes, size) => range.map((at) => bytes.subarray(at * size, (at + 1) * size))
const matrix = (rho) => range.map((i) => range.map((j) => uniform(rho, j, i)))
const transposed = (rows) => range.map((i) => range.map((j) => rows[j][i]))

/** Are all lattice coefficients of an encapsulation key below q? */
export const sound = (key) =>
  key.length === 1184 && split(key.subarray(0, 1152), 384).every((part) => unpack(part, 12).every((value) => value < Q))

export function keyPair(seed) {
  const [d, z] = [seed.subarray(0, 32), seed.subarray(32)]
  const both = sha3(512, d, u8(K))
  const [rho, sigma] = [both.subarray(0, 32), both.subarray(32)]
  const secret = range.map((at) => ntt(noise(sigma, at)))
  const error = range.map((at) => ntt(noise(sigma, K + at)))
  const rows = matrix(rho)
  const t = range.map((at) => plus(dot(rows[at], secret), error[at]))
  return { secret, z, publicKey: Buffer.concat([...t.map((poly) => pack(poly, 12)), rho]) }
}

function encrypt(publicKey, message, coins) {
  const t = split(publicKey.subarray(0, 1152), 384).map((part) => unpack(part, 12))
  const columns = transposed(matrix(publicKey.subarray(1152)))
  const y = range.map((at) => ntt(noise(coins, at)))
  const u = range.map((at) => plus(unntt(dot(columns[at], y)), noise(coins, K + at)))
  const lifted = grow(unpack(message, 1), 1)
  const v = plus(plus(unntt(dot(t, y)), noise(coins, 2 * K)), lifted)
  return Buffer.concat([...u.map((poly) => pack(shrink(poly, 10), 10)), pack(shrink(v, 4), 4)])
}

export function decapsulate({ secret, z, publicKey }, ciphertext) {
  const u = split(ciphertext.subarray(0, 960), 320).map((part) => ntt(grow(unpack(part, 10), 10)))
  const v = grow(unpack(ciphertext.subarray(960), 4), 4)
  const message = pack(shrink(minus(v, unntt(dot(secret, u))), 1), 1)
  const both = sha3(512, message, sha3(256, publicKey))
  const again = encrypt(publicKey, message, both.subarray(32))
  return again.equals(ciphertext) ? both.subarray(0, 32) : shake(256, 32, z, ciphertext) // a decoy for a false one
}
