import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { HalfstepError } from '../../main/engine/errors.ts'
import type { Checkpoint } from './checkpoint.ts'
import { openDiffusersFolder } from './diffusers-folder.ts'
import { openSingleFile } from './single-file.ts'

/**
 * Opens a model as an artist has it: a diffusers folder or a single .safetensors file. Configs and headers are read and
 * checked; weights stay on disk. Throws {@link HalfstepError} with a `file.*`, `config.*`, `weights.*` or `model.*` code.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const absolute = resolve(path)
  const found = await stat(absolute).catch(() => undefined)
  if (found === undefined) {
    const nextStep = 'Check the path, or download the model again.'
    throw new HalfstepError('file.missing', `${absolute} does not exist.`, nextStep, { file: absolute })
  }
  return found.isDirectory() ? await openDiffusersFolder(absolute) : await openSingleFile(absolute)
}
