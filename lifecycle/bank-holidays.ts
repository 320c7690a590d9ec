import written from './bank-holidays.json' with { type: 'json' }

/** The divisions of the United Kingdom for which gov.uk publishes bank holidays. */
export const divisions = ['england-and-wales', 'scotland', 'northern-ireland'] as const
export type Division = (typeof divisions)[number]

/** One event of gov.uk's published JSON. `date` is `yyyy-mm-dd`. */
export type BankHoliday = {
  readonly title: string
  readonly date: string
  /** `Substitute day`, or empty. */
  readonly notes: string
  readonly bunting: boolean
}

/** The shape of https://www.gov.uk/bank-holidays.json. */
export type PublishedCalendar = Readonly<
  Record<Division, { readonly division: Division; readonly events: readonly BankHoliday[] }>
>

/** A published calendar as we keep it: with where and when it was read. */
export type CalendarSnapshot = {
  readonly source: string
  /** `yyyy-mm-dd`: the state of publication that the snapshot shows. */
  readonly asOf: string
  readonly calendar: PublishedCalendar
}

/** The holidays of one division, and the days for which the list is known to be complete. */
export type HolidayCalendar = {
  readonly division: Division
  readonly source: string
  readonly asOf: string
  /** First and last civil day covered, `yyyy-mm-dd`: whole years. */
  readonly coversFrom: string
  readonly coversTo: string
  /** By date. */
  readonly holidays: ReadonlyMap<string, BankHoliday>
}

export type CalendarReading =
  | { readonly kind: 'read'; readonly calendar: PublishedCalendar }
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

// Every division has had at least eight a year since 1978: fewer means a year not yet complete.
const FEWEST_IN_A_YEAR = 8

/** Check a document against gov.uk's published shape. Every problem is reported at once. */
export function readPublishedCalendar(json: unknown): CalendarReading {
  if (!isRecord(json)) return { kind: 'refused', problems: ['The calendar is not a JSON object.'] }
  const problems: string[] = []
  const eventsOf = (division: Division): { division: Division; events: BankHoliday[] } => {
    const part = json[division]
    const listed = isRecord(part) ? part['events'] : undefined
    if (!Array.isArray(listed)) {
      problems.push(`${division}: there is no list of events.`)
      return { division, events: [] }
    }
    const events = listed.flatMap((event: unknown, index) => {
      const holiday = readEvent(event)
      if (holiday === undefined)
        problems.push(`${division}: event ${index + 1} is not a dated day.`)
      return holiday === undefined ? [] : [holiday]
    })
    events.sort((a, b) => (a.date < b.date ? -1 : 1))
    for (const [index, { date }] of events.entries()) {
      if (date === events[index + 1]?.date) problems.push(`${division}: ${date} is listed twice.`)
    }
    problems.push(...incompleteYears(division, events))
    return { division, events }
  }
  const calendar: PublishedCalendar = {
    'england-and-wales': eventsOf('england-and-wales'),
    scotland: eventsOf('scotland'),
    'northern-ireland': eventsOf('northern-ireland'),
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'read', calendar }
}

function incompleteYears(division: Division, events: readonly BankHoliday[]): string[] {
  const first = Number(events[0]?.date.slice(0, 4))
  const last = Number(events.at(-1)?.date.slice(0, 4))
  if (Number.isNaN(first)) return [`${division}: no events.`]
  const short: string[] = []
  for (let year = first; year <= last; year++) {
    const count = events.filter(({ date }) => date.startsWith(`${year}-`)).length
    if (count < FEWEST_IN_A_YEAR)
      short.push(`${division}: ${year} has ${count} days, and no year has under 8.`)
  }
  return short
}

function readEvent(event: unknown): BankHoliday | undefined {
  if (!isRecord(event)) return undefined
  const { title, date, notes, bunting } = event
  if (typeof title !== 'string' || title === '' || !isDate(date)) return undefined
  return {
    title,
    date,
    notes: typeof notes === 'string' ? notes : '',
    bunting: bunting === true,
  }
}

function isDate(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return false
  const parsed = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const reading = readPublishedCalendar(written.calendar)
if (reading.kind === 'refused') throw new Error(`bug: our own calendar: ${reading.problems[0]}`)

/** What this release ships with: written from the dates gov.uk had published by `asOf`. */
export const shippedSnapshot: CalendarSnapshot = {
  source: written.source,
  asOf: written.asOf,
  calendar: reading.calendar,
}

export function holidayCalendar(snapshot: CalendarSnapshot, division: Division): HolidayCalendar {
  const { events } = snapshot.calendar[division]
  return {
    division,
    source: snapshot.source,
    asOf: snapshot.asOf,
    coversFrom: `${events[0]?.date.slice(0, 4) ?? '0000'}-01-01`,
    coversTo: `${events.at(-1)?.date.slice(0, 4) ?? '0000'}-12-31`,
    holidays: new Map(events.map((event) => [event.date, event])),
  }
}
