// What the two sides may do and what money does: docs/spec/transitions.md and docs/spec/money.md.
import { Refused, b64, refuse, sha256 } from './bytes.mjs'
import { limit, maySay, order } from './devices.mjs'
import { Grants, charge } from './grants.mjs'
import { canonical } from './json.mjs'

const MOST = 2n ** 53n - 1n
const fee = (amount, points) => Number((BigInt(amount) * BigInt(points)) / 10000n)
const step = (before, after, points) => fee(after, points) - fee(before, points)

// Who may, and in which states: the rows of transitions.md.
const WORKING = 'funded delivered changes'
const LATER = `${WORKING} released refunded cancelled`
const ROWS = {
  'deal.invited': ['client', 'talking'],
  'deal.proposed': ['talent', 'talking invited declined withdrawn proposed shortlisted'],
  'deal.shortlisted': ['client', 'proposed'],
  'terms.offered': ['either', 'talking invited proposed shortlisted offered declined withdrawn'],
  'terms.accepted': ['other', 'offered'],
  'deal.declined': ['other', 'invited proposed shortlisted offered'],
  'deal.withdrawn': ['own', 'proposed shortlisted offered'],
  'grant.created': ['either', 'hired'],
  'grant.revoked': ['own', 'hired closed'],
  'grant.approved': ['approver', 'hired'],
  'fund.requested': ['client', `planned ${WORKING}`],
  'fund.requested again': ['client', `funding ${LATER}`],
  'money.held': ['agent', `funding ${WORKING}`],
  'money.refused': ['agent', `funding ${LATER}`],
  'work.delivered': ['talent', 'funded changes'],
  'work.changes_requested': ['client', 'delivered'],
  'deal.signing_key': ['either', 'talking invited proposed shortlisted offered hired closed declined withdrawn'],
  'run.recorded': ['either', `planned funding disputed ${LATER}`],
  'release.authorized': ['client', WORKING],
  'release.authorized again': ['client', LATER],
  'money.released': ['agent', `${WORKING} cancelled`],
  'money.released late': ['agent', 'delivered'],
  'money.paid_out': ['agent', LATER],
  'money.reversed': ['agent', LATER],
  'refund.authorized': ['talent', WORKING],
  'refund.authorized again': ['talent', LATER],
  'money.refunded': ['agent', `${WORKING} cancelled`],
  'money.refunded late': ['agent', 'funded'],
  'cancel.requested': ['either', 'planned funded'],
  'cancel.accepted': ['other', 'funded'],
  'cancel.declined': ['other', 'funded'],
  'cancel.withdrawn': ['own', 'funded'],
}

function permit(act, state, ...roles) {
  const [who, states] = ROWS[act]
  if (!roles.includes(who) || (['own', 'other'].includes(who) && !roles.includes('either'))) refuse('deal.not_yours')
  if (!states.split(' ').includes(state)) refuse('deal.wrong_state')
}

class Milestone {
  constructor({ amount, revisions }) {
    Object.assign(this, { amount, revisions, funded: 0, released: 0, refunded: 0, work: 'funded', over: false, open: [], cancel: null })
    Object.assign(this, { deadline: null, delivery: null, deliveredAt: null, revised: 0, holds: new Map() })
    Object.assign(this, { credit: { client: 0, talent: 0 }, paid: { client: 0, talent: 0 } })
    Object.assign(this, { charged: 0, reversed: 0, reversals: new Set() })
  }

  get held() {
    return this.funded - this.released - this.refunded
  }

  get state() {
    if (this.over) return 'cancelled'
    if (!this.funded) return this.open.some((op) => op.kind === 'fund') ? 'funding' : 'planned'
    if (!this.held && !this.released) return 'refunded'
    if (!this.held && this.funded >= this.amount) return 'released'
    return this.work
  }

  moved(kind) {
    return { fund: this.funded, release: this.released, refund: this.refunded }[kind]
  }

