// The forms of sealed bodies: docs/spec/kinds.md.
import { unb64 } from './bytes.mjs'
import { characters, integer, keyed } from './json.mjs'

const MOST = 2 ** 53 - 1
const text = (least, most, wrong) => (value) =>
  typeof value === 'string' &&
  !/\p{Surrogate}/u.test(value) &&
  Buffer.byteLength(value) <= 48 * 1024 &&
  characters(value) >= least &&
  characters(value) <= most &&
  !wrong.test(value)
/* eslint-disable no-control-regex */
const CONTROLS = /[\x00-\x1f\x7f]/
const PROSE = /[\x00-\x08\x0b-\x1f\x7f]/
const SKILL = /[\x00-\x20\x7f-\xa0,;=]/
/* eslint-enable no-control-regex */
const line = text(0, 200, CONTROLS)
const title = text(1, 120, CONTROLS)
const name = text(1, 64, CONTROLS)
const prose = text(0, 32000, PROSE)
const key = (size) => (value) => unb64(value, size) !== null
const id = key(32)
const number = (least, most) => (value) => integer(value, least, most)
const minor = number(0, MOST)
const ms = number(0, 253370764799999)
const n = number(1, 100)
const bool = (value) => typeof value === 'boolean'
const shaped = (pattern) => (value) => typeof value === 'string' && pattern.test(value)
const currency = shaped(/^[A-Z]{3}$/)
const zone = shaped(/^[A-Za-z0-9_+/-]{1,64}$/)
const email = shaped(/^[!-~]{1,64}@[!-~]{1,190}$/)
const link = shaped(/^(?:http|https|tel|sip|xmpp|mailto):[!-~]{1,500}$/)
const callLink = shaped(/^(?:https|tel|sip|xmpp):[!-~]{1,500}$/)
const wall = shaped(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/)
const either = (...words) => (value) => words.includes(value)
const or = (form) => (value) => value === null || form(value)
const list = (form, least, most) => (value) =>
  Array.isArray(value) && value.length >= least && value.length <= most && value.every((each) => form(each))
const object = (fields) => (value) => keyed(value, ...Object.keys(fields)) && Object.keys(fields).every((at) => fields[at](value[at]))

const role = either('client', 'talent')
const requestId = text(1, 128, CONTROLS)
const file = { name: text(1, 200, CONTROLS), size: minor, digest: id, address: id, key: id }
const files = list(object(file), 0, 20)
const skills = list(text(1, 40, SKILL), 0, 30)
const category = text(0, 40, CONTROLS)
const boxKey = object({ id, key: key(1216) })
const price = object({ amount: minor, currency })
const rate = object({ amount: minor, currency, per: either('hour', 'day', 'project') })
const service = { title, category, description: prose, price: or(price), days: or(number(1, 3650)), skills }
const budget = object({ least: minor, most: minor, currency })
const post = { title, category, skills, budget: or(budget), deadline: or(ms), tz: zone, location: line, brief: prose }
const length = number(0, 3650 * 86400000)
const agreed = object({
  title, amount: number(1, MOST), due: or(ms), criteria: list(text(1, 500, CONTROLS), 0, 20), revisions: or(number(0, 1000)),
})
export const terms = object({
  client: id, talent: id, agent: id, agent_device: id, arbiter: or(id), currency, milestones: list(agreed, 1, 100),
  client_fee: number(0, 10000), talent_fee: number(0, 10000), review_ms: length, auto_release: bool, rail: either('manual', 'sim'),
  dispute_ms: length, dispute_default: role, cancel_ms: length, law: or(line), supersedes: or(id),
})
const fund = { milestone: n, total: minor, currency, request_id: or(requestId), fingerprint: id }
const authorized = { ...fund, total: or(minor), amount: or(minor), hold: or(id) }
const start = number(0, 253370764799999 - 86400000)
const slot = object({ wall, zone, start, minutes: number(1, 1440), tzdata: text(1, 40, CONTROLS) })
const stars = number(1, 5)
const words = text(0, 6000, PROSE)
const voucher = object({
  deal: id, digest: id, by: id, about: id, role, secured: bool, agent: id, device: id,
  certificates: list(text(1, 2000, CONTROLS), 0, 4), signature: key(64),
})
const sealed = shaped(/^[A-Za-z0-9_-]{22,48000}$/)

