// Argon2id (RFC 9106, version 0x13) with BigInt: right, and slow; for slots of small cost.
const MASK = (1n << 64n) - 1n
const turn = (value, by) => ((value >> by) | (value << (64n - by))) & MASK
const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
]
const ORDERS = [
  '0123456789abcdef', 'ea489fd61c02b753', 'b8c052fdae367194', '7931dcbe265a40f8', '905724afe1bc683d',
  '2c6a0b834d75fe19', 'c51fed4a0763928b', 'db7ec13950f4862a', '6fe9b308c2d714a5', 'a2847615fb9e3cd0',
].map((row) => [...row].map((digit) => Number.parseInt(digit, 16)))
const MIX = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
]

function compress(h, block, count, last) {
  const words = Array.from({ length: 16 }, (_, at) => block.readBigUInt64LE(8 * at))
  const v = [...h, ...IV]
  v[12] ^= BigInt(count)
  if (last) v[14] ^= MASK
  for (let round = 0; round < 12; round++) {
    const order = ORDERS[round % 10]
    MIX.forEach(([a, b, c, d], at) => {
      v[a] = (v[a] + v[b] + words[order[2 * at]]) & MASK
      v[d] = turn(v[d] ^ v[a], 32n)
      v[c] = (v[c] + v[d]) & MASK
      v[b] = turn(v[b] ^ v[c], 24n)
      v[a] = (v[a] + v[b] + words[order[2 * at + 1]]) & MASK
      v[d] = turn(v[d] ^ v[a], 16n)
      v[c] = (v[c] + v[d]) & MASK
      v[b] = turn(v[b] ^ v[c], 63n)
    })
  }
  return h.map((word, at) => word ^ v[at] ^ v[at + 8])
}

export function blake2b(bytes, size) {
  let h = [...IV]
  h[0] ^= 0x01010000n ^ BigInt(size)
  const blocks = Math.max(1, Math.ceil(bytes.length / 128))
  const whole = Buffer.concat([bytes, Buffer.alloc(128 * blocks - bytes.length)])
  for (let at = 0; at < blocks; at++) {
    const last = at === blocks - 1
    h = compress(h, whole.subarray(128 * at, 128 * at + 128), last ? bytes.length : 128 * (at + 1), last)
  }
  const out = Buffer.alloc(64)
  h.forEach((word, at) => out.writeBigUInt64LE(word, 8 * at))
  return out.subarray(0, size)
}

const u32 = (value) => {
  const out = Buffer.alloc(4)
  out.writeUInt32LE(value)
  return out
}
const sized = (bytes) => Buffer.concat([u32(bytes.length), bytes])

/** H' of the RFC: a hash of any length. */
function long(bytes, size) {
  const seeded = Buffer.concat([u32(size), bytes])
  if (size <= 64) return blake2b(seeded, size)
  const parts = []
  let at = blake2b(seeded, 64)
  let left = size
  while (left > 64) {
    parts.push(at.subarray(0, 32))
    left -= 32
    at = blake2b(at, left > 64 ? 64 : left)
  }
  return Buffer.concat([...parts, at])
}

const words = (bytes) => Array.from({ length: 128 }, (_, at) => bytes.readBigUInt64LE(8 * at))
const xor = (left, right) => left.map((word, at) => word ^ right[at])
const LOW = (1n << 32n) - 1n

function permute(block, indices) {
  const v = indices.map((at) => block[at])
  const blend = (left, right) => (left + right + 2n * (left & LOW) * (right & LOW)) & MASK
  for (const [a, b, c, d] of MIX) {
    v[a] = blend(v[a], v[b])
    v[d] = turn(v[d] ^ v[a], 32n)
    v[c] = blend(v[c], v[d])
    v[b] = turn(v[b] ^ v[c], 24n)
    v[a] = blend(v[a], v[b])
    v[d] = turn(v[d] ^ v[a], 16n)
    v[c] = blend(v[c], v[d])
    v[b] = turn(v[b] ^ v[c], 63n)
  }
  indices.forEach((at, from) => (block[at] = v[from]))
}

function mix(left, right) {
  const start = xor(left, right)
  const block = [...start]
  for (let row = 0; row < 8; row++) permute(block, Array.from({ length: 16 }, (_, at) => 16 * row + at))
  for (let column = 0; column < 8; column++)
    permute(block, Array.from({ length: 16 }, (_, at) => 2 * column + 16 * (at >> 1) + (at & 1)))
  return xor(block, start)
}

export function argon2id(secret, salt, { iterations, lanes, memory }, size) {
  const first = blake2b(
    Buffer.concat([
      ...[lanes, size, memory, iterations, 0x13, 2].map(u32),
      ...[secret, salt, Buffer.alloc(0), Buffer.alloc(0)].map(sized),
    ]),
    64,
  )
  const part = Math.floor(memory / (4 * lanes)) // blocks of a lane in one slice
  const width = 4 * part
  const lane = Array.from({ length: lanes }, (_, at) =>
    [0, 1].map((count) => words(long(Buffer.concat([first, u32(count), u32(at)]), 1024))),
  )
  const ZERO = new Array(128).fill(0n)
  for (let pass = 0; pass < iterations; pass++)
    for (let slice = 0; slice < 4; slice++)
      for (let own = 0; own < lanes; own++) {
        const data = pass === 0 && slice < 2
        const input = [...ZERO]
        ;[pass, own, slice, lanes * width, iterations, 2].forEach((value, at) => (input[at] = BigInt(value)))
        let addresses = null
        for (let index = 0; index < part; index++) {
          if (data && index % 128 === 0) {
            input[6] += 1n
            addresses = mix(ZERO, mix(ZERO, input))
          }
          const column = slice * part + index
          if (pass === 0 && column < 2) continue
          const before = lane[own][(column + width - 1) % width]
          const random = data ? addresses[index % 128] : before[0]
          const other = pass === 0 && slice === 0 ? own : Number((random >> 32n) % BigInt(lanes))
          const done = pass === 0 ? slice * part : 3 * part
          const area = other === own ? done + index - 1 : done - (index === 0 ? 1 : 0)
          const j1 = random & LOW
          const back = (BigInt(area) * ((j1 * j1) >> 32n)) >> 32n
          const start = pass === 0 || slice === 3 ? 0 : (slice + 1) * part
          const reference = (start + area - 1 - Number(back)) % width
          const made = mix(before, lane[other][reference])
          lane[own][column] = pass === 0 ? made : xor(made, lane[own][column])
        }
      }
  const last = lane.map((blocks) => blocks[width - 1]).reduce(xor)
  const bytes = Buffer.alloc(1024)
  last.forEach((word, at) => bytes.writeBigUInt64LE(word, 8 * at))
  return long(bytes, size)
}
