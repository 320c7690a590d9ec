import type { FindingCode } from '../model/codes.ts'
import type { Finding } from '../model/finding.ts'

/** TDR's names for the stage that stopped a metadata check, in the order of its checks. */
const fileErrors = [
  'UTF_8',
  'INVALID_CSV',
  // TDR takes no XML: what cannot be read of it has no other name there.
  'UNKNOWN',
  'DUPLICATE_HEADER',
  'SCHEMA_REQUIRED',
  'ADDITIONAL_HEADER',
  'SCHEMA_VALIDATION',
] as const
type TdrFileError = (typeof fileErrors)[number]

/** What TDR calls a finding. The property is the finding's column name. */
type TdrNames = {
  readonly fileError: TdrFileError
  readonly validationProcess: string
  readonly errorKey: string
}

const inFile = (fileError: TdrFileError, errorKey: string): TdrNames => ({
  fileError,
  validationProcess: fileError,
  errorKey,
})
const inRow = (validationProcess: string, errorKey: string): TdrNames => ({
  fileError: 'SCHEMA_VALIDATION',
  validationProcess,
  errorKey,
})

/** Codes that TDR has a name for. Those left out are ours alone and never fail a file there. */
const names: Readonly<Partial<Record<FindingCode, TdrNames>>> = {
  'METADATA.ENCODING_ASSUMED': inFile('UTF_8', 'UTF_8'),
  'METADATA.ENCODING_UTF16': inFile('UTF_8', 'UTF_8'),
  'METADATA.NOT_UTF8': inFile('UTF_8', 'UTF_8'),
  'METADATA.NOT_CSV': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.EMPTY': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.NO_ROWS': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.QUOTE_NOT_CLOSED': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.QUOTE_INSIDE': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.CELL_TOO_LONG': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.TOO_MANY_COLUMNS': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.ROW_TOO_LONG': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.NUL': inFile('INVALID_CSV', 'INVALID_CSV'),
  'METADATA.XML_ENCODING': inFile('UNKNOWN', 'UNKNOWN'),
  'METADATA.XML_ENTITIES': inFile('UNKNOWN', 'UNKNOWN'),
  'METADATA.XML_LIMIT': inFile('UNKNOWN', 'UNKNOWN'),
  'METADATA.XML_MALFORMED': inFile('UNKNOWN', 'UNKNOWN'),
  'METADATA.COLUMN_DUPLICATE': inFile('DUPLICATE_HEADER', 'duplicate'),
  'METADATA.COLUMN_MISSING': inFile('SCHEMA_REQUIRED', 'required'),
  'METADATA.COLUMN_UNKNOWN': inFile('ADDITIONAL_HEADER', 'additional'),
  'METADATA.VALUE_REQUIRED': inRow('SCHEMA_BASE', 'type'),
  'METADATA.VALUE_TYPE': inRow('SCHEMA_BASE', 'type'),
  'METADATA.VALUE_UNKNOWN': inRow('SCHEMA_BASE', 'enum'),
  'METADATA.CLOSURE_UNKNOWN': inRow('SCHEMA_BASE', 'enum'),
  'METADATA.DATE_INVALID': inRow('SCHEMA_BASE', 'format.date'),
  'METADATA.DATE_IN_FUTURE': inRow('SCHEMA_BASE', 'daBeforeToday'),
  'METADATA.NUMBER_TOO_SMALL': inRow('SCHEMA_BASE', 'minimum'),
  'METADATA.NUMBER_TOO_LARGE': inRow('SCHEMA_BASE', 'maximum'),
  'METADATA.TEXT_TOO_SHORT': inRow('SCHEMA_BASE', 'minLength'),
  'METADATA.TEXT_TOO_LONG': inRow('SCHEMA_BASE', 'maxLength'),
  'METADATA.TOO_MANY_VALUES': inRow('SCHEMA_BASE', 'maxItems'),
  'METADATA.TEXT_PATTERN': inRow('SCHEMA_BASE', 'pattern'),
  'METADATA.CLOSURE_START_DIFFERS': inRow('SCHEMA_BASE', 'matchEndDateOrDateLastModified'),
  'METADATA.OPEN_WITH_CLOSURE': inRow('SCHEMA_CLOSURE_OPEN', 'type'),
  'METADATA.OPEN_BUT_HIDDEN': inRow('SCHEMA_CLOSURE_OPEN', 'const'),
  'METADATA.CLOSED_INCOMPLETE': inRow('SCHEMA_CLOSURE_CLOSED', 'type'),
  'METADATA.ALTERNATE_MISSING': inRow('SCHEMA_CLOSURE_CLOSED', 'type'),
  'METADATA.ALTERNATE_NOT_NEEDED': inRow('SCHEMA_CLOSURE_CLOSED', 'const'),
  'METADATA.CODE_PERIOD_COUNT': inRow('SCHEMA_CLOSURE_CLOSED', 'closureCodeAndPeriodMismatch'),
  'METADATA.FOI_DATE_BEFORE_2000': inRow('SCHEMA_CLOSURE_CLOSED', 'exemptionDateBefore2000'),
  'METADATA.FOI_DATE_SAME': inRow('SCHEMA_CLOSURE_CLOSED', 'exemptionDateAndClosureStartDateSame'),
  'METADATA.DESCRIPTION_MISSING': inRow('SCHEMA_RELATIONSHIP', 'type'),
  'METADATA.COPYRIGHT_DETAILS': inRow('SCHEMA_RELATIONSHIP', 'type'),
  'METADATA.JUDGMENT_UPDATE': inRow('SCHEMA_RELATIONSHIP', 'type'),
  'METADATA.JUDGMENT_CITATION': inRow('SCHEMA_RELATIONSHIP', 'type'),
  'METADATA.DUPLICATE_ROW': inRow('ROW_VALIDATION', 'duplicate'),
  'METADATA.CONTRADICTORY_ROWS': inRow('ROW_VALIDATION', 'duplicate'),
  'METADATA.HEADER_REPEATED': inRow('ROW_VALIDATION', 'unknown'),
  'METADATA.FILE_NOT_RECEIVED': inRow('ROW_VALIDATION', 'unknown'),
  'METADATA.FILE_WITHOUT_ROW': inRow('ROW_VALIDATION', 'missing'),
  'METADATA.PROTECTED_DIFFERS': inRow('PROTECTED_FIELD', 'PROTECTED_FIELD'),
}

