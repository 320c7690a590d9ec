import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { codesOf, LAB_NOW, makeLab } from '../../fixtures/lab.ts'
import { StoreError, type Store } from '../adapters/store.ts'
import { transferPrefix } from '../model/transfer.ts'
import type { CheckedFile } from '../pool/messages.ts'
import { createCheckPool } from '../pool/pool.ts'
import { relistDaily } from './daily-relist.ts'
import { decide, newestReport, requestRecheck, withdraw } from './decisions.ts'
import { readSummaries, reindex } from './index-segments.ts'
import { dueTransfers } from './sweep.ts'

const test = suite('processing a transfer')
const pool = createCheckPool({ threads: 1 })
test.after(() => pool.stop())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const line = (path: string, content: string) => `${sha256(content)}  ${path}\n`

async function report(files: Record<string, string | Uint8Array>, complete?: unknown) {
  const lab = makeLab({ pool })
  const delivered = await lab.deliver(lab.land('t1', files, complete))
  return {
    lab,
    delivered,
    codes: codesOf(delivered),
    json: JSON.parse(await lab.report(delivered, 'report.json')) as Report,
  }
}
type Report = {
  checks: { check: string; tally: Record<string, number>; notes: string[] }[]
  reconciliation: Record<string, number>
  sinceLastAttempt?: Record<string, unknown>
  attempt: number
  findings: { code: string; examples: { path?: string; expected?: string; value?: string }[] }[]
}

function rcloneList(sizes: Readonly<Record<string, number>>) {
  return Object.entries(sizes).map(([Path, Size]) => ({
    Path,
    Name: Path,
    Size,
    ModTime: '2020-01-01T00:00:00Z',
    IsDir: false,
  }))
}

/** A reply as a worker would give it that found other outcomes. */
function edited<Reply extends { readonly lines: readonly string[] }>(
  reply: Reply,
  edit: (file: CheckedFile) => CheckedFile,
): Reply {
  return {
    ...reply,
    lines: reply.lines.map((one) => JSON.stringify(edit(JSON.parse(one) as CheckedFile))),
  }
}

test('a transfer with no files is reported as empty', async () => {
  const { lab, delivered, codes } = await report({})
  assert.deepEqual(codes, { 'TRANSFER.EMPTY': 1 })
  assert.equal(delivered.verdict, 'NEEDS SENDER')
  await lab.close()
})

test('a transfer of nothing but system files is reported as such', async () => {
  const { lab, codes } = await report({ 'records/Thumbs.db': 'x', 'records/a/.DS_Store': 'y' })
  assert.equal(codes['TRANSFER.ALL_EXCLUDED'], 1)
  await lab.close()
})

test('complete.json that is not JSON is a finding, and the files are checked all the same', async () => {
  const { lab, delivered, codes } = await report({ 'records/a.txt': 'a' }, '{"expected')
  assert.deepEqual(codes, { 'TRANSFER.COMPLETE_INVALID': 1 })
  assert.equal(delivered.counts.files, 1)
  await lab.close()
})

test('a wrong count in complete.json is a finding with both numbers', async () => {
  const { lab, json } = await report({ 'records/a.txt': 'a' }, { expectedNumberFiles: 3 })
  const finding = json.findings.find(({ code }) => code === 'TRANSFER.COUNT_DIFFERS')
  assert.equal(finding?.examples[0]?.value, '1')
  assert.equal(finding?.examples[0]?.expected, '3')
  await lab.close()
})

test("the sending program's own errors reach the report", async () => {
  const { lab, codes } = await report(
    { 'records/a.txt': 'a' },
    { loadErrors: [{ message: 'locked by another user' }] },
  )
  assert.equal(codes['TRANSFER.CLIENT_ERROR'], 1)
  await lab.close()
})

test('paths that leave the transfer are refused and never looked for', async () => {
  const manifest = line('../../../etc/passwd', 'x') + line('/etc/passwd', 'x') + line('a.txt', 'a')
  const { lab, codes, json } = await report({ 'records/a.txt': 'a', 'metadata/m.txt': manifest })
  assert.deepEqual(codes, { 'MANIFEST.PATH_UNSAFE': 2 })
  assert.equal(json.checks.find(({ check }) => check === 'fixity')?.tally['passed'], 1)
  await lab.close()
})

