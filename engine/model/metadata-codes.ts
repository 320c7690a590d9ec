import type { CodeFacts } from './code-facts.ts'

const blocks = (sentence: string, howToFix: string) =>
  ({ check: 'metadata', severity: 'error', actor: 'sender', sentence, howToFix }) as const
const warns = (sentence: string, howToFix: string) =>
  ({ check: 'metadata', severity: 'warning', actor: 'sender', sentence, howToFix }) as const
const tells = (sentence: string, howToFix: string) =>
  ({ check: 'metadata', severity: 'info', actor: 'nobody', sentence, howToFix }) as const

/** What can be found in a metadata document: its bytes, its table or tree, its rows. */
export const metadataCodes = {
  // Bytes.
  'METADATA.ENCODING_ASSUMED': warns(
    'The document is not UTF-8. It was read as Windows-1252, which is an assumption.',
    'Check the accented letters in the report, or save the document as "CSV UTF-8" and send it again.',
  ),
  'METADATA.ENCODING_UTF16': warns(
    'The document is in UTF-16 and was converted to UTF-8 for reading.',
    'Save it as "CSV UTF-8" next time.',
  ),
  'METADATA.NOT_UTF8': blocks(
    'The text holds bytes that are not valid UTF-8 characters.',
    'Write the characters at that place again and save the document as UTF-8.',
  ),
  'METADATA.NUL': blocks(
    'The text holds a NUL character, which no cell can have.',
    'Retype the cell, or export the document again: it is probably damaged there.',
  ),
  'METADATA.NOT_CSV': blocks(
    'The document is named as a table of text but is something else.',
    'Open it in the program that made it and save it as "CSV UTF-8".',
  ),
  'METADATA.EMPTY': blocks(
    'The document is empty.',
    'Send the document with its header and one row for each file.',
  ),

  // Table.
  'METADATA.NO_ROWS': blocks('The table has a header but no rows.', 'Add one row for each file.'),
  'METADATA.QUOTE_NOT_CLOSED': blocks(
    'A quotation mark opens a cell here and is never closed.',
    'Close the quotation mark, or double it ("") if it belongs to the text. Saving from a spreadsheet does this.',
  ),
  'METADATA.QUOTE_INSIDE': blocks(
    'There is text after the quotation mark that closes a cell.',
    'Double every quotation mark that belongs to the text (""). Saving from a spreadsheet does this.',
  ),
  'METADATA.CELL_TOO_LONG': blocks(
    'A cell is far longer than any field may be.',
    'Shorten the cell, or look for a missing quotation mark before it.',
  ),
  'METADATA.TOO_MANY_COLUMNS': blocks(
    'The header has more columns than a metadata table can have.',
    'Check that the right document was sent and that its line ends are right.',
  ),
  'METADATA.ROW_TOO_LONG': blocks(
    'A row has more cells than the header has columns.',
    'Look for a separator inside a cell: such a cell needs quotation marks around it.',
  ),
  'METADATA.ROW_TOO_SHORT': warns(
    'A row has fewer cells than the header; the missing ones were read as empty.',
    'Check that no cell of the row is missing in the middle.',
  ),
  'METADATA.ROW_EMPTY': tells('Empty rows were left out.', 'Nothing has to be done.'),
  'METADATA.ABOVE_HEADER': warns(
    'There is a row above the header; it was left out.',
    'Delete every row above the one that names the columns.',
  ),
  'METADATA.HEADER_REPEATED': blocks('A row repeats the header.', 'Delete the second header row.'),
  'METADATA.COLUMN_MISSING': blocks(
    'A column that has to be there is missing.',
    'Add the column with exactly this header, even where its cells stay empty.',
  ),
  'METADATA.COLUMN_DUPLICATE': blocks(
    'Two columns have the same header.',
    'Keep one of them, or rename the other.',
  ),
  'METADATA.COLUMN_UNKNOWN': warns(
    'A column is not one of the profile. It is kept but not checked.',
    'Check the spelling of the header, or take the column out.',
  ),
  'METADATA.COLUMN_SPELLING': warns(
    'A header differs from the name of its column in case, spaces or spelling.',
    'Use the header exactly as expected.',
  ),

  // Cells.
  'METADATA.VALUE_REQUIRED': blocks('A value is required and is missing.', 'Fill in the value.'),
  'METADATA.VALUE_TYPE': blocks(
    'A value is not of the kind its column takes.',
    'Write a value of the kind that is expected.',
  ),
  'METADATA.VALUE_UNKNOWN': blocks(
    'A value is not one of those its column takes.',
    'Use one of the listed values, spelled exactly so. Several are separated by ";" without spaces.',
  ),
  'METADATA.DATE_INVALID': blocks(
    'A value is not a date.',
    'Write the date as YYYY-MM-DD, for example 2004-03-26.',
  ),
  'METADATA.DATE_IN_FUTURE': blocks('A date lies after today.', 'Correct the date.'),
  'METADATA.NUMBER_TOO_SMALL': blocks('A number is too small.', 'Correct the number.'),
  'METADATA.NUMBER_TOO_LARGE': blocks('A number is too large.', 'Correct the number.'),
  'METADATA.TEXT_TOO_SHORT': blocks('A text is too short.', 'Write the full text.'),
  'METADATA.TEXT_TOO_LONG': blocks('A text is too long.', 'Shorten the text.'),
  'METADATA.TOO_MANY_VALUES': blocks(
    'A cell has more values than it may have.',
    'Leave only the values that may stand together.',
  ),
  'METADATA.TEXT_PATTERN': blocks(
    'A text has characters that its column does not take, such as a line break.',
    'Take those characters out.',
  ),

  // Closure. An unreadable closure is never taken as open.
  'METADATA.CLOSURE_UNKNOWN': blocks(
    'The row does not say whether the record is open or closed. It is treated as neither.',
    'Write Open or Closed, spelled exactly so.',
  ),
  'METADATA.CLOSURE_START_DIFFERS': blocks(
    'The closure start date is neither the date of the record nor the end of its year.',
    'Use the date of the record or 31 December of the same year; without one, the date last modified counts.',
  ),
  'METADATA.OPEN_WITH_CLOSURE': blocks(
    'The record is open, but a cell that only closed records have is filled in.',
    'Empty the cell, or change the closure status to Closed.',
  ),
  'METADATA.OPEN_BUT_HIDDEN': blocks(
    'The record is open, but its filename or description is not.',
    'Write No, or change the closure status to Closed.',
  ),
  'METADATA.CLOSED_INCOMPLETE': blocks(
    'The record is closed, but a cell that closed records need is empty.',
    'Fill in the cell, or change the closure status to Open.',
  ),
  'METADATA.ALTERNATE_MISSING': blocks(
    'A filename or description is closed, and there is no alternate to show instead.',
    'Add the alternate, or write No where it says closed.',
  ),
  'METADATA.ALTERNATE_NOT_NEEDED': blocks(
    'There is an alternate filename or description for one that is not closed.',
    'Empty the alternate, or write Yes where it says closed.',
  ),
  'METADATA.CODE_PERIOD_COUNT': blocks(
    'There are not as many closure periods as FOI exemption codes.',
    'Give one period for each code, in the same order, separated by ";".',
  ),
  'METADATA.FOI_DATE_BEFORE_2000': blocks(
    'The FOI schedule date lies before the year 2000.',
    'Correct the date: no exemption can have been asserted earlier.',
  ),
  'METADATA.FOI_DATE_SAME': blocks(
    'The FOI schedule date is the same as the closure start date.',
    'Correct the one that is wrong.',
  ),

  // Fields that depend on each other.
  'METADATA.DESCRIPTION_MISSING': blocks(
    'There is an alternate description but no description.',
    'Add the description, or empty the alternate.',
  ),
  'METADATA.COPYRIGHT_DETAILS': blocks(
    'There are copyright details although the copyright is unknown.',
    'Empty the details, or name the copyright.',
  ),
  'METADATA.JUDGMENT_UPDATE': blocks(
    'A judgment is an update, and the kind of update is missing.',
    'Add at least one kind of update.',
  ),
  'METADATA.JUDGMENT_CITATION': blocks(
    'A judgment needs either a neutral citation or the statement that it has none, not both.',
    'Keep the one that is right.',
  ),
  'METADATA.PROTECTED_DIFFERS': blocks(
    'A filename or modification date in the row is not that of the file.',
    'Put back the value from the file: these columns must not be edited.',
  ),

  // XML.
  'METADATA.XML_MALFORMED': blocks(
    'The XML is not well-formed.',
    'Correct the place named, or export the document again.',
  ),
  'METADATA.XML_ENCODING': blocks(
    'The XML cannot be read in the encoding that it declares.',
    'Export the document again in UTF-8, or correct its XML declaration.',
  ),
  'METADATA.XML_NO_BYTE_ORDER_MARK': warns(
    'The XML is in UTF-16 without the byte order mark that it has to begin with. It was read all the same.',
    'Export the document in UTF-8 next time.',
  ),
  'METADATA.XML_ENTITIES': blocks(
    'The XML declares entities of its own. They are never expanded, so the document was not read.',
    'Take the declarations out and write the text itself.',
  ),
  'METADATA.XML_DOCTYPE': warns(
    'The XML names a document type. It was neither fetched nor read, so nothing was checked against it.',
    'Leave the DOCTYPE out, or send an XML Schema (.xsd) beside the document instead.',
  ),
  'METADATA.XML_LIMIT': blocks(
    'The XML goes beyond a limit that keeps reading it safe.',
    'Check that the right document was sent; nesting, names and texts of metadata are far smaller.',
  ),
  'METADATA.XML_SCHEMA': blocks(
    'The XML does not follow its schema.',
    'Correct the element named.',
  ),
  'METADATA.XML_NO_RECORDS': warns(
    'The XML has no element that describes a file. It is kept, and was not used.',
    'Check that the right document was sent, or name the record element as docs/reference/sources.md says.',
  ),
} as const satisfies Record<`METADATA.${string}`, CodeFacts>
