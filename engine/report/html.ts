import { checks } from '../model/code-facts.ts'
import { codes } from '../model/codes.ts'
import { count } from '../model/count.ts'
import type { Decision, FindingGroup, Outcome, Verdict } from '../model/outcome.ts'
import { html, raw, type Html } from './markup.ts'
import { STYLE } from './style.ts'
import {
  bytes,
  custody,
  done,
  groupsByActor,
  metadataInWords,
  notDone,
  number,
  placeOf,
} from './words.ts'
import { visible } from './visible.ts'

type Link = { readonly href: string; readonly sha256: string }
export type ReportLinks = {
  readonly findingsCsv: Link
  readonly filesCsv: Link
  readonly reportJson: Link
  readonly tdrErrors?: Link
}

const tone: Readonly<Record<Verdict, string>> = {
  READY: 'good',
  'READY WITH WARNINGS': 'good',
  'NEEDS SENDER': 'act',
  'NEEDS ARCHIVIST': 'act',
  'NOT PROCESSED': 'bad',
}

/**
 * report.html: one page that needs nothing else, no script, no font, no picture, so that it can be
 * mailed, printed on A4 and kept. Everything a sender wrote is escaped by `html`.
 */
export function renderHtml(
  outcome: Outcome,
  links: ReportLinks,
  decisions: readonly Decision[] = [],
): string {
  const groups = groupsByActor(outcome)
  const accepted = decisions.some(({ kind }) => kind === 'accepted')
  return html`<!doctype html>
    <html lang="en-GB">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${outcome.reference}: ${outcome.verdict}</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <p class="over">Consignment report</p>
          <h1>${outcome.reference}</h1>
          <div class="verdict ${tone[outcome.verdict]}">
            <p class="word">${outcome.verdict}</p>
            <p>${outcome.sentence}</p>
          </div>
          ${decisions.map((decision) => html`<p class="custody">${decision.kind === 'accepted' ? 'Accepted' : 'Returned'} by ${visible(decision.who)} on ${decision.when.slice(0, 10)}: ${visible(decision.why)}</p>`)}
          <p class="custody">${custody(accepted)}</p>
          ${who(outcome)} ${totals(outcome)}
          ${actions('For the sender to fix', 'sender', groups.sender)}
          ${actions('For the archivist to decide', 'archivist', groups.archivist)} ${ours(outcome)}
          ${checkTable(outcome)} ${reconciliation(outcome)} ${changes(outcome)} ${metadata(outcome)}
          ${actions('For information', 'info', groups.nobody)} ${sources(outcome)}
          <h2>Changed by us</h2>
          <p>
            Nothing. Names and bytes are kept exactly as sent; what could not be shown as sent is
            written out, such as \\n or \\x80.
          </p>
          ${files(links)} ${provenance(outcome)}
        </main>
      </body>
    </html> `.text
}

function who({ transfer, attempt, reportVersion }: Outcome): Html {
  const rows: [string, string | undefined][] = [
    ['Transferring body', transfer.transferringBody],
    ['Series', transfer.series],
    ['Contact', transfer.contact],
    ['Sent through', `${transfer.integrator}, ${transfer.source}`],
    ['Transfer', transfer.transferId],
    ['Attempt', `${attempt}${reportVersion > 1 ? `, report version ${reportVersion}` : ''}`],
  ]
  return html`<dl>
    ${rows.map(([name, value]) =>
      value === undefined
        ? ''
        : html`<div>
            <dt>${name}</dt>
            <dd>${visible(value)}</dd>
          </div>`,
    )}
  </dl>`
}

function totals({ totals: all }: Outcome): Html {
  const facts = [
    count(all.files, 'file', 'files'),
    bytes(all.bytes),
    count(all.folders, 'folder', 'folders'),
    all.duplicates.groups === 0
      ? ''
      : `${count(all.duplicates.files, 'file', 'files')} in ${count(all.duplicates.groups, 'group', 'groups')} of identical content`,
    all.excludedFiles === 0 ? '' : count(all.excludedFiles, 'system file', 'system files'),
    all.zeroByteFiles === 0 ? '' : count(all.zeroByteFiles, 'empty file', 'empty files'),
  ].filter((fact) => fact !== '')
  return html`<p class="totals">${facts.join(' · ')}</p>
    ${
      all.largest === undefined
        ? ''
        : html`<p class="small">
            Largest: ${visible(all.largest.path)}, ${bytes(all.largest.sizeBytes)}. By extension:
            ${all.extensions
              .slice(0, 8)
              .map(
                ({ extension, files }) =>
                  `${extension === '' ? 'none' : visible(extension)} ${number(files)}`,
              )
              .join(', ')}${all.extensions.length > 8 ? ' and others' : ''}.
          </p>`
    }`
}

function actions(title: string, kind: string, groups: readonly FindingGroup[]): Html {
  if (groups.length === 0) return html``
  return html`<section class="${kind}">
    <h2>${title}</h2>
    ${groups.map((group) => {
      const facts = codes[group.code]
      const more = group.count - group.examples.length
      return html`<article>
        <h3>
          ${facts.sentence} <span class="count">${count(group.count, 'place', 'places')}</span>
        </h3>
        ${kind === 'info' ? '' : html`<p><strong>What to do:</strong> ${facts.howToFix}</p>`}
        <ul>
          ${group.examples.map((finding) => html`<li>${placeOf(finding) === '' ? 'The transfer as a whole.' : placeOf(finding)}</li>`)}${more > 0 ? html`<li>and ${number(more)} more in findings.csv</li>` : ''}
        </ul>
        <p class="small">
          ${group.code}${facts.severity === 'warning' ? ', a warning: it does not hold the consignment up' : ''}
        </p>
      </article>`
    })}
  </section>`
}

