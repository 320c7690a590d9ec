import type { SignedRequest, UploadedPart } from '../adapters/s3-presign.ts'

/** Where a folder is landed: the service, or a drop zone itself. Methods throw LandingError. */
export type Landing = {
  /** For people: where it goes. */
  readonly address: string
  begin(): Promise<Begun>
  /** What has arrived already, with sizes, in key order; keys are below the transfer. */
  arrived(transferId: string): AsyncIterable<{ readonly key: string; readonly sizeBytes: number }>
  /** How to send one object. `uploadId` goes on with an upload in parts. */
  offer(transferId: string, object: Sent): Promise<Offer>
  completeParts(
    transferId: string,
    key: string,
    uploadId: string,
    parts: readonly UploadedPart[],
  ): Promise<void>
  /** Say that everything is sent. Saying the same twice changes nothing. */
  complete(transferId: string, completion: PushCompletion): Promise<void>
  /** Resolves with how it ended; undefined where this way in does not tell. */
  outcome?(
    transferId: string,
    signal: AbortSignal,
    onStep: (step: string) => void,
  ): Promise<Outcome>
  close(): Promise<void>
}

export type Begun = { readonly transferId: string; readonly reference?: string }

export type Sent = {
  readonly key: string
  readonly sizeBytes: number
  readonly uploadId?: string
}

export type Offer =
  | { readonly kind: 'single'; readonly request: SignedRequest }
  | {
      readonly kind: 'multipart'
      readonly uploadId: string
      readonly parts: readonly {
        readonly partNumber: number
        readonly firstByte: number
        readonly sizeBytes: number
        readonly request: SignedRequest
      }[]
    }
  /** A folder on this machine: the bytes are written, and nobody is asked. */
  | { readonly kind: 'write'; write(body: AsyncIterable<Uint8Array>): Promise<void> }
  | { readonly kind: 'arrived' }

/** What complete.json says. */
export type PushCompletion = {
  readonly expectedNumberFiles: number
  readonly loadedNumberFiles: number
  readonly loadErrors: readonly { readonly message: string }[]
  readonly transferringBody?: string
  readonly series?: string
  readonly contact?: string
  readonly corrects?: string
  readonly remove?: readonly string[]
}

export type Outcome = {
  readonly reference: string
  readonly verdict: string
  readonly sentence: string
  /** Address of the report's page, where it can be opened. */
  readonly report?: string
}

/** What stopped a push; running it again goes on, unless it says otherwise. */
export class LandingError extends Error {
  override readonly name = 'LandingError'
  /** May succeed in a moment: the line was cut, or the other side is busy. */
  readonly retryable: boolean
  /** Milliseconds to wait, where the other side said so. */
  readonly retryAfterMs: number | undefined
  constructor(
    message: string,
    options: { retryable?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
  }
}
