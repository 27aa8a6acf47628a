// A deal from its events: who is heard, the agent's line, uptake, and the order of the fold. docs/spec/order.md.
import { Refused, b64, byRows, compare, same, unb64 } from './bytes.mjs'
import { holds } from './ed25519.mjs'
import { certified, commitment, opened, plaintext } from './envelope.mjs'
import { REVOCATION, stated } from './devices.mjs'
import { Book } from './escrow.mjs'
import { FREE, formFault, isGuarded } from './kinds.mjs'
import { beyond, cutOff } from './cuts.mjs'
import { settled, wayThrough } from './line.mjs'
import { voucher } from './reviews.mjs'

const quietly = (work) => {
  try {
    return [work(), null]
  } catch (error) {
    if (error instanceof Refused) return [null, error.code]
    throw error
  }
}
export const RANK = [({ lamport }) => lamport, ({ device }) => device, ({ seq }) => seq, ({ id }) => id]

/** Every event that leads back to the beginning of its chain, each behind the one before it; a chain may be a tree. */
function eventsOf(segments) {
  const found = new Map()
  for (const { events } of [...segments].sort((left, right) => compare(left.first, right.first)))
    for (const event of events) {
      const [name, before] = [b64(event.id), found.get(b64(event.prev)) ?? null]
      const follows = event.seq === 0n || (before && same(before.device, event.device) && before.seq + 1n === event.seq)
      if (follows && !found.has(name)) found.set(name, { ...event, name, before, chain: b64(event.device) })
    }
  return [...found.values()].sort(byRows([({ seq }) => seq]))
}

/** Opens sealed events: whose they are, what each says, and why one counts for nothing. */
function read(events, secret, epoch) {
  for (const event of events) {
    event.who = event.before?.who ?? null
    if (event.suite !== 1) continue
    event.waits = !same(event.epoch, epoch)
    const [said, fault] = quietly(() => plaintext(opened(event, event.body, secret)))
    Object.assign(event, { said, fault })
    event.who ??= owner(event) // by the first sealed event of its history
    if (event.who.fault) event.fault ??= event.who.fault
    else if (said) event.fault = formFault('deal', said) ?? signatureFault(event)
  }
}

function owner({ said, device }) {
  const [proved] = quietly(() => certified(said?.cert, device))
  if (proved && ['admin', 'device'].includes(proved.kind)) return { ...proved, identity: b64(proved.identity), fault: null }
  return { identity: null, kind: null, above: [], fault: 'certificate.bad' }
}

function signatureFault({ said: { kind, data }, device, who }) {
  if (REVOCATION.test(kind)) return stated(data, who.identity) ? null : 'device.bad_revocation'
  if (kind === 'review.voucher') return quietly(() => voucher(data.voucher))[1]
  if (!['terms.offered', 'terms.accepted'].includes(kind)) return null
  return holds(device, 'terms', unb64(data.hash), unb64(data.signature)) ? null : 'terms.bad_signature'
}

const names = (event, [device, seq]) => event !== undefined && b64(event.device) === device && event.seq === BigInt(seq)

/** Gives each event that need not wait its lamport and what it covers; others are left out. */
function place(events) {
  const placed = new Map()
  for (let moved = true; moved; ) {
    moved = false
    for (const event of events) {
      const seen = event.said?.seen ?? []
      const held = !event.before || placed.has(event.before.name)
      if (placed.has(event.name) || event.waits || !held || !seen.every((cited) => names(placed.get(cited[2]), cited))) continue
      event.from = [...(event.before ? [event.before] : []), ...seen.map(([, , id]) => placed.get(id))]
      event.lamport = event.from.length ? 1 + Math.max(...event.from.map((each) => each.lamport)) : 0
      placed.set(event.name, event)
      moved = true
    }
  }
  return [...placed.values()].sort(byRows(RANK))
}

/** The place of the first event of the line that covers each event. */
function covered(line) {
  const taken = new Map()
  for (const [at, event] of line.entries()) {
    const open = [event]
    while (open.length) {
      const each = open.pop()
      if (taken.has(each.name)) continue
      taken.set(each.name, at)
      open.push(...each.from)
    }
  }
  return taken
}

