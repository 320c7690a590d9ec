import { intervalAt } from '../../lifecycle/intervals.ts'
import type { WindowAt } from '../../lifecycle/runner-gate.ts'
import { opensAt, parseWindows, WINDOWS_KEY, type ServiceWindows } from '../../lifecycle/windows.ts'
import type { Store } from '../adapters/store.ts'
import { readText } from '../run/create-once.ts'

/**
 * When the workers are awake, as `lifecycle apply` and `lifecycle wake` left it in the state. Where
 * nothing was applied, or nothing is known, they always are: doubt costs money, never work.
 */
export class OpeningHours {
  readonly #state: Store
  readonly #resourceId: string | undefined
  #windows: ServiceWindows | undefined

  /** `resourceId`: `service/<cluster>/<service>` of the workers, where it is known. */
  constructor(state: Store, resourceId: string | undefined) {
    this.#state = state
    this.#resourceId = resourceId
  }

  /** Read again what was applied; cheap enough for every minute. Throws StoreError. */
  async refresh(): Promise<void> {
    if ((await this.#state.head(WINDOWS_KEY)) === undefined) {
      this.#windows = undefined
      return
    }
    const { services } = parseWindows(await readText(this.#state, WINDOWS_KEY))
    this.#windows =
      services.find(({ resourceId }) => resourceId === this.#resourceId) ??
      services.find(({ resourceId }) => /work/i.test(resourceId)) ??
      (services.length === 1 ? services[0] : undefined)
  }

  windowAt(now: Date): WindowAt {
    const nowUtc = now.getTime()
    const windows = this.#windows
    if (windows === undefined || nowUtc >= windows.horizonUtc)
      return { windowOpen: true, closesAt: undefined }
    const open = intervalAt(windows.awake, nowUtc)
    if (open === undefined) return { windowOpen: false, closesAt: undefined }
    const ends = open.toUtc < windows.horizonUtc
    return { windowOpen: true, closesAt: ends ? new Date(open.toUtc) : undefined }
  }

  /** When work starts again, while it does not. */
  opensAt(now: Date): Date | undefined {
    const utc = this.#windows === undefined ? undefined : opensAt(this.#windows, now.getTime())
    return utc === undefined ? undefined : new Date(utc)
  }

  /** The stretches of being awake that are known. */
  get windows(): ServiceWindows | undefined {
    return this.#windows
  }
}
