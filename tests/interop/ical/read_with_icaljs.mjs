// Reads calendar text with ical.js, which knows no zones and trusts the VTIMEZONE in the file alone.
// Usage: node read_with_icaljs.mjs LIBRARY < question.json > answer.json
//   {"zones": {TZID: {"vtimezone": text, "walls": [[year, month, day, hour, minute, second], …]}}}
//       → {TZID: [seconds since 1970, …]}
//   {"file": text}
//       → {"method", "zones": [TZID], "entries": [{uid, start, end, tzids, …}]}
//   {"files": {name: text}}
//       → such an answer by name
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { default: ICAL } = await import(pathToFileURL(process.argv[2]).href);
const question = JSON.parse(readFileSync(0, "utf8"));

function instants({ vtimezone, walls }) {
  const zone = new ICAL.Timezone(new ICAL.Component(ICAL.parse(vtimezone)));
  return walls.map(([year, month, day, hour, minute, second]) =>
    new ICAL.Time({ year, month, day, hour, minute, second, isDate: false }, zone).toUnixTime());
}

function every(event) {
  const found = [];
  const times = event.iterator();
  for (let time = times.next(); time && found.length < 500; time = times.next()) {
    const { startDate, endDate } = event.getOccurrenceDetails(time);
    found.push([startDate.toUnixTime(), endDate.toUnixTime()]);
  }
  return found;
}

function entry(component) {
  const event = new ICAL.Event(component);
  const times = ["dtstart", "dtend"].map((name) => component.getFirstProperty(name)).filter(Boolean);
  return {
    uid: event.uid,
    sequence: event.sequence,
    start: event.startDate?.toUnixTime(),
    end: event.startDate ? event.endDate.toUnixTime() : undefined,
    tzids: times.map((property) => property.getParameter("tzid") ?? property.getFirstValue().zone.tzid),
    summary: event.summary,
    description: event.description,
    location: event.location,
    organizer: event.organizer,
    attendees: event.attendees.map((one) => [one.getFirstValue(), one.getParameter("cn"), one.getParameter("partstat")]),
    status: component.getFirstPropertyValue("status"),
    dtstamp: component.getFirstPropertyValue("dtstamp").toUnixTime(),
    transparent: component.getFirstPropertyValue("transp") === "TRANSPARENT",
    conference: component.getFirstProperty("conference")?.toJSON(),
    occurrences: event.isRecurring() ? every(event) : undefined,
    triggers: component.getAllSubcomponents("valarm")
      .map((alarm) => alarm.getFirstPropertyValue("trigger").toSeconds()),
  };
}

function file(text) {
  const root = new ICAL.Component(ICAL.parse(text));
  return {
    method: root.getFirstPropertyValue("method"),
    zones: root.getAllSubcomponents("vtimezone").map((zone) => zone.getFirstPropertyValue("tzid")),
    entries: root.getAllSubcomponents("vevent").map(entry),
  };
}

const each = (asked, read) => Object.fromEntries(Object.entries(asked).map(([name, one]) => [name, read(one)]));
const { zones, file: text, files } = question;
const answer = zones ? each(zones, instants) : files ? each(files, file) : file(text);
process.stdout.write(JSON.stringify(answer));
