// What a revocation in a deal cuts off its chains, and off the agent's line: docs/spec/devices.md, docs/spec/order.md.
import { byRows } from './bytes.mjs'
import { REVOCATION, limit, standing } from './devices.mjs'

const isRevocation = ({ suite, said, fault }) => suite === 1 && !fault && REVOCATION.test(said.kind)

/** The events up to one of them, by name. */
function historyOf(event) {
  const found = new Set()
  for (let at = event; at; at = at.before) found.add(at.name)
  return found
}

/** Says whether an event lies behind a seq, or on a history that the revocation of its device does not know. */
export function beyond(events, revocations = events.filter(isRevocation)) {
  const known = new Map()
  for (const { said, who } of revocations) {
    const { device, last } = said.data
    const own = events.some((event) => event.chain === device && event.who?.identity === who.identity)
    if (known.has(device) || !own) continue
    const heads = events.filter(({ chain }) => chain === device).filter((event, _, all) => !all.some(({ before }) => before === event))
    if (heads.length < 2) continue
    const named = last && events.find(({ chain, seq, name }) => chain === device && Number(seq) === last.seq && name === last.id)
    known.set(device, { heads: heads.map(historyOf), named: named ? historyOf(named) : new Set(), last: named })
  }
  return (event, cut) => Number(event.seq) > cut || isStray(known.get(event.chain), event)
}

function isStray(known, event) {
  if (!known || known.heads.every((way) => way.has(event.name)) || known.named.has(event.name)) return false
  return !historyOf(event).has(known.last?.name)
}

/** The names of the owner's events that are on no line: cut off, and not known to a witness before that. */
export function cutOff(events, owner, ...witnesses) {
  const said = events.filter((event) => isRevocation(event) && event.who.identity === owner)
  const claims = said.map((event) => ({ event, data: event.said.data, above: event.who.above }))
  const orders = standing(claims.sort(byRows([({ data }) => data.certificates.length])))
  if (!orders.length) return new Set()
  const isBeyond = beyond(events, said)
  const late = events.filter((event) => {
    if (event.who?.identity !== owner) return false
    const cut = limit(event.who.above, orders)
    return cut !== null && isBeyond(event, cut)
  })
  const relied = witnessed(events, witnesses, new Set(said.map(({ name }) => name)))
  return new Set(late.map(({ name }) => name).filter((name) => !relied.has(name)))
}

/** The names of all that sealed events of witnesses cover which cover none of the revocations. */
function witnessed(events, witnesses, revocations) {
  const found = new Set()
  for (const event of events.filter(({ suite, who }) => suite === 1 && witnesses.includes(who.identity))) {
    const covers = new Map()
    for (const open = [event]; open.length; ) {
      const each = open.pop()
      if (covers.has(each.name)) continue
      covers.set(each.name, each)
      open.push(...each.from)
    }
    if ([...covers.keys()].some((name) => revocations.has(name))) continue
    for (const name of covers.keys()) found.add(name)
  }
  return found
}