test('a file listed under another name with its exact content is renamed, not missing', async () => {
  const manifest = line('old name.txt', 'content') + line('b.txt', 'b')
  const { lab, codes, json } = await report({
    'records/new name.txt': 'content',
    'records/b.txt': 'b',
    'metadata/m.txt': manifest,
  })
  assert.deepEqual(codes, { 'FILE.RENAMED': 1 })
  assert.equal(json.findings[0]?.examples[0]?.expected, 'old name.txt')
  await lab.close()
})

test('a name that differs in case or Unicode form is said to differ, and its checksum still counts', async () => {
  const manifest = line('REPORT.TXT', 'r') + line('Zoe\u0308.txt', 'z')
  const { lab, codes, json } = await report({
    'records/report.txt': 'r',
    'records/Zo\u00eb.txt': 'z',
    'metadata/m.txt': manifest,
  })
  assert.deepEqual(codes, { 'FILE.MISSING_SIMILAR': 2 })
  assert.equal(json.checks.find(({ check }) => check === 'fixity')?.tally['passed'], 2)
  await lab.close()
})

function digestOf(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

const HEADER =
  'filepath,filename,date last modified,date of the record,description,closure status,closure start date,closure period,foi exemption code,foi schedule date,is filename closed,alternate filename,is description closed,alternate description,copyright'
const row = (path: string, name = path.split('/').at(-1)) =>
  `${path},${name},2024-03-26,2024-03-26,x,Open,,,,,No,,No,,Crown copyright`

test('a redacted copy without one original fails its names, and the totals still add up', async () => {
  const { lab, codes, json } = await report({
    'records/a/plan.docx': '1',
    'records/a/plan_R.pdf': '2',
    'records/b/plan_R.pdf': '3',
    'records/c/map.png': '4',
    'records/c/map.tif': '5',
    'records/c/map_Redacted1.png': '6',
  })
  assert.deepEqual(codes, { 'REDACTION.AMBIGUOUS_ORIGINAL': 1, 'REDACTION.NO_ORIGINAL': 1 })
  const tally = json.checks.find(({ check }) => check === 'names')?.tally
  assert.deepEqual([tally?.['passed'], tally?.['failed']], [4, 2])
  await lab.close()
})

test('a filename that was edited in the metadata is said, and TDR is told in its own words', async () => {
  const lab = makeLab({ pool })
  const transfer = lab.land('t1', {
    'records/a.txt': 'a',
    'records/b.txt': 'b',
    'metadata/metadata.csv': [HEADER, row('a.txt', 'renamed.txt'), row('b.txt')].join('\n'),
  })
  const delivered = await lab.deliver(transfer)
  assert.deepEqual(codesOf(delivered), { 'METADATA.PROTECTED_DIFFERS': 1 })
  const errors = JSON.parse(await lab.report(delivered, 'draft-metadata-errors.json')) as {
    consignmentId: string
    validationErrors: { assetId: string; errors: { validationProcess: string }[] }[]
  }
  assert.equal(errors.consignmentId, 't1')
  assert.deepEqual(
    errors.validationErrors.map(({ assetId, errors: found }) => [
      assetId,
      found[0]?.validationProcess,
    ]),
    [['a.txt', 'PROTECTED_FIELD']],
  )
  await lab.close()
})

test('metadata sent ahead is checked alone: no file is missing, and nothing can be accepted', async () => {
  const lab = makeLab({ pool })
  const transfer = lab.land(
    't1',
    {
      'dryrunmetadata/metadata.csv': [
        HEADER,
        row('a.txt'),
        row('b.txt').replace('Open', 'Opened'),
      ].join('\n'),
    },
    { metadataOnly: true },
  )
  const delivered = await lab.deliver(transfer)
  assert.deepEqual(codesOf(delivered), { 'METADATA.CLOSURE_UNKNOWN': 1 })
  const request = {
    kind: 'accepted' as const,
    who: 'an archivist',
    why: 'looks right',
    now: LAB_NOW,
  }
  await assert.rejects(
    decide(lab.engine.state, lab.engine.reports, () => lab.zoneStore, {
      ...request,
      reference: delivered.reference,
    }),
    /metadata alone/,
  )
  await lab.close()
})

test('what a sidecar says of closure is checked in the types it has, in the worker', async () => {
  const sidecar = (more: object) =>
    JSON.stringify({ file_path: 'content/a.txt', file_name: 'a.txt', file_size: 1, ...more })
  const { lab, codes } = await report({
    'records/m1': '1',
    'metadata/m1.metadata': sidecar({ closure_type: true }),
    'records/m2': '2',
    'metadata/m2.metadata': sidecar({ closure_type: 'Closed', title_public: false }),
    'records/m3': '3',
    'metadata/m3.metadata': '{"file_path":"content/c.txt","file_size":1,"file_size":2}',
  })
  assert.equal(codes['METADATA.VALUE_TYPE'] ?? codes['METADATA.CLOSURE_UNKNOWN'], 1)
  assert.ok((codes['METADATA.CLOSED_INCOMPLETE'] ?? 0) > 0)
  assert.equal(codes['METADATA.ALTERNATE_MISSING'], 1)
  assert.equal(codes['SOURCE.JSON_NAME_TWICE'], 1)
  await lab.close()
})

test('documents of every system are reconciled with one another', async () => {
  const drive = JSON.stringify({
    files: [
      { id: '1', name: 'a.txt', mimeType: 'text/plain', size: '1', sha256Checksum: digestOf('a') },
      { id: '2', name: 'Minutes.docx', mimeType: 'application/vnd.google-apps.document' },
    ],
  })
  const graph = JSON.stringify({
    name: 'a.txt',
    size: 1,
    parentReference: { path: '/drive/root:' },
    file: { hashes: { quickXorHash: 'YQAAAAAAAAAAAAAAAQAAAAAAAAA=' } },
  })
  const { lab, codes, json } = await report({
    'records/a.txt': 'a',
    'records/Minutes.docx': 'exported',
    'metadata/drive.json': drive,
    'metadata/graph.json': graph,
    'metadata/hashes.csv': `"Algorithm","Hash","Path"\n"MD5","${'0'.repeat(32)}","a.txt"\n`,
  })
  assert.deepEqual(
    codes,
    { 'CHECKSUM.MISMATCH': 1 },
    'only the MD5 is wrong; quickXorHash is right',
  )
  const fixity = json.checks.find(({ check }) => check === 'fixity')?.tally
  assert.equal(fixity?.['noBasis'], 1, 'the Google document has no checksum to compare')
  await lab.close()
})

test('documents that contradict each other are told apart: which field, which row, which size', async () => {
  const header =
    'filepath,filename,date last modified,description,closure status,is filename closed,is description closed,language\n'
  const { lab, delivered, json, codes } = await report({
    'records/a.txt': 'four',
    'records/b.txt': 'four',
    'metadata/1.csv': `${header}a.txt,a.txt,2020-01-01,,Open,No,No,English\nb.txt,b.txt,2020-01-01,,Open,No,No,English\n`,
    'metadata/2.csv': `${header}a.txt,a.txt,2020-01-01,What it is,Closed,No,No,english\nb.txt,b.txt,2020-01-01,,Open,No,No,English\n`,
    'metadata/list-1.json': JSON.stringify(rcloneList({ 'a.txt': 4, 'b.txt': 4 })),
    'metadata/list-2.json': JSON.stringify(rcloneList({ 'a.txt': 4, 'b.txt': 5 })),
  })
  assert.equal(codes['METADATA.CONTRADICTORY_ROWS'], 1)
  assert.equal(codes['FILE.SIZE_DIFFERS'], 1)
  const examples = (code: string) => json.findings.find((one) => one.code === code)?.examples[0]
  assert.deepEqual(examples('METADATA.CONTRADICTORY_ROWS'), {
    code: 'METADATA.CONTRADICTORY_ROWS',
    path: 'a.txt',
    place: { document: 'metadata/2.csv', row: 2, columnName: 'closure type' },
    value: 'Closed',
    expected: 'Open',
    detail: 'The other is metadata/1.csv, row 2.',
  })
  assert.equal(examples('FILE.SIZE_DIFFERS')?.expected, '5')
  assert.equal(delivered.verdict, 'NEEDS SENDER')
  await lab.close()
})

test('records with sidecars are found by the paths that the sidecars give them', async () => {
  const ids = ['a', 'b', 'c', 'd'].map((name, i) => [
    name,
    `6b1b9a4e-7e7c-4a0e-9f1d-00000000000${i}`,
  ])
  const files: Record<string, string> = {}
  for (const [name = '', id = ''] of ids) {
    files[`records/${id}`] = name
    const path = name === 'd' ? 'Deeds/D.txt' : `Deeds/${name}.txt`
    files[`metadata/${id}.metadata`] = JSON.stringify({
      file_path: `e:/content/${path}`,
      file_size: 1,
      checksum: digestOf(name),
      matchId: id,
    })
  }
  const { lab, codes, json } = await report({
    ...files,
    'metadata/table.csv':
      'filepath,filename,description\nDeeds/a.txt,a.txt,x\nDeeds/b.txt,other.txt,y\nDeeds/gone.txt,gone.txt,z\nDeeds/d.txt,d.txt,z\n',
    'metadata/list.sha256': `${digestOf('a')}  Deeds/a.txt\n${digestOf('z')}  Deeds/b.txt\n`,
  })
  const { 'METADATA.COLUMN_MISSING': _short, ...found } = codes
  assert.deepEqual(found, {
    'CHECKSUM.CONTRADICTORY': 1,
    'FILE.MISSING_SIMILAR': 1,
    'METADATA.FILE_NOT_RECEIVED': 1,
    'METADATA.FILE_WITHOUT_ROW': 1,
    'METADATA.PROTECTED_DIFFERS': 1,
  })
  const examples = (code: string) => json.findings.find((one) => one.code === code)?.examples[0]
  assert.equal(examples('METADATA.FILE_NOT_RECEIVED')?.path, 'Deeds/gone.txt')
  assert.equal(examples('METADATA.FILE_WITHOUT_ROW')?.path, 'Deeds/c.txt')
  assert.equal(examples('METADATA.PROTECTED_DIFFERS')?.path, 'Deeds/b.txt')
  assert.equal(examples('FILE.MISSING_SIMILAR')?.path, 'Deeds/D.txt')
  await lab.close()
})

test('metadata in XML is matched to files and checked like a table', async () => {
  const record = (path: string, closure: string) =>
    `<record><filepath>${path}</filepath><filename>${path}</filename><closure_status>${closure}</closure_status></record>`
  const { lab, codes } = await report({
    'records/a.txt': 'a',
    'records/b.txt': 'b',
    'records/c.txt': 'c',
    'metadata/records.xml': `<?xml version="1.0"?><records>${record('a.txt', 'Open')}${record('b.txt', 'opened')}${record('gone.txt', 'Open')}</records>`,
    'metadata/deep.xml': '<a>'.repeat(200),
  })
  // One finding: what hides its kind, not also that its kind is hidden.
  assert.equal(codes['METADATA.XML_LIMIT'], 1)
  assert.equal(codes['MANIFEST.NOT_RECOGNISED'], undefined)
  assert.equal(codes['METADATA.FILE_WITHOUT_ROW'], 1)
  assert.equal(codes['METADATA.FILE_NOT_RECEIVED'], 1)
  assert.equal(codes['METADATA.CLOSURE_UNKNOWN'], 1)
  await lab.close()
})

test('two files of one name are legal in Google Drive: neither accuses the other', async () => {
  const twin = (id: string, content: string) => ({
    id,
    name: 'a.txt',
    mimeType: 'text/plain',
    size: String(content.length),
    sha256Checksum: digestOf(content),
  })
  const { lab, codes, json } = await report({
    'records/a.txt': 'a',
    'metadata/drive.json': JSON.stringify({ files: [twin('1', 'a'), twin('2', 'another')] }),
  })
  assert.deepEqual(codes, {})
  assert.equal(json.checks.find(({ check }) => check === 'fixity')?.tally['noBasis'], 1)
  await lab.close()
})

test('links, FIFOs and names that are not UTF-8 in a drop zone are reported, never followed, never waited for', async () => {
  const lab = makeLab({ pool })
  const transfer = lab.land('t1', { 'records/a.txt': 'a' })
  const records = join(lab.dropZone, transferPrefix(transfer), 'records')
  symlinkSync('/etc/hostname', join(records, 'link.txt'))
  execFileSync('mkfifo', [join(records, 'pipe')])
  writeFileSync(Buffer.concat([Buffer.from(`${records}/caf`), Buffer.from([0xe9])]), 'latin1')
  const delivered = await lab.deliver(transfer)
  assert.deepEqual(codesOf(delivered), { 'FILE.NOT_REGULAR': 2, 'NAME.NOT_UTF8': 1 })
  assert.match(await lab.report(delivered, 'report.html'), /caf\\xe9/)
  await lab.close()
})

test('an unreadable manifest line is named by its row and the rest of the manifest is used', async () => {
  const { lab, json, codes } = await report({
    'records/a.txt': 'a',
    'records/b.txt': 'b',
    'metadata/m.txt': `${line('a.txt', 'a')}what is this\n${line('b.txt', 'b')}`,
  })
  assert.deepEqual(codes, { 'MANIFEST.LINE_UNREADABLE': 1 })
  assert.equal(json.checks.find(({ check }) => check === 'fixity')?.tally['passed'], 2)
  await lab.close()
})

test('what we may not read is unchecked and ours, and hides nothing of the list for the sender', async () => {
  const denied = {
    kind: 'unchecked',
    unchecked: {
      reason: 'denied',
      message: 'We are not allowed to read this file.',
      retryable: false,
    },
  } as const
  const refusing = {
    ...pool,
    check: async (task: Parameters<typeof pool.check>[0]) => {
      const reply = await pool.check(task)
      if (reply.kind !== 'checked') return reply
      return edited(reply, (file) =>
        file.path === 'b.txt'
          ? { ...file, digests: {}, outcomes: { ...file.outcomes, sha256: denied, fixity: denied } }
          : file,
      )
    },
  }
  const lab = makeLab({ pool: refusing })
  const delivered = await lab.deliver(
    lab.land('t1', {
      'records/a.txt': 'a',
      'records/b.txt': 'b',
      'metadata/m.txt': line('a.txt', 'other') + line('b.txt', 'b'),
    }),
  )
  assert.equal(delivered.verdict, 'NOT PROCESSED')
  assert.equal(delivered.status, 'Failed')
  assert.equal(codesOf(delivered)['CHECKSUM.MISMATCH'], 1)
  assert.match(delivered.sentence, /sender has 1 thing to fix/)
  await lab.close()
})

test('a file that ends its worker is found by halving; the rest is checked', async () => {
  const deadly = {
    ...pool,
    check: async (task: Parameters<typeof pool.check>[0]) =>
      task.entries.some(({ path }) => path === 'poison.bin')
        ? { kind: 'crashed' as const, message: 'out of memory' }
        : pool.check(task),
  }
  const lab = makeLab({ pool: deadly })
  const files = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [`records/${i}.txt`, `${i}`]),
  )
  const delivered = await lab.deliver(lab.land('t1', { ...files, 'records/poison.bin': 'x' }))
  assert.equal(delivered.verdict, 'NOT PROCESSED')
  assert.equal(delivered.counts.unchecked, 1)
  const rows = await lab.report(delivered, 'files.csv')
  assert.equal(rows.split('\n').filter((row) => row.includes(',passed,')).length >= 9, true)
  assert.match(await lab.report(delivered, 'findings.csv'), /UNCHECKED\.CRASHED.*poison\.bin/)
  await lab.close()
})

