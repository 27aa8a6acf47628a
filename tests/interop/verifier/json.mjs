// Canonical JSON: docs/spec/envelope.md, "Canonical JSON".
import { refuse } from './bytes.mjs'

const CODE = 'envelope.not_canonical'
const LIMIT = 2 ** 53 - 1
const DEEP = 32

export function encode(value, level = 0) {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || Math.abs(value) > LIMIT) refuse(CODE, 'a number out of range')
    return String(value) // also of -0, which is spelled 0
  }
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) refuse(CODE, 'a lone surrogate')
    return JSON.stringify(value)
  }
  if (level === DEEP) refuse(CODE, 'too deep')
  if (Array.isArray(value)) return `[${value.map((each) => encode(each, level + 1)).join(',')}]`
  const keys = Object.keys(value).sort()
  // eslint-disable-next-line no-control-regex
  if (keys.some((key) => !/^[\x00-\x7f]*$/.test(key))) refuse(CODE, 'a key beyond ASCII')
  return `{${keys.map((key) => `${JSON.stringify(key)}:${encode(value[key], level + 1)}`).join(',')}}`
}

export const canonical = (value) => Buffer.from(encode(value), 'utf8')

export function decode(bytes) {
  let value
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    refuse(CODE, 'no JSON')
  }
  if (Buffer.compare(canonical(value), Buffer.from(bytes)) !== 0) refuse(CODE, 'another spelling')
  return value
}

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Is it an object with exactly these keys? */
export const keyed = (value, ...keys) =>
  isObject(value) && Object.keys(value).sort().join() === [...keys].sort().join()

export const integer = (value, least, most) => Number.isInteger(value) && value >= least && value <= most
export const characters = (text) => [...text].length
