import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError } from '../errors.ts'

/** A folder that pictures are added to under running numbers: `00017-42.png`. Nothing in it is ever replaced. */
export class PictureFolder {
  readonly #path: string
  #next: number

  private constructor(path: string, next: number) {
    this.#path = path
    this.#next = next
  }

  /** Makes the folder where there is none, and goes on behind the largest number in it. Throws `file.unwritable`. */
  static async open(path: string): Promise<PictureFolder> {
    const folder = resolve(path)
    try {
      await mkdir(folder, { recursive: true })
      const numbers = (await readdir(folder)).map((name) => Number(/^(\d{5,})-.*\.png$/.exec(name)?.[1] ?? 0))
      return new PictureFolder(folder, numbers.reduce((a, b) => Math.max(a, b), 0) + 1)
    } catch (error) {
      throw unwritable(folder, error)
    }
  }

  /** Writes a PNG file under the next free number and gives its path. Throws `file.unwritable`, and leaves nothing half written. */
  async add(png: Uint8Array, label: string): Promise<string> {
    for (;;) {
      const path = join(this.#path, `${String(this.#next++).padStart(5, '0')}-${label}.png`)
      try {
        await writeNew(path, png)
        return path
      } catch (error) {
        if (!isTaken(error)) throw unwritable(path, error)
      }
    }
  }
}

/** Fails where there is a file already. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(bytes)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}

function unwritable(path: string, error: unknown): HalfstepError {
  const nextStep = 'Make room on the disk or choose another folder.'
  return new HalfstepError('file.unwritable', `${path} cannot be written: ${wordsForDiskFault(error)}.`, nextStep, { file: path })
}
