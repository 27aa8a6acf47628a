// Grants and what runs may do under them: docs/spec/grants.md.
import { b64, refuse } from './bytes.mjs'
import { limit } from './devices.mjs'
import { holds } from './ed25519.mjs'
import { certificate } from './envelope.mjs'
import { decode } from './json.mjs'

const VERB = {
  'fund.requested': 'fund', 'release.authorized': 'release', 'refund.authorized': 'refund', 'work.delivered': 'deliver', 'run.recorded': 'release',
}
const HANDED_OUT = { client: ['fund', 'release'], talent: ['deliver', 'refund'] }
const MOST = 16
const DAY = 86400000

/** The kinds that a run may write. */
export const RUN_KINDS = Object.keys(VERB)

/** Is the certificate in grant.created its writer's own, for this key, in this space and until then? */
export function isCertified({ key, name, scope, certificate: text }, { device, space, who }) {
  const made = certificate(decode(Buffer.from(text)))
  if (made.kind !== 'grant' || made.name !== name || made.until !== scope.until || who.kind !== 'admin') return false
  const told = [made.identity, made.device, made.by, made.space].map(b64).join()
  return told === [who.identity, key, b64(device), b64(space)].join() && holds(made.by, 'certificate', made.signed, made.sig)
}

class Grant {
  constructor(by, above, { key, scope }) {
    Object.assign(this, { by, above, key, scope, isRevoked: false, approved: new Map(), ops: [] })
  }

  /** Was it revoked, or a device that certified it? */
  isOver(revoked) {
    const own = revoked.filter(({ by }) => by === this.by)
    return this.isRevoked || limit(['', this.key, ...this.above], own) !== null
  }

  /** What its operations have moved or may still move; of those of one day where it is given. */
  spent(day = null) {
    const counted = this.ops.filter((op) => !op.isDeclined && (day === null || op.day === day))
    return counted.reduce((sum, op) => sum + (op.moved ?? op.most), 0)
  }

  approvals(milestone, total) {
    return this.scope.approvals.of.filter((who) => (this.approved.get(`${who} ${milestone}`) ?? 0) >= total).length
  }
}

/** The grants of a deal. */
export class Grants {
  constructor() {
    this.all = new Map()
  }

  find(id) {
    return this.all.get(id) ?? refuse('grant.missing')
  }

  create({ id, side, data, clock, who }, parties, milestones) {
    const { can, milestone, until } = data.scope
    if (!can.every((verb) => HANDED_OUT[side].includes(verb))) refuse('grant.not_your_verb')
    if (milestone !== null && milestone > milestones) refuse('milestone.unknown')
    if (new Set(can).size !== can.length || until <= clock || !fits(data.scope)) refuse('grant.unfit')
    if (!(data.scope.approvals?.of ?? []).every((each) => parties.includes(each))) refuse('grant.approver_not_party')
    const all = [...this.all.values()]
    if (all.some(({ key }) => key === data.key)) refuse('grant.key_used')
    const inForce = all.filter((one) => one.by === who.identity && !one.isRevoked && clock < one.scope.until)
    if (inForce.length >= MOST) refuse('grant.too_many')
    this.all.set(id, new Grant(who.identity, who.above, data))
  }

  /** The grant under which a run acts. */
  allow({ kind, data }, who, time, revoked) {
    const grant = [...this.all.values()].find(({ key }) => key === who.grant.key) ?? refuse('grant.unknown')
    const { can, milestone, until } = grant.scope
    if (grant.by !== who.identity) refuse('deal.not_yours')
    if (grant.isOver(revoked)) refuse('grant.revoked')
    if (time >= until) refuse('grant.expired')
    if (!can.includes(VERB[kind])) refuse('grant.not_allowed')
    if (milestone !== null && milestone !== data.milestone) refuse('grant.other_milestone')
    return grant
  }

  /** All that was open has been declined. */
  decline() {
    for (const { ops } of this.all.values()) for (const op of ops) op.isDeclined = true
  }
}

/** Do the verbs, approvals, delivery and policy of a scope go together? */
function fits({ can, approvals, delivered_for_ms: delivered, policy }) {
  const only = (verb) => can.length === 1 && can[0] === verb
  if ((delivered !== null || policy !== null) && !only('release')) return false
  if (approvals === null) return true
  return !only('deliver') && new Set(approvals.of).size === approvals.of.length && approvals.need <= approvals.of.length
}

/** Counts an operation against its grant, which would move `most` and so reach `reached` in its milestone. */
export function charge({ grant, time, data }, one, op, { most, reached, policy }) {
  const { scope } = grant
  const day = Math.floor(time / DAY)
  if (grant.spent() + most > scope.max) refuse('grant.over_cap')
  if (scope.per_day !== null && grant.spent(day) + most > scope.per_day) refuse('grant.over_cap')
  if (scope.approvals && grant.approvals(data.milestone, reached) < scope.approvals.need) refuse('grant.not_approved')
  const since = one.state === 'delivered' ? one.deliveredAt : null
  if (scope.delivered_for_ms !== null && (since === null || time - since < scope.delivered_for_ms)) refuse('grant.too_early')
  if (scope.policy !== null && policy !== scope.policy) refuse('grant.policy_unmet')
  grant.ops.push(Object.assign(op, { most, day }))
}