  /** What the operations of a kind will have moved when all that are open have. */
  reach(kind) {
    return this.open.filter((op) => op.kind === kind).reduce((at, op) => at + needs(op, at), this.moved(kind))
  }

  get reserved() {
    return this.reach('release') - this.released + this.reach('refund') - this.refunded
  }

  get free() {
    return this.held - this.reserved
  }

  /** The open operation of a kind whose turn it is. */
  first(kind) {
    return this.open.find((op) => op.kind === kind)
  }

  /** The end of an operation, which moved so much; null: which was declined. */
  close(op, moved) {
    Object.assign(op, moved === null ? { isDeclined: true } : { moved })
    this.open = this.open.filter((each) => each !== op)
  }
}

const needs = ({ end, step: by, most = Infinity }, reached) => Math.min(by ?? Math.max(0, end - reached), most)

/** Folds guarded events in their order; keeps what stands. */
export class Book {
  constructor(opening, isBeyond = () => false) {
    const { client, talent } = opening.said.data
    Object.assign(this, { opening, sides: { client, talent }, state: 'talking', stands: null, offer: null, terms: null, milestones: [] })
    Object.assign(this, { third: null, hire: null, consented: false, grants: new Grants() })
    Object.assign(this, { isBeyond, revoked: [], last: opening.name, requests: new Map(), runs: new Map(), clock: 0, before: 0 })
  }

  side(event) {
    return Object.keys(this.sides).find((side) => this.sides[side] === event.who.identity) ?? null
  }

  /** Null when the event counts, else the code of what voids it. `at`: {clock, agent, device, final}. */
  apply(event, at) {
    try {
      const side = this.side(event) ?? (event.who.identity === this.third ? 'third' : null)
      if (side === null) refuse('deal.not_a_member')
      const { kind, data } = event.said
      if (kind === 'deal.device_revoked') this.revoke(event)
      else if (this.isCut(event)) refuse('device.revoked')
      if (kind === 'deal.opened') return event === this.opening ? null : refuse('deal.opened_twice')
      if (/^(booking|review)\./.test(kind)) return null // calls and reviews are not judged here
      const [clock, before] = at.clock > this.clock ? [at.clock, this.clock] : [this.clock, this.before]
      const time = at.final ? clock : Math.max(clock, event.said.at)
      const grant = event.who.grant && this.grants.allow(event.said, event.who, time, this.revoked)
      const roles = [...(side === 'third' ? [] : ['either', side]), ...(at.agent ? ['agent'] : [])]
      const act = { ...at, clock, before, time, grant, side, data, who: event.who, writer: b64(event.device), id: event.name, roles }
      ACTS[kind].call(this, act)
      if (side === 'third' && at.agent && kind !== 'agent.refused') this.consented = true
      Object.assign(this, { clock, before })
      return null
    } catch (error) {
      if (error instanceof Refused) return error.code
      throw error
    }
  }

  isCut(event) {
    const own = this.revoked.filter(({ by }) => by === event.who.identity)
    const cut = limit(event.who.above, event.who.grant ? own.map((each) => ({ ...each, keeps: [] })) : own) // which keeps no run
    return cut !== null && this.isBeyond(event, cut)
  }

  revoke(event) {
    if (event.said.data.certificates.length && this.isCut(event)) refuse('device.revoked')
    if (!maySay(event.who.above, event.said.data)) refuse('device.may_not_revoke')
    this.revoked.push({ ...order(event.said.data), by: event.who.identity })
  }

  milestone(number) {
    return this.milestones[number - 1] ?? refuse('milestone.unknown')
  }

  told() {
    const rows = this.milestones.map((one) => ({
      state: one.state, funded: one.funded, released: one.released, refunded: one.refunded, held: one.held, reserved: one.reserved,
      reversed: one.reversed, paid: one.paid.client + one.paid.talent, owed: one.credit.client + one.credit.talent - one.paid.client - one.paid.talent,
    }))
    const busy = this.milestones.some((one) => one.held || one.open.length || one.state === 'planned')
    return { state: this.state === 'hired' && !busy ? 'closed' : this.state, milestones: rows }
  }
}

