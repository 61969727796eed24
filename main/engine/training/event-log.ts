import { isSystemError, unwritable, writeAll, type OpenFile } from '../../../native-models/weights/replace-file.ts'
import type { TrainingEvent } from '../protocol.ts'
import type { FileSystem } from './file-system.ts'

/**
 * The diary of a run: one JSON document per line, added at the end. A kill may tear its last line, so every start begins with a
 * line break, and readers pass over lines that are no JSON.
 */
export class EventLog {
  readonly #path: string
  readonly #files: FileSystem
  #file: OpenFile | undefined
  /** Whether the next line may follow half a line. */
  #torn = true

  constructor(path: string, files: FileSystem) {
    this.#path = path
    this.#files = files
  }

  /** Adds an event with the time of day. Throws `file.unwritable`. */
  async append(event: TrainingEvent): Promise<void> {
    const line = `${this.#torn ? '\n' : ''}${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`
    try {
      this.#file ??= await this.#files.open(this.#path, 'a')
      this.#torn = true
      await writeAll(this.#file, new TextEncoder().encode(line))
      this.#torn = false
    } catch (error) {
      throw isSystemError(error) ? unwritable(this.#path, error) : error
    }
  }

  /** Makes what was added durable. Throws `file.unwritable`. */
  async sync(): Promise<void> {
    try {
      await this.#file?.sync()
    } catch (error) {
      throw isSystemError(error) ? unwritable(this.#path, error) : error
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}
