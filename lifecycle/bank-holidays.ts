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
