import type { Bridge, Reply } from '../../main/ipc/bridge.ts'
import { uploadFiles, type UploadOptions } from '../bridge/upload.ts'
import { type Drop, readDrop } from '../components/drop-zone/read-drop.ts'

/** What is dropped on a page, on its way to where the services can read it. */
export class Intake {
  readonly #bridge: Bridge
  readonly #send: typeof fetch
  readonly #pathOf: ((file: File) => string) | undefined

  /** @param pathOf where the preload script tells paths */
  constructor(bridge: Bridge, send: typeof fetch, pathOf?: (file: File) => string) {
    this.#bridge = bridge
    this.#send = send
    this.#pathOf = pathOf
  }

  /** What was dropped. Has to be called while the drop is being handled. */
  read(transfer: DataTransfer): Promise<Drop> {
    return readDrop(transfer, this.#pathOf)
  }

  /**
   * Does something with the paths of what was dropped. Files without paths are sent first, and removed again afterwards, whichever way
   * it ended.
   */
  async bring<T>(
    drop: Drop, use: (paths: readonly string[]) => Promise<Reply<T>>, options: Omit<UploadOptions, 'upload'> = {},
  ): Promise<Reply<T>> {
    if ('paths' in drop) return use(drop.paths)
    const upload = crypto.randomUUID()
    try {
      const sent = await uploadFiles(this.#send, drop.files, { upload, ...options })
      return sent.ok ? await use(sent.value.paths) : sent
    } finally {
      void this.#bridge.call('files.discardUpload', { upload })
    }
  }
}