test('a sweep tries unavailable files again and reports only when the deadline has passed', async () => {
  let healthy = false
  const flaky = {
    ...pool,
    check: async (task: Parameters<typeof pool.check>[0]) => {
      const reply = await pool.check(task)
      if (healthy || reply.kind !== 'checked') return reply
      const unchecked = {
        kind: 'unchecked',
        unchecked: {
          reason: 'unavailable',
          message: 'The drop zone did not answer.',
          retryable: true,
        },
      } as const
      return {
        ...edited(reply, (file) => ({
          ...file,
          digests: {},
          outcomes: { ...file.outcomes, sha256: unchecked },
        })),
        retryable: ['unavailable' as const],
      }
    },
  }
  const lab = makeLab({ pool: flaky })
  const transfer = lab.land('t1', { 'records/a.txt': 'a' })
  assert.equal((await lab.process(transfer, { reportNow: false })).kind, 'to be tried again')
  assert.equal((await lab.process(transfer, { reportNow: false })).kind, 'to be tried again')
  healthy = true
  assert.equal((await lab.deliver(transfer, { reportNow: false })).verdict, 'READY')
  await lab.close()
})

test('a recheck reads what was unchecked and issues the next version of the report', async () => {
  let healthy = false
  const flaky = {
    ...pool,
    check: async (task: Parameters<typeof pool.check>[0]) =>
      healthy ? pool.check(task) : { kind: 'crashed' as const, message: 'gone' },
  }
  const lab = makeLab({ pool: flaky })
  const transfer = lab.land('t1', { 'records/a.txt': 'a', 'records/b.txt': 'b' })
  const first = await lab.deliver(transfer)
  assert.equal(first.verdict, 'NOT PROCESSED')
  const { state, reports } = lab.engine
  await assert.rejects(
    () =>
      decide(state, reports, () => lab.zoneStore, {
        kind: 'accepted',
        reference: first.reference,
        who: 'archivist',
        why: 'x',
        now: new Date(),
      }),
    /recheck/,
  )
  healthy = true
  await requestRecheck(state, reports, first.reference, {
    everything: false,
    who: 'operator',
    why: 'disk replaced',
    now: new Date(),
  })
  const second = await lab.deliver(transfer)
  assert.equal(second.reportVersion, 2)
  assert.equal(second.verdict, 'READY')
  assert.equal((await newestReport(state, reports, first.reference)).delivered.reportVersion, 2)
  await lab.close()
})