/**
 * `draft-metadata-errors.json` as TDR writes it, in pieces: the first stage that found something,
 * and its errors by asset (path). `findings` is read twice, and the findings of one asset come
 * one after the other. `sentenceOf` gives the message. `date` is YYYY-MM-DD.
 */
export async function* renderTdrErrorFile(
  head: { readonly consignmentId: string; readonly date: string },
  findings: () => AsyncIterable<Finding>,
  sentenceOf: (finding: Finding) => string,
): AsyncGenerator<string> {
  let stage: number = fileErrors.length
  for await (const { code } of findings()) {
    const found = names[code]
    if (found !== undefined) stage = Math.min(stage, fileErrors.indexOf(found.fileError))
  }
  const fileError = fileErrors[stage]
  const start = JSON.stringify({ ...head, fileError: fileError ?? 'None' })
  yield `${start.slice(0, -1)},"validationErrors":[`
  let asset: Asset | undefined
  let separator = ''
  for await (const finding of findings()) {
    const found = names[finding.code]
    if (found === undefined || found.fileError !== fileError) continue
    const assetId = finding.path ?? head.consignmentId
    if (asset !== undefined && asset.assetId !== assetId) {
      yield separator + JSON.stringify(asset)
      separator = ','
      asset = undefined
    }
    asset ??= { assetId, errors: [], data: [] }
    const property = finding.place?.columnName ?? fileError
    const { validationProcess, errorKey } = found
    asset.errors.push({ validationProcess, property, errorKey, message: sentenceOf(finding) })
    if (finding.value !== undefined && !asset.data.some(({ name }) => name === property)) {
      asset.data.push({ name: property, value: finding.value })
    }
  }
  if (asset !== undefined) yield separator + JSON.stringify(asset)
  yield ']}\n'
}

type Asset = {
  readonly assetId: string
  readonly errors: {
    validationProcess: string
    property: string
    errorKey: string
    message: string
  }[]
  readonly data: { name: string; value: string }[]
}
