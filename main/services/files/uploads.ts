/**
 * Files that come through a browser, which tells no paths: they wait in a folder of the library until they are imported, and are
 * removed then. What a crash leaves is removed at the next start.
 */
import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import { unwritable } from '../content-files.ts'

export interface UploadLimits {
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Bytes of everything in one upload. */
  readonly bytes: number
  readonly files: number
}

const LIMITS: UploadLimits = { fileBytes: 2 ** 30, bytes: 2 ** 35, files: 20_000 }

/** A file on its way in. */
export interface IncomingFile {
  /** Names the upload: files of one name lie in one folder. */
  readonly upload: string
  /** With the folders it was dropped in, by forward slashes: `ink/study 1.png`. */
  readonly name: string
  /** As announced. */
  readonly bytes: number
}

/** Where a file was put, and the folder with all of its upload. Absolute. */
export interface ReceivedFile {
  readonly path: string
  readonly folder: string
}

export class UploadService {
  readonly #folder: string
  readonly #limits: UploadLimits
  readonly #received = new Map<string, { bytes: number; files: number }>()

  constructor(libraryFolder: string, limits: UploadLimits = LIMITS) {
    this.#folder = join(libraryFolder, 'uploads')
    this.#limits = limits
  }

  /**
   * Writes a file as it comes. Throws `call.invalid` for names that lead elsewhere, `file.unreadable` for what is too large or did not
   * arrive whole, and `file.unwritable`.
   */
  async receive({ upload, name, bytes }: IncomingFile, body: AsyncIterable<Uint8Array>): Promise<ReceivedFile> {
    if (!/^[0-9a-f-]{36}$/.test(upload)) throw new HalfstepError('call.invalid', 'The upload has no proper name.')
    const segments = checkedName(name)
    this.#count(upload, name, bytes)
    const folder = join(this.#folder, upload)
    const path = join(folder, ...segments)
    await write(path, name, bytes, body)
    return { path, folder }
  }

  /** Removes an upload with all its files; nothing where there is none. */
  async discard(upload: string): Promise<void> {
    this.#received.delete(upload)
    await rm(join(this.#folder, upload), { recursive: true, force: true })
  }

  /** Removes what an earlier process has left; what cannot be removed now is tried again at the next start. */
  async discardAll(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined)
  }

  #count(upload: string, name: string, bytes: number): void {
    const { fileBytes, bytes: most, files } = this.#limits
    const before = this.#received.get(upload) ?? { bytes: 0, files: 0 }
    const after = { bytes: before.bytes + bytes, files: before.files + 1 }
    const refuse = (message: string): never => {
      throw new HalfstepError('file.unreadable', message, 'Use Browse to choose it where it lies.', { file: name })
    }
    if (bytes > fileBytes) refuse(`${name} is too large to come through the browser.`)
    if (after.bytes > most || after.files > files) refuse('This is too much to come through the browser at once.')
    this.#received.set(upload, after)
  }
}

/** Complete or not at all. */
async function write(path: string, name: string, bytes: number, body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, 'wx')
    try {
      for await (const chunk of body) await file.writeFile(chunk)
      if ((await file.stat()).size !== bytes) throw cutOff(name)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (!isTaken(error)) await rm(path, { force: true }).catch(() => undefined)
    throw error instanceof HalfstepError ? error : unwritable(name, error)
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function cutOff(name: string): HalfstepError {
  return new HalfstepError('file.unreadable', `${name} did not arrive whole.`, 'Drop it again.', { file: name })
}

/** Names that Windows keeps for devices, whatever their ending. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** The parts of a name between its slashes. Throws `call.invalid` for one that could lead out of the folder or that no disk takes. */
function checkedName(name: string): string[] {
  const segments = name.split('/')
  const isPlain = (segment: string): boolean =>
    // Exactly these are what file systems refuse.
    segment.length > 0 && Buffer.byteLength(segment) <= 255 && !/^\.|[. ]$|[\\:*?"<>|\x00-\x1f]/.test(segment) && !RESERVED.test(segment)
  if (segments.length > 32 || !segments.every(isPlain)) {
    throw new HalfstepError('call.invalid', `${name} cannot be taken under this name.`, 'Rename it and drop it again.', { file: name })
  }
  return segments
}