/** Without the events that an earlier one of the line covers: they were taken up before their device had the role. */
function telling(line) {
  const taken = new Map()
  return line.filter((event) => {
    if (taken.has(event.name)) return false
    for (const name of covered([event]).keys()) taken.set(name, true)
    return true
  })
}

/** Which opening counts, the agent's line behind it, and who has the role. */
function lineOf(space, events, openings) {
  const trees = openings.map((opening) => {
    const among = openings.length > 1 ? covering(events, opening) : null
    const { client, talent } = opening.said.data
    const off = cutOff(events, client, talent)
    const speaks = (event) => event.suite === 1 && event.who.identity === client && !off.has(event.name) && (!among || among.has(event.name))
    return { opening, ...wayThrough(opening, events.filter(speaks), settled(events, client, talent)) }
  })
  const wanted = trees.filter(({ isSettled }) => isSettled)
  const moving = trees.filter(({ moves }) => moves)
  const among = wanted.length ? wanted : moving.length ? moving : trees
  const taker = ({ opening, line }) => line.find(({ chain }) => chain !== opening.chain)
  const rows = [(each) => (taker(each) ? 0 : 1), ...RANK.map((row) => (each) => (taker(each) ? row(taker(each)) : 0)), ({ opening }) => opening.name]
  const best = [...among].sort(byRows(rows))[0]
  return { ...best, line: telling(best.line) }
}

/** The names of an event and of all that cover it. */
function covering(events, opening) {
  const found = new Set([opening.name])
  for (const { name, from } of events) if (from.some((each) => found.has(each.name))) found.add(name)
  return found
}

/** The state of a deal as folded from verified segments of its space, with the epoch secret. */
export function foldDeal(space, segments, secret) {
  const all = eventsOf(segments)
  read(all, secret, commitment(space, secret).subarray(0, 8))
  const events = place(all)
  const genesis = events.find(({ id }) => same(id, space))
  const openings = events.filter((event) => event.chain === genesis?.chain && event.suite === 1 && isFirst(event) && opens(event))
  if (!openings.length) return { opened: false }
  const { opening, line, agent } = lineOf(space, events, openings)
  const uptake = covered(line)
  const book = new Book(opening, beyond(events))
  const sealed = events.filter(({ suite }) => suite === 1)
  const order = [
    ({ name }) => uptake.get(name) ?? Infinity,
    ({ said, fault }) => (!fault && REVOCATION.test(said.kind) ? said.data.certificates.length : Infinity), // by the root first
    ({ name }) => (line[uptake.get(name)]?.name === name ? 1 : 0), // the agent's own event last
    ...RANK,
  ]
  const clocks = []
  line.forEach((event, at) => (clocks[at] = Math.max(event.said?.at ?? 0, clocks[at - 1] ?? 0)))
  for (const event of sealed.sort(byRows(order))) {
    if (event.fault) continue
    const at = uptake.get(event.name)
    const final = at !== undefined
    const device = final ? line[at].chain : agent
    if (FREE.has(event.said.kind)) event.fault = book.side(event) ? null : 'deal.not_a_member'
    else event.fault = book.apply(event, { clock: clocks[at ?? line.length - 1] ?? 0, agent: line[at] === event, device, final })
  }
  const rows = sealed.sort(byRows([({ device }) => device, ({ seq }) => seq, ({ id }) => id]))
  const guarded = (event) => event.said !== null && isGuarded(event.said.kind)
  const told = rows.map((event) => [event.name, guarded(event) ? (uptake.get(event.name) ?? null) : null, event.fault ?? 'ok'])
  return { opened: true, agent, line: line.length, events: told, ...book.told() }
}

/** Is it the first sealed event of its history? */
function isFirst({ before }) {
  for (let at = before; at; at = at.before) if (at.suite === 1) return false
  return true
}

function opens({ said, fault, who }) {
  if (!said || fault || said.kind !== 'deal.opened') return false
  const { client, talent } = said.data
  return client !== talent && [client, talent].includes(who.identity)
}
