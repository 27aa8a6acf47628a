// The agent's line, a way through the tree of what devices in the role have said: docs/spec/order.md, "Moving the role".
import { byRows } from './bytes.mjs'

const MONEY = ['money.held', 'money.released', 'money.refunded', 'money.paid_out', 'money.reversed']
const RANK = [({ lamport }) => lamport, ({ device }) => device, ({ seq }) => seq, ({ id }) => id]

/** The names of events that client and talent both named as the last one, in the order in which that counts. */
export function settled(events, ...sides) {
  const words = events.filter(({ suite, said, fault }) => suite === 1 && !fault && said.kind === 'agent.settled').sort(byRows(RANK))
  const [client, talent] = sides.map((side) => words.filter(({ who }) => who.identity === side).map(({ said }) => said.data.last))
  return [...new Set(client)].filter((last) => talent.includes(last))
}

class Tree {
  constructor(opening, speakers) {
    Object.assign(this, { opening, speakers, first: opening.said.data.agent_device, held: new Map(), follows: new Map(), given: new Map() })
    const heard = new Map(speakers.map((event) => [event.name, event]))
    this.before = new Map(speakers.map((event) => [event.name, earlier(event, heard)]))
    this.next = new Map()
    for (const event of speakers) {
      const before = this.before.get(event.name)
      if (before) this.next.set(before.name, [...(this.next.get(before.name) ?? []), event])
    }
    this.begins = opening.chain === this.first ? speakers.filter((event) => event === opening) : this.beginning(this.first)
    this.grow(opening.name, this.begins)
    this.move()
  }

  /** The first words of a device, one for each history that begins apart. */
  beginning(device) {
    return this.speakers.filter(({ chain, name }) => chain === device && !this.before.get(name))
  }

  grow(after, starts) {
    for (const start of starts) if (start.name !== after) this.follows.set(start.name, after)
    for (const open = [...starts]; open.length; ) {
      const event = open.pop()
      this.held.set(event.name, event)
      for (const each of this.next.get(event.name) ?? []) {
        this.follows.set(each.name, event.name)
        open.push(each)
      }
    }
  }

  /** Movements of the role, each a further way on from the event it names. */
  move() {
    const had = new Set([this.first])
    const moves = this.speakers.filter(({ said, fault }) => !fault && said.kind === 'agent.device')
    for (const move of moves.sort(byRows([({ lamport }) => lamport, ({ name }) => name]))) {
      const { device, after } = move.said.data
      const isOwn = move.chain === device
      const again = had.has(device)
      if (move.chain !== this.first && move.who.kind !== 'admin') continue
      if (!this.held.has(after) && after !== this.opening.name) continue
      if (again && !(isOwn && this.held.has(move.name))) continue
      const starts = isOwn ? [move] : this.beginning(device)
      this.given.set(after, [...(this.given.get(after) ?? []), { name: move.name, device, starts }])
      had.add(device)
      if (again) this.follows.set(move.name, after)
      else this.grow(after, starts)
    }
  }

  /** The names on the way from an event back to the opening, it first. */
  wayTo(name) {
    const way = []
    for (let at = name; at !== undefined && !way.includes(at); at = this.follows.get(at)) way.push(at)
    return way
  }

  /** The ways on from an event, on which no device has had the role that had it on the way here. */
  ways(at, holders, passed) {
    const own = this.held.has(at) ? (this.next.get(at) ?? []) : this.begins
    const straight = own.map((start) => ({ handed: 1, name: start.name, device: start.chain, start }))
    const given = (this.given.get(at) ?? []).filter(({ device }) => !holders.includes(device))
    const aside = given.flatMap(({ name, device, starts }) => (starts.length ? starts : [null]).map((start) => ({ handed: 0, name, device, start })))
    return [...straight, ...aside].filter(({ start }) => start === null || !passed.has(start.name))
  }
}

/** The nearest event before one on its chain that may be heard. */
function earlier(event, heard) {
  for (let at = event.before; at; at = at.before) if (heard.has(at.name)) return at
  return null
}

/** For events on the way to what was settled: the name of the one that has to follow. */
function wantedBy(tree, names) {
  const wanted = new Map()
  for (const name of names.filter((each) => tree.held.has(each))) {
    const way = tree.wayTo(name)
    const pairs = way.slice(1).map((before, at) => [before, way[at]])
    if (pairs.every(([before, after]) => (wanted.get(before) ?? after) === after)) for (const pair of pairs) wanted.set(...pair)
  }
  return wanted
}

/** The line behind an opening and who has the role; `speakers`: the client's sealed events that may stand on it. */
export function wayThrough(opening, speakers, names) {
  const tree = new Tree(opening, speakers)
  const moved = speakers.filter(({ name, said }) => tree.held.has(name) && MONEY.includes(said?.kind))
  const moving = new Set(moved.flatMap(({ name }) => tree.wayTo(name)))
  const wanted = wantedBy(tree, names)
  const holders = [tree.first]
  const line = tree.held.has(opening.name) ? [opening] : []
  const passed = new Set([opening.name])
  for (let at = opening.name; ; ) {
    const ways = tree.ways(at, holders, passed)
    const settledOn = ways.filter(({ start }) => start && start.name === wanted.get(at))
    const paid = ways.filter(({ start }) => start && moving.has(start.name))
    const among = settledOn.length ? settledOn : paid.length ? paid : ways
    const [way] = among.sort(byRows([({ handed }) => handed, ({ name }) => name, ({ start }) => start?.name ?? '']))
    if (way && way.device !== holders.at(-1)) holders.push(way.device)
    if (!way?.start) break
    at = way.start.name
    line.push(way.start)
    passed.add(at)
  }
  return { line, agent: holders.at(-1), moves: moved.length > 0, isSettled: names.some((name) => tree.held.has(name)) }
}
