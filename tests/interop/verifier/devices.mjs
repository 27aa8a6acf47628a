// Revoked devices: docs/spec/devices.md, "Revocation".
import { Refused, b64, unb64 } from './bytes.mjs'
import { admit, holds } from './ed25519.mjs'
import { certified, identityOf } from './envelope.mjs'
import { canonical, decode } from './json.mjs'

export const REVOCATION = /^(self|board|deal)\.device_revoked$/

/** Does a statement prove itself, for this identity (base64url)? */
export function stated({ device, at, keeps, by, certificates, signature }, identity) {
  const key = unb64(by)
  if (!keeps.every((each, place) => place === 0 || keeps[place - 1] < each)) return false
  if (!(certificates.length ? isAdmin(certificates, key, identity) : isRoot(key, identity))) return false
  return holds(key, 'revocation', canonical({ device, identity, keeps, at }), unb64(signature))
}

const quietly = (work) => {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

const isRoot = (key, identity) =>
  quietly(() => {
    admit(key)
    return b64(identityOf(key)) === identity
  })

const isAdmin = (certificates, key, identity) =>
  quietly(() => {
    const found = certified(certificates.map((each) => decode(Buffer.from(each))), key)
    return found.kind === 'admin' && b64(found.identity) === identity
  })

/** What one statement orders; the depth is that of who signed it. */
const order = ({ device, last, keeps, certificates }) => ({ device, last: last === null ? -1 : last.seq, keeps, depth: certificates.length })

/** The seq behind which the first of these devices is cut, null when it is not; the others certified it. */
export function limit(above, orders) {
  for (const [at, device] of above.entries()) {
    const found = orders.find((each) => each.device === device && each.depth < above.length - at)
    if (found && at === 0) return found.last
    if (found && !found.keeps.includes(above[0])) return -1
  }
  return null
}

/** Does its writer's word count: not from the device it names, nor from one that it cuts off with it. */
export const maySay = (above, { device, keeps }) => !above.includes(device) || (above[0] !== device && keeps.includes(above[0]))

export { order }

/** Of an identity's revocations in a space those that stand: each `{event, data, above}`, ranked weakest last. */
export function standing(said) {
  const found = []
  for (const { event, data, above } of said) {
    const cut = limit(above, found)
    const inTime = !data.certificates.length || cut === null || Number(event.seq) <= cut
    if (inTime && maySay(above, data)) found.push(order(data))
  }
  return found
}