test('a correction carries unchanged files over unread, and says what was fixed', async () => {
  const lab = makeLab({ pool })
  const manifest = line('a.txt', 'a') + line('b.txt', 'b') + line('c.txt', 'c')
  const first = await lab.deliver(
    lab.land('t1', {
      'records/a.txt': 'a',
      'records/b.txt': 'wrong',
      'records/draft.txt': 'd',
      'metadata/m.txt': manifest,
    }),
  )
  assert.deepEqual(codesOf(first), {
    'FILE.MISSING': 1,
    'CHECKSUM.MISMATCH': 1,
    'FILE.UNEXPECTED': 1,
  })
  const correction = lab.land(
    't2',
    { 'records/b.txt': 'b', 'records/c.txt': 'c' },
    { corrects: 't1', remove: ['draft.txt'], expectedNumberFiles: 2 },
  )
  const second = await lab.deliver(correction)
  assert.equal(second.reference, first.reference)
  assert.equal(second.attempt, 2)
  assert.deepEqual(codesOf(second), {})
  assert.equal(second.verdict, 'READY')
  const json = JSON.parse(await lab.report(second, 'report.json')) as Report
  const { findings: fixed, ...counts } = json.sinceLastAttempt ?? {}
  assert.deepEqual(counts, {
    previousAttempt: 1,
    added: 1,
    replaced: 1,
    removed: 1,
    carriedOver: 1,
  })
  assert.deepEqual(fixed, [
    { code: 'CHECKSUM.MISMATCH', before: 1, now: 0 },
    { code: 'FILE.MISSING', before: 1, now: 0 },
    { code: 'FILE.UNEXPECTED', before: 1, now: 0 },
  ])
  assert.match(await lab.report(second, 'files.csv'), /^a\.txt,.*,1\r$/m)
  await lab.close()
})

