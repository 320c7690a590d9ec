import type { Finding } from '../model/finding.ts'
import type { SourceDocument, SourceKind, Statement } from '../model/source.ts'
import { readTextLines, sniffLineEncoding } from './lines.ts'

/**
 * A robocopy log. It states no checksums and lists only what robocopy chose to say, so it adds no
 * file to the list; what it is read for is what could not be copied on the sender's side. Told by
 * its frame and read by its numbers, because every word in it is translated.
 */
export const robocopy: SourceKind = {
  id: 'robocopy',
  summary: 'a robocopy log, for what could not be copied',
  listsAllFiles: false,
  recognise: ({ head }) =>
    /^\s*-{20,}\s+ROBOCOPY\s+::/.test(new TextDecoder(sniffLineEncoding(head)).decode(head)),
  read,
}

/** `2024/03/26 10:00:01 ERROR 32 (0x00000020) Copying File D:\Transfer\a.docx`, in any language. */
const FAILED =
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d .*?(\d+) \(0x([0-9A-Fa-f]{8})\) (.*?)((?:[A-Za-z]:|\\\\)\\?.*)$/
/** The summary's rows: a label, then Total Copied Skipped Mismatch FAILED Extras. */
const SUMMARY = /^\s*\S[^:]*:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/
const FILES_ROW = 2

async function* read(
  document: SourceDocument,
  report: (finding: Finding) => void,
): AsyncGenerator<Statement> {
  let summaries = 0
  for await (const { row, text } of readTextLines(document)) {
    const place = { document: document.key, row }
    const failed = FAILED.exec(text)
    if (failed !== null) {
      const [, code = '', , , path = ''] = failed
      report({
        code: 'SOURCE.COPY_FAILED',
        place,
        value: path.trim(),
        detail: `Windows error ${code}.`,
      })
      continue
    }
    const summary = SUMMARY.exec(text)
    if (summary === null || ++summaries !== FILES_ROW) continue
    const [, total = '', , , mismatch = '0', lost = '0'] = summary
    if (Number(lost) > 0 || Number(mismatch) > 0)
      report({
        code: 'SOURCE.COPY_INCOMPLETE',
        place,
        value: lost,
        detail: `Of ${total} files ${lost} failed and ${mismatch} did not match.`,
      })
  }
  yield* []
}