function ours({ unchecked }: Outcome): Html {
  if (unchecked.length === 0) return html``
  return html`<section class="ours">
    <h2>What we could not check</h2>
    <p>This is for us to put right; the sender need not send anything again because of it.</p>
    <ul>
      ${unchecked.map(
        (group) =>
          html`<li>
            <strong>${count(group.count, 'file', 'files')}</strong>:
            ${group.examples[0]?.message ?? group.reason}
            <ul>
              ${group.examples.map(({ path }) => html`<li>${visible(path ?? '')}</li>`)}
            </ul>
          </li>`,
      )}
    </ul>
  </section>`
}

function checkTable({ checks: rows }: Outcome): Html {
  return html`<h2>What was checked</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="What was checked">
      <table>
        <thead>
          <tr>
            <th scope="col">Check</th>
            <th scope="col">Done</th>
            <th scope="col">Passed</th>
            <th scope="col">Failed</th>
            <th scope="col">Not done, and why</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(({ check, tally, notes }) => html`<tr><th scope="row">${checks[check]}${notes.map((note) => html`<br /><span class="small">${note}</span>`)}</th><td>${done(tally)}</td><td>${number(tally.passed)}</td><td${tally.failed > 0 ? raw(' class="failed"') : ''}>${number(tally.failed)}</td><td>${notDone(tally)}</td></tr>`)}
        </tbody>
      </table>
    </div>`
}

function reconciliation({ reconciliation: found }: Outcome): Html {
  const rows: [string, number | null][] = [
    ['Listed by the sender', found.expected],
    ['Received', found.received],
    ['Listed but not received', found.missing],
    ['Received but not listed', found.unexpected],
    ['Received under another name', found.renamed],
    ['Changed, added or removed since sealing', found.changed],
    ['Metadata rows without a file', found.metadataWithoutFile],
    ['Files without a metadata row', found.filesWithoutMetadata],
  ]
  return html`<h2>Sent and received</h2>
    <table class="narrow">
      <tbody>
        ${rows.map(
          ([name, value]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${value === null ? 'no list' : number(value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
}

function changes({ sinceLastAttempt: since }: Outcome): Html {
  if (since === undefined) return html``
  return html`<h2>Since attempt ${since.previousAttempt}</h2>
    <p>
      ${count(since.added, 'file', 'files')} added, ${number(since.replaced)} replaced,
      ${number(since.removed)} removed, ${number(since.carriedOver)} carried over unread because
      nothing about them has changed.
    </p>
    <table class="narrow">
      <thead>
        <tr>
          <th scope="col">Finding</th>
          <th scope="col">Before</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        ${since.findings.map(
          ({ code, before, now }) =>
            html`<tr>
              <th scope="row">${codes[code].sentence}</th>
              <td>${number(before)}</td>
              <td>${now === 0 && before > 0 ? '0, fixed' : number(now)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`
}

function metadata({ metadata: profile }: Outcome): Html {
  if (profile === undefined) return html``
  const { summary, columns, normalised } = metadataInWords(profile)
  return html`<h2>Metadata</h2>
    <p>${summary}</p>
    <p>${columns.join(' ')}</p>
    ${
      normalised.length === 0
        ? ''
        : html`<ul>
            ${normalised.map((line) => html`<li>${line}</li>`)}
          </ul>`
    }`
}

function sources({ sources: rows }: Outcome): Html {
  if (rows.length === 0)
    return html`<h2>Documents read</h2>
      <p>The sender put nothing under metadata/.</p>`
  return html`<h2>Documents read</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Documents read">
      <table>
        <thead>
          <tr>
            <th scope="col">Document</th>
            <th scope="col">Taken for</th>
            <th scope="col">Statements</th>
            <th scope="col">Unreadable</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <th scope="row">${visible(row.document)}</th>
                <td>${row.summary}</td>
                <td>${number(row.statements)}</td>
                <td>${number(row.unreadable)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function files(links: ReportLinks): Html {
  const rows: [string, string, Link][] = [
    ['findings.csv', 'every finding, one a line', links.findingsCsv],
    ['files.csv', 'every file with its checksums and checks', links.filesCsv],
    ['report.json', 'this report for programs', links.reportJson],
    ...(links.tdrErrors === undefined
      ? []
      : [
          [
            'draft-metadata-errors.json',
            'what is wrong with the metadata, in the words of Transfer Digital Records',
            links.tdrErrors,
          ] satisfies [string, string, Link],
        ]),
  ]
  return html`<h2>Files of this report</h2>
    <ul>
      ${rows.map(([name, what, { href, sha256 }]) => html`<li><a href="${href}">${name}</a>: ${what}. <span class="small digest">SHA-256 ${sha256}</span></li>`)}
    </ul>`
}

function provenance({ provenance: made, run }: Outcome): Html {
  const rows: [string, string][] = [
    ['Program', `Wharfinger ${made.engineVersion}, rules ${made.ruleSetVersion}`],
    ['Sealed', run.sealedAt],
    ['Merged', run.mergedAt],
    ['Checks run', made.jobs.join(', ')],
    ['Configuration', made.configurationDigest],
    ['Inventory', made.inventoryDigest],
    ['Run', run.runId],
  ]
  return html`<h2>Where this report comes from</h2>
    <dl class="digest">
      ${rows.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`
}