const hours = list(object({ opens: number(0, 1439), closes: number(1, 1440) }), 0, 8)
const minutes = number(1, 1440)
const notice = number(0, 43200)
const step = number(5, 720)
const callKind = object({
  name: shaped(/^[a-z0-9_-]{1,40}$/), lengths: list(minutes, 1, 4), step, before: number(0, 180), after: number(0, 180), notice,
  window: number(1, 366), per_day: or(number(1, 100)), per_week: or(number(1, 100)), place: or(callLink),
})
const run = object({ first: ms, count: number(1, 10000) })

const certificate = text(1, 2000, CONTROLS)
const revocation = {
  device: id, last: or(object({ seq: minor, id })), keeps: list(id, 0, 100), at: ms, by: id, certificates: list(certificate, 0, 4), signature: key(64),
}

const verb = either('deliver', 'fund', 'refund', 'release')
const approvals = object({ need: number(1, 3), of: list(id, 1, 3) })
const scope = object({
  can: list(verb, 1, 4), milestone: or(n), max: minor, per_day: or(minor), until: ms, approvals: or(approvals),
  delivered_for_ms: or(number(0, 366 * 86400000)), policy: or(id),
})

const FORMS = {
  self: {
    'self.settings': { handle: name, name, role, currency, tz: zone, email: or(email) },
    'self.box_key': { id, seed: id },
    'self.device': { certificate },
    'self.review_key': { deal: id, review: id, key: id },
    'self.device_renewed': { device: id, before: id },
    'self.device_revoked': revocation,
    'self.device_box': { device: id, key: key(1216) },
    'self.device_named': { device: id, name },
    'self.root_box': { key: key(1216) },
    'self.board': { board: id, key: id, name: line },
    'self.availability': {
      zone, week: list(hours, 7, 7), days: list(object({ day: shaped(/^\d{4}-\d\d-\d\d$/), hours }), 0, 366), kinds: list(callKind, 1, 5),
    },
    'self.place': { url: text(1, 500, CONTROLS), auto: bool, boards: list(id, 0, 1000), invite: or(line), gone: bool },
  },
  board: {
    'board.named': { name: title },
    'profile.published': {
      handle: name, name, role, headline: line, bio: prose, skills, rates: list(rate, 0, 10), location: line, links: list(link, 0, 20),
      tz: zone, box_key: boxKey,
    },
    'service.published': service,
    'service.revised': { service: id, ...service },
    'service.closed': { service: id },
    'post.published': post,
    'post.revised': { post: id, ...post },
    'post.closed': { post: id, reason: either('closed', 'filled') },
    'board.device_revoked': revocation,
    'review.published': { about: id, stars, recommend: or(bool), text: words, voucher },
  },
  deal: {
    'deal.opened': { board: id, post: or(id), client: id, talent: id, agent_device: id, client_box: boxKey, talent_box: boxKey },
    'contact.shared': { handle: name, name, tz: zone, email: or(email) },
    'slots.shared': { tz: zone, lengths: list(object({ minutes, step, notice, place: or(callLink), runs: list(run, 0, 1000) }), 0, 20) },
    'deal.invited': { note: prose },
    'deal.proposed': {
      currency, milestones: list(object({ title, amount: number(1, MOST), due: or(ms) }), 1, 100), tz: zone, cover: prose, valid_until: or(ms),
    },
    'deal.shortlisted': {},
    'deal.declined': { of: id, reason: prose },
    'deal.withdrawn': { of: id },
    'terms.offered': { terms, hash: id, signature: key(64) },
    'terms.accepted': { offer: id, hash: id, signature: key(64) },
    'message.sent': { text: prose, files },
    'deal.device_revoked': { ...revocation, box: boxKey },
    'agent.device': { device: id, after: id },
    'agent.settled': { last: id },
    'agent.refused': { hire: id, reason: prose },
    taken: {},
    'fund.requested': fund,
    'work.update': { milestone: or(n), text: prose, files },
    'work.delivered': { milestone: n, note: prose, files },
    'work.changes_requested': { milestone: n, reason: prose },
    'release.authorized': { ...authorized, run: or(id) },
    'run.recorded': {
      milestone: n, policy: id, verdict: either('allow', 'deny', 'wait'), total: or(minor), currency, reasons: list(line, 0, 20), delivery: or(id),
      evidence: list(object({ name: text(1, 200, CONTROLS), digest: id, size: minor }), 0, 19), files,
    },
    'deal.signing_key': { key: id },
    'refund.authorized': authorized,
    'cancel.requested': { milestone: n, reason: prose },
    'cancel.accepted': { request: id },
    'cancel.declined': { request: id },
    'cancel.withdrawn': { request: id },
    'money.held': { op: id, milestone: n, amount: minor, fee: minor, cost: minor, prev: id, ref: line },
    'money.refused': { op: id, reason: line, prev: id },
    'money.released': { op: or(id), milestone: n, amount: minor, fee: minor, prev: id },
    'money.refunded': { op: id, milestone: n, amount: minor, fee: minor, prev: id },
    'money.paid_out': { milestone: n, to: id, amount: minor, cost: minor, prev: id, ref: line },
    'money.reversed': { milestone: n, amount: minor, cost: minor, prev: id, ref: line },
    'grant.created': { key: id, box: boxKey, name, scope, certificate },
    'grant.revoked': { grant: id },
    'grant.approved': { grant: id, milestone: n, total: minor, currency },
    'booking.offered': {
      booking: or(id), answers: or(id), slots: list(slot, 1, 5), until: ms, url: or(callLink), note: prose, notice: number(0, 43200), allow_overlap: bool,
    },
    'booking.series_offered': {
      booking: or(id), answers: or(id), slot, days: number(1, 366), starts: list(start, 2, 200), until: ms, url: or(callLink), note: prose,
      notice: number(0, 43200), allow_overlap: bool,
    },
    'booking.skipped': { booking: id, starts: list(start, 1, 200) },
    'booking.accepted': { booking: id, offer: id, slot: number(1, 5), allow_overlap: bool },
    'booking.declined': { booking: id, offer: id, reason: prose },
    'booking.withdrawn': { booking: id, offer: id, reason: either('withdrawn', 'expired') },
    'booking.cancelled': { booking: id, reason: prose },
    'booking.met': { booking: id },
    'booking.missed': { booking: id, missing: id },
    'booking.lost': { booking: id, commitment: id },
    'review.sealed': { commitment: id, box: sealed, agent_box: or(key(1168)) },
    'review.opened': { review: id, key: id, stars, recommend: or(bool), text: words },
    'review.voucher': { review: id, voucher },
  },
}
export const FREE = new Set(['contact.shared', 'message.sent', 'slots.shared', 'work.update'])

/** Is it a kind of deals that folds in the agent's order? */
export const isGuarded = (kind) => Object.hasOwn(FORMS.deal, kind) && !FREE.has(kind)

/** Why the content of an event counts for nothing, by its form alone: a code, or null; `among`: the kinds that a run may write. */
export function formFault(space, { kind, v, data }, among = null) {
  const home = Object.keys(FORMS).find((each) => Object.hasOwn(FORMS[each], kind))
  if (home === undefined || v !== 1) return 'kind.unknown'
  if (home !== space) return 'kind.misplaced'
  if (among && !among.includes(kind)) return 'grant.kind'
  return object(FORMS[home][kind])(data) ? null : 'body.invalid'
}
