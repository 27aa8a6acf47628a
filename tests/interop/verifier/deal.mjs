// A deal from its events: who is heard, the agent's line, uptake, and the order of the fold. docs/spec/order.md.
import { Refused, b64, byRows, compare, same, unb64 } from './bytes.mjs'
import { holds } from './ed25519.mjs'
import { certified, commitment, opened, plaintext } from './envelope.mjs'
import { REVOCATION, stated } from './devices.mjs'
import { Book } from './escrow.mjs'
import { RUN_KINDS, isCertified } from './grants.mjs'
import { FREE, formFault, isGuarded } from './kinds.mjs'
import { beyond, cutOff } from './cuts.mjs'
import { MONEY, leads, settled, wayThrough } from './line.mjs'
import { voucher } from './reviews.mjs'
import { Thirds } from './third.mjs'

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
    else if (said) event.fault = formFault('deal', said, event.who.grant && RUN_KINDS) ?? signatureFault(event)
  }
}

function owner({ said, device, space }) {
  const [proved] = quietly(() => certified(said?.cert, device))
  const counts = proved && (['admin', 'device'].includes(proved.kind) || (proved.grant && same(proved.grant.space, space)))
  if (counts) return { ...proved, identity: b64(proved.identity), fault: null }
  return { identity: null, kind: null, grant: null, above: [], fault: 'certificate.bad' }
}

function signatureFault(event) {
  const { said: { kind, data }, device, who } = event
  if (REVOCATION.test(kind)) return stated(data, who.identity) ? null : 'device.bad_revocation'
  if (kind === 'grant.created') return quietly(() => isCertified(data, event))[0] ? null : 'grant.bad_certificate'
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
function lineOf(events, openings) {
  const told = openings.map((opening) => {
    const among = openings.length > 1 ? covering(events, opening) : null
    const { client, talent } = opening.said.data
    const names = settled(events, client, talent)
    const thirds = new Thirds(events, names, opening.said.data)
    const off = cutOff(events, client, talent)
    const speaks = ({ suite, who, name }) => suite === 1 && who.identity === client && !who.grant && !off.has(name)
    const spoken = events.filter((event) => speaks(event) && (!among || among.has(event.name)))
    return { opening, names, thirds, spoken }
  })
  const isNamed = told.some(({ thirds }) => thirds.hired.length)
  const stands = isNamed ? new Set(told.flatMap((each) => standing(events, each))) : null
  const trees = told.map((each) => ({ ...each, way: wayThrough(each.opening, each.spoken, each.names, stands) }))
  const wanted = trees.filter(({ way }) => way.isSettled)
  const moving = trees.filter(({ way }) => way.moves)
  const among = wanted.length ? wanted : moving.length ? moving : trees
  const taker = ({ opening, way }) => way.line.find(({ chain }) => chain !== opening.chain)
  const rows = [(each) => (taker(each) ? 0 : 1), ...RANK.map((row) => (each) => (taker(each) ? row(taker(each)) : 0)), ({ opening }) => opening.name]
  const [{ opening, way, thirds }] = [...among].sort(byRows(rows))
  const contested = way.contested || (!wanted.length && moving.length > 1)
  return { opening, contested, ...extended(opening, events, { ...way, contested }, thirds) }
}

/** The client's line as far as no third party holds the money, then that one's; `own`: how much of it is the client's. */
function extended(opening, events, { line: whole, agent, contested }, thirds) {
  for (let line = telling(whole), from = 0; ; ) {
    const hire = folded(opening, events, line, agent, thirds).hires.find(({ at }) => at >= from)
    if (!hire) return { line, own: line.length, agent, thirds }
    const head = line.slice(0, hire.at + 1)
    const answer = thirds.answer(hire, head.at(-1).name)
    const awaited = { own: head.length, agent: hire.device, thirds }
    if (!answer) return { ...awaited, line: head }
    if (!answer.refusal) {
      const isContested = contested || answer.contested
      return { ...awaited, line: telling([...head, ...answer.line]), agent: answer.agent, contested: isContested, consented: true }
    }
    const refused = telling([...head, answer.refusal])
    if (folded(opening, events, refused, agent, thirds).faults.get(answer.refusal.name)) return { ...awaited, line: refused }
    from = head.length
    line = telling([...head, answer.refusal, ...line.slice(from)])
  }
}

/** The names of what chooses among the client's ways where terms name a third party: movements that count, consents. */
function standing(events, { opening, spoken, thirds }) {
  const found = []
  for (const lead of leads(opening, spoken)) {
    const { line, own, agent, consented } = extended(opening, events, lead, thirds)
    const { faults } = folded(opening, events, line.slice(0, own), agent, thirds)
    for (const { name, said } of line.slice(0, own)) if (MONEY.includes(said?.kind) && faults.get(name) === null) found.push(name)
    if (consented) found.push(line[own - 1].name)
  }
  return found
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
  const { opening, line, agent, thirds, contested } = lineOf(events, openings)
  const { book, uptake, faults } = folded(opening, events, line, agent, thirds)
  const rows = events.filter(({ suite }) => suite === 1).sort(byRows([({ device }) => device, ({ seq }) => seq, ({ id }) => id]))
  const guarded = (event) => event.said !== null && isGuarded(event.said.kind)
  const told = rows.map((event) => [event.name, guarded(event) ? (uptake.get(event.name) ?? null) : null, event.fault ?? faults.get(event.name) ?? 'ok'])
  return { opened: true, agent, line: line.length, contested, events: told, ...book.told() }
}

/** What everything comes to along a line; `hires`: acceptances that count and name a third party, with their uptake. */
function folded(opening, events, line, agent, thirds) {
  const uptake = covered(line)
  const book = new Book(opening, beyond(events))
  const order = [
    ({ name }) => uptake.get(name) ?? Infinity,
    ({ said, fault }) => (!fault && REVOCATION.test(said.kind) ? said.data.certificates.length : Infinity), // by the root first
    ({ name }) => (line[uptake.get(name)]?.name === name ? 1 : 0), // the agent's own event last
    ...RANK,
  ]
  const clocks = []
  line.forEach((event, at) => (clocks[at] = Math.max(event.said?.at ?? 0, clocks[at - 1] ?? 0)))
  const [faults, hires] = [new Map(), []]
  for (const event of events.filter(({ suite, fault }) => suite === 1 && !fault).sort(byRows(order))) {
    const at = uptake.get(event.name)
    const final = at !== undefined
    const device = final ? line[at].chain : agent
    if (FREE.has(event.said.kind)) {
      const isHeard = book.side(event) || thirds.hired.some((hire) => hire.agent === event.who.identity)
      faults.set(event.name, isHeard ? null : 'deal.not_a_member')
      continue
    }
    faults.set(event.name, book.apply(event, { clock: clocks[at ?? line.length - 1] ?? 0, agent: line[at] === event, device, final }))
    if (final && book.hire === event.name) hires.push({ name: event.name, at, agent: book.third, device: book.terms.agent_device })
  }
  return { book, uptake, faults, hires }
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
