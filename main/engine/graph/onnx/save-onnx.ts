import { randomUUID } from 'node:crypto'
import { realpath, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { wordsForDiskFault } from '../../disk-fault.ts'
import { HalfstepError } from '../../errors.ts'
import type { Graph } from '../graph.ts'
import { writeOnnx } from './write.ts'

/**
 * Writes a graph as an .onnx file that loads from where it lies: weights that are mapped from other files are referred to relative to
 * its folder. Throws `usage` when they lie outside of it, `file.unwritable` when it cannot be written; then nothing is left behind.
 */
export async function saveOnnx(file: string, graph: Graph): Promise<void> {
  const folder = path.dirname(file)
  const unwritable = (error: unknown): HalfstepError => {
    const reason = wordsForDiskFault(error)
    return new HalfstepError('file.unwritable', `${file} cannot be written: ${reason}.`, 'Choose another place.', { file })
  }
  const { bytes } = writeOnnx(graph, await realpath(folder).catch((error: unknown) => Promise.reject(unwritable(error))))
  const temporary = path.join(folder, `.${path.basename(file)}.${randomUUID()}`)
  try {
    await writeFile(temporary, bytes)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw unwritable(error)
  }
}