test('a carried file that was changed in the drop zone since is read again', async () => {
  const lab = makeLab({ pool })
  const first = lab.land('t1', { 'records/a.txt': 'a', 'metadata/m.txt': line('a.txt', 'a') })
  await lab.deliver(first)
  appendFileSync(join(lab.dropZone, transferPrefix(first), 'records', 'a.txt'), 'more')
  const second = await lab.deliver(lab.land('t2', { 'records/b.txt': 'b' }, { corrects: 't1' }))
  assert.equal(codesOf(second)['CHECKSUM.MISMATCH'], 1)
  await lab.close()
})

test("a correction of a transfer that does not exist, or is another integrator's, is a finding", async () => {
  const lab = makeLab({ pool })
  const stranger = lab.land('t9', { 'records/a.txt': 'a' })
  await lab.deliver({ ...stranger })
  for (const corrects of ['nothing', '../t9', 't2']) {
    const id = `c-${corrects.replaceAll('/', '_')}`
    const delivered = await lab.deliver(lab.land(id, { 'records/a.txt': 'a' }, { corrects }))
    assert.equal(codesOf(delivered)['CORRECTION.UNKNOWN_TRANSFER'], 1, corrects)
  }
  await lab.close()
})

test('what is added, changed or removed after sealing is a finding and stops acceptance', async () => {
  const lab = makeLab({ pool })
  const transfer = lab.land('t1', { 'records/a.txt': 'a', 'records/b.txt': 'b' })
  const root = join(lab.dropZone, transferPrefix(transfer), 'records')
  const delivered = await lab.deliver(transfer, {
    onProgress: ({ kind }) => {
      if (kind !== 'sealed') return
      writeFileSync(join(root, 'late.txt'), 'late')
      rmSync(join(root, 'b.txt'))
      appendFileSync(join(root, 'a.txt'), 'more')
    },
  })
  assert.deepEqual(codesOf(delivered), { 'FILE.ADDED': 1, 'FILE.CHANGED': 1, 'FILE.REMOVED': 1 })
  const { state, reports } = lab.engine
  await assert.rejects(
    () =>
      decide(state, reports, () => lab.zoneStore, {
        kind: 'accepted',
        reference: delivered.reference,
        who: 'archivist',
        why: 'x',
        now: new Date(),
      }),
    /changed since/,
  )
  await lab.close()
})