function stand(book, state, side, id) {
  book.state = state
  book.stands = { side, id }
}

/** Whose answer it is to what stands; where nothing does, either side is both. */
function answer(book, kind, { side, data, roles }) {
  const stands = ['invited', 'proposed', 'shortlisted', 'offered'].includes(book.state) ? book.stands : null
  const mine = stands ? [stands.side === side ? 'own' : 'other'] : ['own', 'other']
  permit(kind, book.state, ...roles, ...mine)
  if (data.of !== stands.id) refuse('deal.stale_answer')
}

/** The request under this id: undefined, or what was asked with it; another request under it is refused. */
function request(book, { side, data }) {
  if (data.request_id === null) return undefined
  const known = book.requests.get(`${side} ${data.request_id}`)
  if (known && known.fingerprint !== data.fingerprint) refuse('request.reused')
  return known
}

function enter(book, act, one, op, repeats) {
  const { side, data, id, grant } = act
  if (grant && !repeats) {
    const reach = one.reach(op.kind)
    const most = needs(op, reach)
    charge(act, one, op, { most, reached: reach + most, policy: book.runs.get(data.run)?.policy })
  }
  if (data.request_id !== null) {
    const key = `${side} ${data.request_id}`
    const known = book.requests.get(key) ?? { fingerprint: data.fingerprint, milestones: new Set() }
    known.milestones.add(one)
    book.requests.set(key, known)
  }
  if (!repeats) one.open.push(Object.assign(op, { id }))
}

function repeated(book, act, one, op) {
  if (request(book, act)?.milestones.has(one)) return true
  return op.end > 0 && op.end <= one.reach(op.kind)
}

function give(kind, word) {
  return function authorized(act) {
    const { data, roles } = act
    const one = this.milestone(data.milestone)
    const op = { kind, ...asked(one, data, kind) }
    const repeats = repeated(this, act, one, op)
    permit(repeats ? `${word} again` : word, one.state, ...roles)
    if (data.currency !== this.terms.currency) refuse('escrow.other_currency')
    if (!repeats && data.run) restsOn(this, act, one, op)
    if (!repeats) {
      if ((op.step === null && op.end === 0) || one.free <= 0) refuse('escrow.nothing_held')
      if (needs(op, one.reach(kind)) > one.free) refuse('escrow.over_release')
    }
    enter(this, act, one, op, repeats)
  }
}

/** Refuses unless the run that a release names lets this go: docs/spec/policies.md. */
function restsOn(book, { data, side, writer }, one, { end }) {
  const run = book.runs.get(data.run)
  if (!run || run.one !== one || run.side !== side || run.writer !== writer || run.verdict !== 'allow') refuse('policy.no_run')
  if (run.delivery !== one.delivery) refuse('policy.stale')
  if (end === null || end > run.total) refuse('policy.over_total')
}

/** The end or the step that an authorisation asks for. */
function asked(one, data, kind) {
  const { amount, total, hold, request_id: named } = data
  if (amount !== null) return total !== null || named === null || amount === 0 ? refuse('escrow.unclear_amount') : { end: null, step: amount }
  if (total !== null) return total === 0 ? refuse('escrow.unclear_amount') : { end: total, step: null }
  const funded = one.holds.get(hold)
  return { end: funded === undefined ? 0 : Math.max(0, funded - one.reach(kind === 'release' ? 'refund' : 'release')), step: null }
}

function agentOnly(book, { agent, data }) {
  if (!agent) refuse('deal.not_yours')
  if (data.prev !== book.last) refuse('movement.other_before')
}

