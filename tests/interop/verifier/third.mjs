// A third party as the agent: docs/spec/order.md, "A third party as the agent".
import { byRows } from './bytes.mjs'
import { cutOff } from './cuts.mjs'
import { thirdWay } from './line.mjs'

const says = ({ suite, said, fault }, kind) => suite === 1 && !fault && said.kind === kind

/** Acceptances that, with the offer they name, name somebody who is neither side: name, agent and its device. */
export function hires(events, client, talent) {
  const sides = [client, talent]
  const known = new Map(events.map((event) => [event.name, event]))
  return events.flatMap((event) => {
    if (!says(event, 'terms.accepted') || !sides.includes(event.who.identity)) return []
    const offer = known.get(event.said.data.offer)
    if (!offer || !says(offer, 'terms.offered') || offer.said.data.hash !== event.said.data.hash) return []
    if (!sides.includes(offer.who.identity) || offer.who.identity === event.who.identity) return []
    const { agent, agent_device: device } = offer.said.data.terms
    return sides.includes(agent) ? [] : [{ name: event.name, agent, device }]
  })
}

/** What agents say in a deal: their answers, and the lines that begin with them. */
export class Thirds {
  constructor(events, names, { client, talent }) {
    Object.assign(this, { events, names, client, talent, hired: hires(events, client, talent), spoken: new Map() })
  }

  /** The sealed events of an agent that may stand on a line. */
  speakers(agent) {
    if (!this.spoken.has(agent)) {
      const off = cutOff(this.events, agent, this.client, this.talent)
      const own = this.events.filter(({ suite, who, name }) => suite === 1 && who.identity === agent && !off.has(name))
      this.spoken.set(agent, own)
    }
    return this.spoken.get(agent)
  }

  /** The answers to a hire, behind `after`, that do not cover an earlier one. */
  answers({ name, agent, device }, after) {
    const mayAnswer = ({ chain, who }) => chain === device || who.kind === 'admin'
    const fits = ({ said: { kind, data } }) => (kind === 'agent.device' ? data.after === after : data.hire === name)
    const spoken = this.speakers(agent).filter((event) => says(event, 'agent.device') || says(event, 'agent.refused'))
    const found = spoken.filter((event) => fits(event) && mayAnswer(event))
    const names = new Set(found.map((event) => event.name))
    return found.filter((event) => !coversAny(event, names))
  }

  /** The agent's line behind a place, or null. */
  way(hire, after) {
    const standing = new Set(this.answers(hire, after).map(({ name }) => name))
    const mayGive = ({ chain, who, said, name }) =>
      (chain === hire.device || who.kind === 'admin') && (said.data.after !== after || standing.has(name))
    return thirdWay(after, this.speakers(hire.agent), this.names, mayGive)
  }

  /** What becomes of a hire: `{refusal}`, `{line, agent}`, or null as long as the agent has not answered. */
  answer(hire, after) {
    const way = this.way(hire, after)
    if (way && (way.isSettled || way.moves)) return way
    const refusals = this.answers(hire, after).filter((event) => says(event, 'agent.refused'))
    const [refusal] = refusals.sort(byRows([({ name }) => name]))
    return refusal ? { refusal } : way
  }

  /** The events behind which an agent consented, and for those on its line the event that this line is behind. */
  consents() {
    const stands = new Set()
    const behind = new Map()
    for (const hire of this.hired)
      for (const { said } of this.speakers(hire.agent).filter((event) => says(event, 'agent.device'))) {
        const { after } = said.data
        const way = this.way(hire, after)
        if (!way) continue
        stands.add(after)
        for (const name of way.held.keys()) behind.set(name, after)
      }
    return { stands: [...stands], behind }
  }
}

function coversAny(event, names) {
  const passed = new Set()
  for (const open = [...event.from]; open.length; ) {
    const each = open.pop()
    if (names.has(each.name)) return true
    if (passed.has(each.name)) continue
    passed.add(each.name)
    open.push(...each.from)
  }
  return false
}