test('once a day a delivered transfer is looked at again, until somebody has decided', async () => {
  const lab = makeLab({ pool })
  const transfer = lab.land('t1', { 'records/a.txt': 'a' })
  await lab.deliver(transfer)
  const look = (day: number) =>
    relistDaily(lab.zone, lab.zoneStore, lab.engine.state, new Date(Date.UTC(2026, 10, day)))
  assert.deepEqual(await look(24), [])
  appendFileSync(join(lab.dropZone, transferPrefix(transfer), 'records', 'a.txt'), 'more')
  assert.deepEqual(await look(24), [])
  const [drifted] = await look(25)
  assert.deepEqual(drifted?.drift, [{ key: 'records/a.txt', code: 'FILE.CHANGED' }])
  await withdraw(lab.engine.state, drifted?.attempt.reference ?? '', {
    who: 'x',
    why: 'y',
    now: new Date(),
  })
  assert.deepEqual(await look(26), [])
  await lab.close()
})

test('a decision is recorded once, with who and why, and names the report it is about', async () => {
  const { lab, delivered } = await report({ 'records/a.txt': 'a' })
  const { state, reports } = lab.engine
  const request = {
    kind: 'accepted',
    reference: delivered.reference,
    who: 'an archivist',
    why: 'complete',
    now: new Date('2026-11-24T12:00:00Z'),
  } as const
  await assert.rejects(
    () => decide(state, reports, () => lab.zoneStore, { ...request, reportDigest: '0000' }),
    /newer report/,
  )
  const decision = await decide(state, reports, () => lab.zoneStore, request)
  assert.equal(decision.reportDigest.length, 64)
  await assert.rejects(
    () => decide(state, reports, () => lab.zoneStore, { ...request, kind: 'returned' }),
    /already accepted by an archivist/,
  )
  await lab.close()
})