/** The named operation and its milestone; it has to be its turn. */
function turn(book, act, kind, number) {
  agentOnly(book, act)
  const one = book.milestones.find(({ open }) => open.some((op) => op.id === act.data.op && op.kind === kind))
  if (!one || (number !== undefined && book.milestones[number - 1] !== one) || one.first(kind).id !== act.data.op) refuse('movement.not_asked')
  return [one.first(kind), one]
}

/** An operation that its own movement authorises, for all that is free. */
function atOnce(one, kind, id) {
  if (!one.free || one.first(kind)) refuse('movement.not_asked')
  return { id, kind, end: null, step: one.free }
}

function exactly(data, amount, withheld) {
  if (amount === 0 || data.amount !== amount || data.fee !== withheld) refuse('movement.other_amount')
}

function cancelling(word) {
  return function answered(act) {
    const one = this.milestones.find(({ cancel }) => cancel?.id === act.data.request) ?? refuse('cancel.none_pending')
    permit(`cancel.${word}`, one.state, ...act.roles, one.cancel.side === act.side ? 'own' : 'other')
    one.cancel = null
    if (word !== 'accepted') return
    const { free } = one
    one.over = true
    if (free > 0) one.open.push({ id: act.id, kind: 'refund', end: null, step: free })
  }
}

