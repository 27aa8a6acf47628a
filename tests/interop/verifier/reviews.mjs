// Reviews and vouchers: docs/spec/reviews.md.
import { Refused, b64, refuse, tagged, unb64 } from './bytes.mjs'
import { holds } from './ed25519.mjs'
import { certified } from './envelope.mjs'
import { canonical, decode } from './json.mjs'
import { unseal } from './seals.mjs'

export const reviewCommitment = (key, review) => tagged('sealed review', key, canonical(review))
export const reviewDigest = (review) => tagged('review', canonical(review))
export const reviewToken = (deal) => tagged('reviewed deal', deal)

export function openReview(box, key, deal) {
  return { review: decode(unseal(key, Buffer.alloc(12), deal, box)) }
}

/** A voucher that holds: whose word it is. */
export function voucher({ certificates, signature, ...said }) {
  const bad = 'review.bad_voucher'
  try {
    const chain = certificates.map((text) => decode(Buffer.from(text)))
    const device = unb64(said.device, 32)
    const { identity, kind } = certified(chain, device)
    if (['grant', 'run'].includes(kind) || b64(identity) !== said.agent) refuse(bad, 'of somebody else')
    if (!holds(device, 'voucher', canonical(said), unb64(signature, 64))) refuse(bad, 'signature')
    return { agent: said.agent, digest: said.digest }
  } catch (error) {
    throw error instanceof Refused ? new Refused(bad, error.message) : error
  }
}