test('a sweep finds what is complete, leaves what is finished, and waits for what is not', async () => {
  const lab = makeLab({ pool })
  lab.land('t1', { 'records/a.txt': 'a' })
  lab.land('t2', { 'records/a.txt': 'a' }, undefined)
  mkdirSync(join(lab.dropZone, 'office/networkdrive/t3/records'), { recursive: true })
  const due = async () => {
    const found = []
    for await (const { transfer } of dueTransfers(
      lab.zone,
      lab.zoneStore,
      lab.engine.state,
      new Date(),
    ))
      found.push(transfer)
    return found
  }
  const [first, ...others] = await due()
  assert.equal(first?.transferId, 't1')
  assert.deepEqual(
    others.map(({ transferId }) => transferId),
    ['t2'],
  )
  await lab.close()
})

test('a quiet zone takes a transfer that has not changed for a period, whatever its object times', async () => {
  const lab = makeLab({ pool, zone: { quietMinutes: 10 } })
  const transfer = { zone: 'lab', integrator: 'office', source: 'drive', transferId: 'q' }
  const root = join(lab.dropZone, transferPrefix(transfer), 'records')
  mkdirSync(root, { recursive: true })
  writeFileSync(join(root, 'a.txt'), 'a')
  const dueAt = async (minute: number) => {
    for await (const _due of dueTransfers(
      lab.zone,
      lab.zoneStore,
      lab.engine.state,
      new Date(Date.UTC(2026, 0, 1, 9, minute)),
    ))
      return true
    return false
  }
  assert.equal(await dueAt(0), false)
  assert.equal(await dueAt(9), false)
  writeFileSync(join(root, 'b.txt'), 'b')
  assert.equal(await dueAt(11), false)
  assert.equal(await dueAt(20), false)
  assert.equal(await dueAt(21), true)
  await lab.close()
})