const ACTS = {
  taken() {},
  'agent.device'() {},
  'agent.settled'() {},
  'agent.refused'({ side, agent, data }) {
    if (side !== 'third' || !agent) refuse('deal.not_yours')
    if (this.told().state !== 'hired') refuse('deal.wrong_state')
    if (this.consented || data.hire !== this.hire) refuse('agent.not_named')
    Object.assign(this, { state: 'declined', milestones: [], third: null, hire: null })
    this.grants.decline()
  },
  'deal.device_revoked'() {},
  'deal.invited'({ roles, side, id }) {
    permit('deal.invited', this.state, ...roles)
    stand(this, 'invited', side, id)
  },
  'deal.proposed'({ roles, side, id, data }) {
    permit('deal.proposed', this.state, ...roles)
    if (data.milestones.reduce((sum, { amount }) => sum + BigInt(amount), 0n) > MOST) refuse('terms.too_large')
    stand(this, this.state === 'shortlisted' ? 'shortlisted' : 'proposed', side, id)
  },
  'deal.shortlisted'({ roles }) {
    permit('deal.shortlisted', this.state, ...roles)
    this.state = 'shortlisted'
  },
  'deal.declined'(act) {
    answer(this, 'deal.declined', act)
    this.state = 'declined'
  },
  'deal.withdrawn'(act) {
    answer(this, 'deal.withdrawn', act)
    this.state = 'withdrawn'
  },
  'terms.offered'({ roles, side, data: { terms, hash }, id, device }) {
    permit('terms.offered', this.state, ...roles)
    if (terms.client !== this.sides.client || terms.talent !== this.sides.talent) refuse('terms.other_parties')
    const held = terms.agent === this.sides.client
    if (terms.agent === this.sides.talent || (held && terms.agent_device !== device)) refuse('terms.other_agent')
    const sum = terms.milestones.reduce((total, { amount }) => total + BigInt(amount), 0n)
    if (sum + (sum * BigInt(terms.client_fee)) / 10000n > MOST) refuse('terms.too_large')
    if (b64(sha256(canonical(terms))) !== hash) refuse('terms.other_hash')
    stand(this, 'offered', side, id)
    this.offer = { side, id, terms, hash }
  },
  'terms.accepted'({ roles, side, data, id }) {
    const { offer } = this
    permit('terms.accepted', this.state, ...roles, ...(offer ? [offer.side === side ? 'own' : 'other'] : []))
    if (data.offer !== offer.id || data.hash !== offer.hash) refuse('terms.moved')
    this.terms = offer.terms
    this.milestones = this.terms.milestones.map((one) => new Milestone(one))
    this.state = 'hired'
    Object.assign(this, this.terms.agent === this.sides.client ? {} : { third: this.terms.agent, hire: id, consented: false })
  },
  'grant.created'(act) {
    permit('grant.created', this.told().state, ...act.roles)
    const { client, talent } = this.sides
    this.grants.create(act, [client, talent, this.third ?? client], this.milestones.length)
  },
  'grant.revoked'({ roles, data, who }) {
    const grant = this.grants.find(data.grant)
    permit('grant.revoked', this.told().state, ...roles, grant.by === who.identity ? 'own' : 'other')
    if (grant.isRevoked) refuse('grant.ended')
    grant.isRevoked = true
  },
  'grant.approved'({ data, who }) {
    const grant = this.grants.find(data.grant)
    permit('grant.approved', this.told().state, ...(grant.scope.approvals?.of.includes(who.identity) ? ['approver'] : []))
    this.milestone(data.milestone)
    if (data.currency !== this.terms.currency) refuse('grant.unfit')
    grant.approved.set(`${who.identity} ${data.milestone}`, data.total)
  },
  'fund.requested'(act) {
    const { data, roles } = act
    const one = this.milestone(data.milestone)
    const op = { kind: 'fund', end: data.total, step: null }
    const repeats = repeated(this, act, one, op)
    permit(repeats ? 'fund.requested again' : 'fund.requested', one.state, ...roles)
    if (data.currency !== this.terms.currency) refuse('escrow.other_currency')
    if (data.total === 0) refuse('escrow.unclear_amount')
    if (!repeats && data.total > one.amount) refuse('escrow.over_fund')
    enter(this, act, one, op, repeats)
  },
  'deal.signing_key'({ roles }) {
    permit('deal.signing_key', this.told().state, ...roles)
  },
  'run.recorded'({ roles, side, writer, data, id }) {
    const one = this.milestone(data.milestone)
    permit('run.recorded', one.state, ...roles)
    if (data.currency !== this.terms.currency) refuse('escrow.other_currency')
    const { policy, verdict, total, evidence, delivery } = data
    const wanted = [policy, ...evidence.flatMap(({ digest, size }) => [digest, size])]
    const attached = data.files.flatMap(({ digest, size }, at) => (at ? [digest, size] : [digest]))
    const names = new Set(evidence.map(({ name }) => name))
    if (wanted.join() !== attached.join() || names.size !== evidence.length) refuse('policy.bad_record')
    if (total === 0 || (verdict === 'allow') !== (total !== null)) refuse('policy.bad_record')
    if (delivery !== one.delivery) refuse('policy.stale')
    this.runs.set(id, { one, side, writer, policy, verdict, total, delivery })
  },
  'release.authorized': give('release', 'release.authorized'),
  'refund.authorized': give('refund', 'refund.authorized'),
  'work.delivered'({ roles, data, clock, final, id }) {
    const one = this.milestone(data.milestone)
    permit('work.delivered', one.state, ...roles)
    if (!data.files.length && !data.note.trim()) refuse('work.nothing_delivered')
    const runs = final && this.terms.auto_release
    const deadline = runs ? clock + this.terms.review_ms : null
    Object.assign(one, { work: 'delivered', delivery: id, deliveredAt: final ? clock : null, cancel: null, deadline })
  },
  'work.changes_requested'({ roles, data, clock, before }) {
    const one = this.milestone(data.milestone)
    permit('work.changes_requested', one.state, ...roles)
    if (!data.reason.trim()) refuse('work.no_reason')
    if (one.revisions !== null && one.revised >= one.revisions) refuse('work.no_revisions_left')
    if (one.deadline !== null && Math.min(clock, before) >= one.deadline) refuse('work.too_late')
    Object.assign(one, { work: 'changes', revised: one.revised + 1, deadline: null })
  },
  'cancel.requested'({ roles, side, data, id, clock, final }) {
    const one = this.milestone(data.milestone)
    permit('cancel.requested', one.state, ...roles)
    if (one.cancel) refuse('cancel.pending')
    if (one.held) one.cancel = { id, side, lapses: final ? clock + this.terms.cancel_ms : Infinity }
    else one.over = true
  },
  'cancel.accepted': cancelling('accepted'),
  'cancel.declined': cancelling('declined'),
  'cancel.withdrawn': cancelling('withdrawn'),
  'money.held'(act) {
    const { data, id, roles } = act
    const [op, one] = turn(this, act, 'fund', data.milestone)
    permit('money.held', one.state, ...roles)
    const amount = needs(op, one.funded)
    const net = one.funded - one.refunded
    exactly(data, amount, step(net, net + amount, this.terms.client_fee))
    one.funded += amount
    one.charged += data.amount + data.fee
    one.holds.set(id, one.funded)
    one.close(op, amount)
    this.last = id
  },
  'money.refused'(act) {
    const [op, one] = turn(this, act, 'fund')
    permit('money.refused', one.state, ...act.roles)
    one.close(op, null)
    this.last = act.id
  },
  'money.released'(act) {
    const { data, id, roles, clock } = act
    const [op, one] = data.op === null ? lapsed(this, act, clock) : turn(this, act, 'release', data.milestone)
    if (data.op !== null) permit('money.released', one.state, ...roles)
    const amount = needs(op, one.released)
    const withheld = step(one.released, one.released + amount, this.terms.talent_fee)
    exactly(data, amount, withheld)
    one.released += amount
    one.credit.talent += amount - withheld
    one.close(op, amount)
    this.last = id
  },
  'money.refunded'(act) {
    const { data, id, roles, clock } = act
    const asking = this.milestone(data.milestone)
    const silent = asking.cancel?.id === data.op
    const [op, one] = silent ? unanswered(this, act, asking, clock) : turn(this, act, 'refund', data.milestone)
    if (!silent) permit('money.refunded', one.state, ...roles)
    const amount = needs(op, one.refunded)
    const net = one.funded - one.refunded
    const back = step(net - amount, net, this.terms.client_fee)
    exactly(data, amount, back)
    if (silent) Object.assign(one, { over: true, cancel: null })
    one.refunded += amount
    one.credit.client += amount + back
    one.close(op, amount)
    this.last = id
  },
  'money.paid_out'(act) {
    const { data, id, roles } = act
    const one = this.milestone(data.milestone)
    agentOnly(this, act)
    permit('money.paid_out', one.state, ...roles)
    const side = data.to === this.sides.talent ? 'talent' : data.to === this.sides.client ? 'client' : null
    const owed = side ? one.credit[side] - one.paid[side] : 0
    if (!data.amount || data.amount > owed || !data.ref.trim()) refuse('movement.over_paid')
    one.paid[side] += data.amount
    this.last = id
  },
  'money.reversed'(act) {
    const { data, id, roles } = act
    const one = this.milestone(data.milestone)
    agentOnly(this, act)
    permit('money.reversed', one.state, ...roles)
    if (!data.amount || data.amount > one.charged - one.reversed || !data.ref.trim() || one.reversals.has(data.ref)) refuse('movement.over_reversed')
    one.reversed += data.amount
    one.reversals.add(data.ref)
    this.last = id
  },
}

/** The deadline of a delivery has passed. */
function lapsed(book, act, clock) {
  agentOnly(book, act)
  const one = book.milestone(act.data.milestone)
  permit('money.released late', one.state, ...act.roles)
  if (one.deadline === null || clock < one.deadline) refuse('movement.not_due')
  return [atOnce(one, 'release', act.id), one]
}

/** A request to cancel was left without an answer for long enough. */
function unanswered(book, act, one, clock) {
  agentOnly(book, act)
  permit('money.refunded late', one.state, ...act.roles)
  if (clock < one.cancel.lapses) refuse('movement.not_due')
  return [atOnce(one, 'refund', act.data.op), one]
}
