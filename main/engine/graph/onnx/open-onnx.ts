import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { wordsForDiskFault } from '../../disk-fault.ts'
import { HalfstepError } from '../../errors.ts'
import type { Graph } from '../graph.ts'
import { decodeOnnx } from './decode.ts'
import { findExternalTensors } from './external-data.ts'
import { importModel, type ReadOptions } from './read.ts'
import type { OnnxModel } from './schema.ts'
import { tensorsOf } from './tensors-of.ts'

/** No protobuf message can be larger than 2 GiB; models beyond that keep their weights in files beside them. */
const MAX_BYTES = 2 ** 31 - 1

/**
 * Opens an .onnx file as a graph (see {@link readOnnx}). Weights it stores in files beside it stay there, to be mapped.
 * Throws `file.missing`, `file.unreadable`, and what {@link readOnnx} and {@link findExternalTensors} throw.
 */
export async function openOnnx(file: string, options: OpenOptions = {}): Promise<Graph> {
  return importOnnx(await loadOnnx(file), file, options)
}

export type OpenOptions = Omit<ReadOptions, 'file' | 'external'>

/** The message in an .onnx file, for a look at what it declares before it is imported by {@link importOnnx}. */
export async function loadOnnx(file: string): Promise<OnnxModel> {
  return decodeOnnx(await readModel(file), file)
}

/** A message that was loaded from a file, as a graph: the second half of {@link openOnnx}. */
export async function importOnnx(model: OnnxModel, file: string, options: OpenOptions = {}): Promise<Graph> {
  const tensors = model.graph === undefined ? [] : tensorsOf(model.graph)
  return importModel(model, { ...options, file, external: await findExternalTensors(tensors, path.dirname(file), file) })
}

async function readModel(file: string): Promise<Uint8Array> {
  const status = await stat(file).catch(() => undefined)
  if (status === undefined) throw new HalfstepError('file.missing', `There is no file ${file}.`, 'Check the path.', { file })
  if (!status.isFile()) throw new HalfstepError('file.unreadable', `${file} is not a file.`, 'Give the path of an .onnx file.', { file })
  if (status.size > MAX_BYTES) {
    const next = 'Export the model with its weights as external data, beside the .onnx file.'
    throw new HalfstepError('file.unreadable', `${file} is larger than 2 GiB, which no ONNX file can be.`, next, { file })
  }
  try {
    return await readFile(file)
  } catch (error) {
    const reason = wordsForDiskFault(error)
    throw new HalfstepError('file.unreadable', `${file} cannot be read: ${reason}.`, 'Check who may read it.', { file })
  }
}
