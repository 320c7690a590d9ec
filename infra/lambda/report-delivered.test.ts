import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { reportDelivered } from './report-delivered.ts'

const delivered = {
  reference: 'WHF-2026-000001',
  attempt: 2,
  reportVersion: 1,
  verdict: 'NEEDS SENDER',
  status: 'CompletedWithIssues',
  sentence: 'The file Minutes of the Smith case.docx is missing.',
  files: [
    {
      name: 'report.html',
      key: 'sharepoint/WHF-2026-000001/attempt-2/version-1/0a/report.html',
      sha256: '0a',
      sizeBytes: 1,
    },
    { name: 'Smith case.docx', key: 'sharepoint/x', sha256: '0b', sizeBytes: 1 },
  ],
  counts: {
    files: 10,
    bytes: 2048,
    unchecked: 0,
    findings: [
      { code: 'FILE.MISSING', count: 2 },
      { code: 'NAME.TOO_LONG', count: 1 },
    ],
  },
  transfer: {
    zone: 'folders',
    integrator: 'sharepoint',
    source: 'teams',
    transferId: 'Smith case',
  },
  deliveredAt: '2026-11-23T07:10:00.000Z',
}

const test = suite('ReportDelivered')

test('it tells reference, verdict, counts and links', () => {
  assert.deepEqual(reportDelivered(delivered, 'reports', 'https://wharfinger.example.org'), {
    reference: 'WHF-2026-000001',
    attempt: 2,
    reportVersion: 1,
    verdict: 'NEEDS SENDER',
    status: 'CompletedWithIssues',
    counts: { files: 10, bytes: 2048, unchecked: 0, findings: 3 },
    links: {
      dashboard: 'https://wharfinger.example.org/consignments/WHF-2026-000001',
      'report.html': 's3://reports/sharepoint/WHF-2026-000001/attempt-2/version-1/0a/report.html',
    },
  })
})

test('no path, title or name that a sender chose is in it', () => {
  assert.doesNotMatch(JSON.stringify(reportDelivered(delivered, 'reports', '')), /Smith|docx/)
})

test('a document that lacks something is an error, so that it becomes a dead letter', () => {
  for (const name of ['reference', 'verdict', 'counts', 'files'])
    assert.throws(() => reportDelivered({ ...delivered, [name]: undefined }, 'reports', ''))
  assert.throws(() => reportDelivered(null, 'reports', ''))
})

test.run()
