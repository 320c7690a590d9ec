import { metadataCodes } from './metadata-codes.ts'

/** Who has to do something about a finding. */
export type Actor = 'sender' | 'archivist' | 'nobody'

/** error: blocks; warning: should be read; info: worth knowing. */
export type Severity = 'error' | 'warning' | 'info'

/** A row of the report's table of checks, in the order they print. */
export const checks = {
  received: 'Received completely',
  sealed: 'Unchanged since sealing',
  fixity: "Sender's checksum equals ours",
  digest: 'SHA-256 computed by us',
  malware: 'Malware',
  format: 'File format',
  names: 'Names and sizes',
  metadata: 'Metadata rows',
  reconciliation: 'Metadata matched to files',
} as const
export type CheckId = keyof typeof checks

export type CodeFacts = {
  readonly check: CheckId
  readonly severity: Severity
  readonly actor: Actor
  /** What is wrong, in plain English, for any number of places: no path, no value. */
  readonly sentence: string
  readonly howToFix: string
}

/**
 * Every finding that the program can make. Codes are stable for ever; sentences may improve.
 * The verdict follows from severity and actor alone (flow/verdict.ts).
 */
export const codes = {
  'TRANSFER.EMPTY': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The transfer holds no records.',
    howToFix: 'Check that the upload went to the right place, then send a new transfer.',
  },
  'TRANSFER.ALL_EXCLUDED': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'Every file in the transfer is a system file that is never taken in.',
    howToFix: 'Send the records themselves in a new transfer.',
  },
  'TRANSFER.COUNT_DIFFERS': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The number of records that arrived is not the number that was announced.',
    howToFix: 'Compare your list with files.csv and send what is missing in a correction.',
  },
  'TRANSFER.CLIENT_ERROR': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The sending program reported an error of its own while uploading.',
    howToFix: 'Look the error up in the sending program, then upload what it concerns again.',
  },
  'TRANSFER.COMPLETE_INVALID': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'complete.json could not be read as the JSON object it has to be.',
    howToFix:
      'Write complete.2.json beside it with the right content; nothing else has to be sent again.',
  },
  'TRANSFER.STRAY_OBJECT': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence:
      'An object lies in the transfer outside records/ and metadata/, and was not taken in.',
    howToFix: 'Put records under records/ and everything said about them under metadata/.',
  },
  'CORRECTION.UNKNOWN_TRANSFER': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The transfer that this one says it corrects is not one of yours that was taken in.',
    howToFix:
      'Name the transferId of the earlier transfer in `corrects`, exactly as it was given to you.',
  },
  'CORRECTION.NOT_LATEST': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A later correction of the same transfer had already been taken in.',
    howToFix: 'Name the newest transfer in `corrects`, so that no earlier correction is undone.',
  },
  'CORRECTION.REMOVE_UNKNOWN': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A file that the correction removes is not in the transfer it corrects.',
    howToFix: 'Check the spelling of the path in `remove`.',
  },
  'TRANSFER.RECORDS_WITH_DRY_RUN': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'Records came with a transfer that was announced as metadata alone.',
    howToFix: 'Send the records in a transfer of their own, without `metadataOnly`.',
  },
  'FILE.MISSING': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'Listed by the sender but not received.',
    howToFix: 'Upload the file again in a correction, or take it off the list.',
  },
  'FILE.MISSING_SIMILAR': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence:
      'Listed under a name that differs from the received one only in case, separators, outer spaces or Unicode form.',
    howToFix: 'Use one spelling in the list and on the file.',
  },
  'FILE.UNEXPECTED': {
    check: 'received',
    severity: 'warning',
    actor: 'archivist',
    sentence: 'Received but not in the list that names the other files.',
    howToFix: 'Decide whether the file belongs to the consignment; ask the sender if unsure.',
  },
  'FILE.RENAMED': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'Listed under another name: a received file has exactly the listed content.',
    howToFix: 'Correct the name in the list or on the file.',
  },
  'FILE.SIZE_DIFFERS': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The size received is not the size stated.',
    howToFix: 'Upload the file again; it was probably cut short or changed on the way.',
  },
  'FILE.NOT_REGULAR': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'Not a file: links and devices are never followed or opened.',
    howToFix: 'Send the file that the link points to.',
  },
  'FILE.CHANGED': {
    check: 'sealed',
    severity: 'error',
    actor: 'sender',
    sentence: 'Changed in the drop zone after the transfer was sealed.',
    howToFix: 'Leave a completed transfer alone; send the new version as a correction.',
  },
  'FILE.ADDED': {
    check: 'sealed',
    severity: 'error',
    actor: 'sender',
    sentence: 'Added to the drop zone after the transfer was sealed; not part of this report.',
    howToFix: 'Send the file in a correction.',
  },
  'FILE.REMOVED': {
    check: 'sealed',
    severity: 'error',
    actor: 'sender',
    sentence: 'Removed from the drop zone after the transfer was sealed.',
    howToFix: 'Send the file again in a correction.',
  },
  'CHECKSUM.MISMATCH': {
    check: 'fixity',
    severity: 'error',
    actor: 'sender',
    sentence: 'The bytes received do not have the checksum that was stated for them.',
    howToFix: 'Upload the file again from its source and compare the checksum there.',
  },
  'CHECKSUM.MISMATCH_OFFICE': {
    check: 'fixity',
    severity: 'error',
    actor: 'archivist',
    sentence:
      'An Office document differs from the checksum SharePoint holds; SharePoint rewrites Office files after upload.',
    howToFix:
      'Compare the document with its source before accepting; the checksum alone decides nothing here.',
  },
  'CHECKSUM.CONTRADICTORY': {
    check: 'fixity',
    severity: 'error',
    actor: 'sender',
    sentence: 'Two different checksums of one algorithm were stated for the file.',
    howToFix: 'Remove the wrong line from the manifests.',
  },
  'CHECKSUM.STORE_DIFFERS': {
    check: 'digest',
    severity: 'error',
    actor: 'archivist',
    sentence: 'What we read does not have the checksum that the object store keeps of it.',
    howToFix: 'Run recheck; if it stays, tell the operators: the store may be damaged.',
  },
  'MANIFEST.LINE_UNREADABLE': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A line of a manifest could not be read; the rest of the manifest was used.',
    howToFix: 'Correct the line, or make the manifest again with the tool that wrote it.',
  },
  'MANIFEST.PATH_UNSAFE': {
    check: 'fixity',
    severity: 'error',
    actor: 'sender',
    sentence: 'A path in a manifest points outside the transfer.',
    howToFix: 'Make the manifest inside the folder that is sent, with relative paths.',
  },
  'MANIFEST.NOT_RECOGNISED': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A document under metadata/ is of no kind that we can read, and was not used.',
    howToFix: 'See docs/reference/sources.md for what can be read; send it in one of those forms.',
  },
  'BAGIT.DECLARATION': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'bagit.txt of a bag is missing or does not say what it has to.',
    howToFix: 'Make the bag again with a BagIt tool; bagit.txt is two lines, in UTF-8 without BOM.',
  },
  'BAGIT.NO_MANIFEST': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'A bag has no payload manifest (manifest-sha256.txt), so nothing says what is in it.',
    howToFix: 'Make the bag again with a BagIt tool.',
  },
  'BAGIT.FETCH': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence:
      'A bag has a fetch.txt: part of it is somewhere else. Nothing is fetched from addresses that senders name.',
    howToFix: 'Complete the bag, remove fetch.txt, and send it again.',
  },
  'BAGIT.OXUM_DIFFERS': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'The payload is not of the size and number that bag-info.txt states (Payload-Oxum).',
    howToFix: 'Find what is missing or too much, or make the bag again.',
  },
  'BAGIT.PATH_OUTSIDE': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence:
      'A manifest of a bag names a path outside its place: payload below data/, all in the bag.',
    howToFix: 'Make the bag again with a BagIt tool.',
  },
  'BAGIT.NOT_IN_EVERY_MANIFEST': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence:
      'A payload file is not in every payload manifest of its bag, as version 1.0 asks for.',
    howToFix: 'Make the manifests again, all for the same files.',
  },
  'BAGIT.ENTRY_TWICE': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'A manifest of a bag names the same file twice, which version 1.0 forbids.',
    howToFix: 'Remove one of the lines, or make the manifest again.',
  },
  'BAGIT.ENTRY_TWICE_OLD': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A manifest of a bag names the same file twice, with the same checksum.',
    howToFix: 'Remove one of the lines next time.',
  },
  'BAGIT.ENTRY_FORM': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A manifest of a bag writes paths as other tools do (*path or ./path); it was read.',
    howToFix: 'Nothing has to be done; a BagIt tool writes them plainly.',
  },
  'SOURCE.JSON_INVALID': {
    check: 'fixity',
    severity: 'error',
    actor: 'sender',
    sentence: 'A JSON document cannot be read further; what stands before that place was used.',
    howToFix: 'Write the document again with the tool that made it, and send it whole.',
  },
  'SOURCE.JSON_NAME_TWICE': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'An object in a JSON document has the same name twice; the last value was used.',
    howToFix: 'Leave one of them, with the value that is right.',
  },
  'SOURCE.ENTRY_WITHOUT_PATH': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'An entry of a file list does not say which file it is about, and was not used.',
    howToFix: 'Make the list again with the columns or fields that name the path.',
  },
  'SOURCE.CHECKSUM_UNREADABLE': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A checksum in a file list is not one of its algorithm, and was not used.',
    howToFix: 'Make the list again; the file was checked against its other checksums, if any.',
  },
  'SOURCE.ALGORITHM_UNKNOWN': {
    check: 'fixity',
    severity: 'warning',
    actor: 'sender',
    sentence: 'A checksum was made with an algorithm that we do not compute, and was not compared.',
    howToFix: 'State SHA-256 as well (or SHA-512, SHA-1, MD5).',
  },
  'SOURCE.COPY_FAILED': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: "The sender's own copy log says that a file could not be copied.",
    howToFix: 'Copy the file again and send it in a correction, unless it has arrived after all.',
  },
  'SOURCE.COPY_INCOMPLETE': {
    check: 'received',
    severity: 'warning',
    actor: 'sender',
    sentence: "The sender's own copy log counts files that were not copied.",
    howToFix: 'Find them in the log, copy them again and send them in a correction.',
  },
  'MALWARE.THREAT': {
    check: 'malware',
    severity: 'error',
    actor: 'sender',
    sentence: 'The malware scanner found a threat.',
    howToFix: 'Do not open the file. Clean or remove it at its source and send a correction.',
  },
  'MALWARE.UNSUPPORTED': {
    check: 'malware',
    severity: 'error',
    actor: 'archivist',
    sentence: 'The malware scanner cannot scan the file (its kind, size or password).',
    howToFix: 'Scan the file by other means, then decide.',
  },
  'NAME.EXCLUDED': {
    check: 'names',
    severity: 'info',
    actor: 'nobody',
    sentence: 'A system file that is never part of a record (Thumbs.db and the like).',
    howToFix: 'Nothing has to be done; it can be left out next time.',
  },
  'NAME.UNSAFE_ON_WINDOWS': {
    check: 'names',
    severity: 'warning',
    actor: 'archivist',
    sentence:
      'The name cannot exist on Windows (reserved name, forbidden character, or trailing space or dot).',
    howToFix: 'Keep it as sent, or ask the sender to rename it.',
  },
  'NAME.CONTROL_CHARACTER': {
    check: 'names',
    severity: 'warning',
    actor: 'archivist',
    sentence: 'The name holds a control or invisible direction character.',
    howToFix: 'Keep it as sent, or ask the sender to rename it.',
  },
  'NAME.NOT_UTF8': {
    check: 'names',
    severity: 'warning',
    actor: 'archivist',
    sentence:
      'The name is not valid UTF-8; bytes that are no characters are shown as \\x and two digits.',
    howToFix: 'Ask the sender which encoding the names were written in.',
  },
  'NAME.CLASH': {
    check: 'names',
    severity: 'warning',
    actor: 'archivist',
    sentence: 'Two names are the same on a disk that ignores case or Unicode form.',
    howToFix: 'Keep both as sent, or ask the sender to rename one.',
  },
  'FILE.ZERO_BYTES': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'The file is empty.',
    howToFix: 'Send the file with its content, or leave it out.',
  },
  'FILE.BOM_ONLY': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'The file holds nothing but a byte-order mark.',
    howToFix: 'Send the file with its content, or leave it out.',
  },
  'FILE.ALL_NUL': {
    check: 'names',
    severity: 'warning',
    actor: 'archivist',
    sentence: 'Every byte of the file is zero, as failed copies and recovered disks leave behind.',
    howToFix: 'Ask the sender to compare the file with its source.',
  },
  'FILE.TOO_LARGE': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'The file is larger than the limit agreed for this drop zone.',
    howToFix: 'Agree a higher limit with the archive, or send the file by other means.',
  },
  'METADATA.DUPLICATE_ROW': {
    check: 'reconciliation',
    severity: 'error',
    actor: 'sender',
    sentence: 'Two rows of one metadata document describe the same file.',
    howToFix: 'Keep the right row and delete the other.',
  },
  'METADATA.FILE_NOT_RECEIVED': {
    check: 'reconciliation',
    severity: 'error',
    actor: 'sender',
    sentence: 'A metadata row describes a file that was not received.',
    howToFix: 'Upload the file in a correction, or delete the row.',
  },
  'REDACTION.NO_ORIGINAL': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'A redacted copy (_R, _Redacted) has no original beside it.',
    howToFix:
      'Send the original in the same folder, with the same name before the _R, or rename a file that is no redacted copy.',
  },
  'REDACTION.AMBIGUOUS_ORIGINAL': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'A redacted copy has more than one file that could be its original.',
    howToFix: 'Leave one file of that name, whatever its extension, beside the redacted copy.',
  },
  'REDACTION.DUPLICATE': {
    check: 'names',
    severity: 'error',
    actor: 'sender',
    sentence: 'Two redacted copies have the same name and differ only in their extension.',
    howToFix: 'Number them (_R1, _R2) or leave one of them out.',
  },
  'METADATA.FILE_WITHOUT_ROW': {
    check: 'reconciliation',
    severity: 'error',
    actor: 'sender',
    sentence: 'A received file has no metadata row.',
    howToFix: 'Add a row for the file to the metadata.',
  },
  ...metadataCodes,
  'SIDECAR.WITHOUT_RECORD': {
    check: 'received',
    severity: 'error',
    actor: 'sender',
    sentence: 'A metadata sidecar arrived without its record.',
    howToFix: 'Upload the record under records/ with the same match id, in a correction.',
  },
  'RECORD.WITHOUT_SIDECAR': {
    check: 'reconciliation',
    severity: 'error',
    actor: 'sender',
    sentence: 'A record arrived without its metadata sidecar, while others have one.',
    howToFix: 'Upload metadata/{matchId}.metadata for the record, in a correction.',
  },
  'SIDECAR.JSON_INVALID': {
    check: 'metadata',
    severity: 'error',
    actor: 'sender',
    sentence: 'A metadata sidecar is not a valid JSON object.',
    howToFix: 'Write the sidecar again and send it in a correction.',
  },
  'SIDECAR.NOT_UTF8': {
    check: 'metadata',
    severity: 'error',
    actor: 'sender',
    sentence: 'A metadata sidecar is not UTF-8 text.',
    howToFix: 'Write the sidecar again in UTF-8 and send it in a correction.',
  },
  'SIDECAR.MATCH_ID_DIFFERS': {
    check: 'metadata',
    severity: 'error',
    actor: 'sender',
    sentence: 'The match id inside a sidecar is not the one in its name.',
    howToFix: 'Correct the name or the content, so that record and sidecar belong together.',
  },
  'SIDECAR.PATH_MISSING': {
    check: 'metadata',
    severity: 'error',
    actor: 'sender',
    sentence: 'A sidecar does not say which file it describes.',
    howToFix: 'Add the file path (FileRef, file_path, originalPath or FILE_PATH).',
  },
  'SIDECAR.CHECKSUM_INVALID': {
    check: 'metadata',
    severity: 'error',
    actor: 'sender',
    sentence: 'The checksum in a sidecar is not a SHA-256 in hexadecimal.',
    howToFix: 'State the SHA-256 of the file as 64 hexadecimal digits.',
  },
  'CONTENT.DUPLICATE': {
    check: 'names',
    severity: 'info',
    actor: 'archivist',
    sentence: 'Several files in the consignment have the same content.',
    howToFix: 'Decide whether all copies are records.',
  },
} as const satisfies Record<string, CodeFacts>

export type FindingCode = keyof typeof codes