test('references follow one another, and two transfers at once never share one', async () => {
  const lab = makeLab({ pool })
  const transfers = Array.from({ length: 6 }, (_, i) => lab.land(`t${i}`, { 'records/a.txt': 'a' }))
  const delivered = await Promise.all(transfers.map((transfer) => lab.deliver(transfer)))
  const references = new Set(delivered.map(({ reference }) => reference))
  assert.equal(references.size, 6)
  for (const reference of references) assert.match(reference, /^WHF-2026-[CDFGHJKLM]$/)
  await lab.close()
})

test('a reference that the sender supplies is kept, and is not given to a second transfer', async () => {
  const lab = makeLab({ pool })
  const first = await lab.deliver(
    lab.land('t1', { 'records/a.txt': 'a' }, { reference: 'TDR-2026-XYZ' }),
  )
  const second = await lab.deliver(
    lab.land('t2', { 'records/a.txt': 'a' }, { reference: 'TDR-2026-XYZ' }),
  )
  assert.equal(first.reference, 'TDR-2026-XYZ')
  assert.match(second.reference, /^WHF-2026-/)
  await lab.close()
})

test('the index is rebuilt from the reports alone', async () => {
  const { lab, delivered } = await report({ 'records/a.txt': 'a' })
  const { state, reports } = lab.engine
  assert.equal(await reindex(state, reports), 1)
  const [summary] = [...(await readSummaries(state)).values()]
  assert.equal(summary?.reference, delivered.reference)
  await lab.close()
})

test('a store that fails in the middle ends the run with its reason, and the next run finishes', async () => {
  const broken = (store: Store): Store => {
    let writes = 0
    return {
      ...store,
      createIfAbsent: async (key, bytes, options) => {
        if (++writes === 9) throw new StoreError('unavailable', key, 'the disk is full')
        return store.createIfAbsent(key, bytes, options)
      },
    }
  }
  const lab = makeLab({ pool })
  const transfer = lab.land('t1', { 'records/a.txt': 'a' })
  const { processTransfer } = await import('./process.ts')
  await assert.rejects(
    () =>
      processTransfer(
        { ...lab.engine, state: broken(lab.engine.state) },
        lab.zone,
        lab.zoneStore,
        transfer,
        { reportNow: true },
      ),
    /disk is full/,
  )
  assert.equal((await lab.deliver(transfer)).verdict, 'READY')
  await lab.close()
})

test.run()
