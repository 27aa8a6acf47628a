// Texts that people copy: docs/spec/keys.md, 6, and the invite of docs/spec/board.md.
import { Reader, refuse, tagged } from './bytes.mjs'

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Five bits a character, most significant first; what does not fill a character is filled with zero bits. */
export function base32(bytes, bits = bytes.length * 8) {
  const text = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, bits)
  return text.replace(/.{1,5}/g, (five) => LETTERS[Number.parseInt(five.padEnd(5, '0'), 2)])
}

const checksum = (use, bytes) => base32(tagged(`${use}-check`, bytes), 20)

/** The bytes of a checked text; `size` where it is fixed. */
export function checked(text, use, code, size) {
  const capitals = text.replace(/[ \t\r\n-]/g, '').replace(/[a-z]/g, (letter) => letter.toUpperCase())
  const folded = capitals.replace(/[IL]/g, '1').replace(/O/g, '0')
  if (![...folded].every((letter) => LETTERS.includes(letter)) || folded.length < 4) refuse(code, 'a letter')
  const body = folded.slice(0, -4)
  const bits = [...body].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const whole = bits.slice(0, bits.length - (bits.length % 8))
  const fill = bits.slice(whole.length)
  if (fill.length > 4 || fill.includes('1')) refuse(code, 'fill')
  const bytes = Buffer.from((whole.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)))
  if (size !== undefined && bytes.length !== size) refuse(code, 'size')
  if (checksum(use, bytes) !== folded.slice(-4)) refuse(code, 'checksum')
  return bytes
}

export const recoveryCode = (text) => checked(text, 'recovery', 'key.bad_recovery_code', 20)

export function keyText(text) {
  const parts = /^chaise-key-1 (.*)$/s.exec(text.trim())
  if (parts === null) refuse('key.bad_key_file', 'prefix')
  return checked(parts[1], 'key-file', 'key.bad_key_file', 32)
}

function words(reader) {
  const bytes = reader.take(reader.small(2))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse(reader.code, 'no UTF-8')
  }
}

export function invite(text) {
  const code = 'board.bad_invite'
  const joined = text.replace(/\s/gu, '')
  if (joined.length > 8000) refuse(code, 'too long')
  const prefix = /^chaise-board-([1-9][0-9]*)-/i.exec(joined)
  if (prefix === null) refuse(code, 'prefix')
  if (prefix[1] !== '1') refuse('board.newer_invite')
  const reader = new Reader(checked(joined.slice(prefix[0].length), 'board-invite', code), code)
  const space = reader.take(32)
  const secret = reader.take(32)
  const name = words(reader)
  const places = Array.from({ length: reader.small(1) }, () => words(reader))
  reader.end()
  const printable = (place) => place.length > 0 && Buffer.byteLength(place) <= 500 && !/[\p{C}\p{Z}]/u.test(place.replaceAll(' ', ''))
  // eslint-disable-next-line no-control-regex
  if ([...name].length < 1 || [...name].length > 120 || /[\x00-\x1f\x7f]/.test(name)) refuse(code, 'name')
  if (places.length > 4 || !places.every(printable)) refuse(code, 'places')
  return { space, secret, name, places }
}
