// The agent's line, a way through the tree of what devices in the role have said: docs/spec/order.md, "Moving the role".
import { byRows } from './bytes.mjs'

export const MONEY = ['money.held', 'money.released', 'money.refunded', 'money.paid_out', 'money.reversed']
export const RANK = [({ lamport }) => lamport, ({ device }) => device, ({ seq }) => seq, ({ id }) => id]

/** The names of events that client and talent both named as the last one, in the order in which that counts. */
export function settled(events, ...sides) {
  const words = events.filter(({ suite, said, fault }) => suite === 1 && !fault && said.kind === 'agent.settled').sort(byRows(RANK))
  const [client, talent] = sides.map((side) => words.filter(({ who }) => who.identity === side).map(({ said }) => said.data.last))
  return [...new Set(client)].filter((last) => talent.includes(last))
}

class Tree {
  constructor({ root, first, begins, mayGive }, speakers) {
    Object.assign(this, { root, speakers, first, mayGive, held: new Map(), follows: new Map(), given: new Map() })
    const heard = new Map(speakers.map((event) => [event.name, event]))
    this.before = new Map(speakers.map((event) => [event.name, earlier(event, heard)]))
    this.next = new Map()
    for (const event of speakers) {
      const before = this.before.get(event.name)
      if (before) this.next.set(before.name, [...(this.next.get(before.name) ?? []), event])
    }
    this.begins = begins ?? this.beginning(first)
    this.grow(root, this.begins)
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
      const isHeld = this.held.has(move.name)
      if (!this.mayGive(move) || (!this.held.has(after) && after !== this.root)) continue
      if (again && !(isOwn && device !== this.first && !this.wayTo(after).some((name) => this.held.get(name)?.chain === device))) continue
      const starts = isOwn ? [move] : this.beginning(device)
      this.given.set(after, [...(this.given.get(after) ?? []), { name: move.name, device, starts }])
      had.add(device)
      if (again && isHeld) this.follows.set(move.name, after)
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
export function wayThrough(opening, speakers, names, stands) {
  return through(clientTree(opening, speakers), names, stands)
}

/** For each last event of a history in the client's tree, the line that leads to it. */
export function leads(opening, speakers) {
  const tree = clientTree(opening, speakers)
  const ends = [...tree.held.keys()].filter((name) => !tree.next.has(name))
  return ends.map((end) => through(tree, [end], null))
}

function clientTree(opening, speakers) {
  const first = opening.said.data.agent_device
  const begins = opening.chain === first ? speakers.filter((event) => event === opening) : undefined
  const mayGive = ({ chain, who }) => chain === first || who.kind === 'admin'
  return new Tree({ root: opening.name, first, begins, mayGive }, speakers)
}

/** The line of a third party behind the last event of the client's line, or null where it has not consented. */
export function thirdWay(root, speakers, names, mayGive) {
  const tree = new Tree({ root, first: null, begins: [], mayGive }, speakers)
  return tree.given.has(root) ? through(tree, names, null) : null
}

/** The way taken from a root; `stands`: names of what chooses among ways, null for every movement. */
function through(tree, names, stands) {
  const moved = [...tree.held.values()].filter(({ name, said }) => (stands ? stands.has(name) : MONEY.includes(said?.kind)))
  const moving = new Set(moved.flatMap(({ name }) => tree.wayTo(name)))
  const wanted = wantedBy(tree, names)
  const holders = tree.first === null ? [] : [tree.first]
  const line = tree.held.has(tree.root) ? [tree.held.get(tree.root)] : []
  const passed = new Set([tree.root])
  let contested = false
  for (let at = tree.root; ; ) {
    const ways = tree.ways(at, holders, passed)
    const settledOn = ways.filter(({ start }) => start && start.name === wanted.get(at))
    const paid = ways.filter(({ start }) => start && moving.has(start.name))
    contested ||= !settledOn.length && paid.length > 1
    const among = settledOn.length ? settledOn : paid.length ? paid : ways
    const [way] = among.sort(byRows([({ handed }) => handed, ({ name }) => name, ({ start }) => start?.name ?? '']))
    if (way && way.device !== holders.at(-1)) holders.push(way.device)
    if (!way?.start) break
    at = way.start.name
    line.push(way.start)
    passed.add(at)
  }
  const isSettled = names.some((name) => tree.held.has(name))
  return { line, agent: holders.at(-1), contested, moves: moved.length > 0, isSettled }
}
