/** Adapter files: which format a file has, and reading and writing either. */
import { basename, dirname, extname, join } from 'node:path'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { readJson } from '../../../native-models/weights/json-file.ts'
import type { ReplacingFileSystem } from '../../../native-models/weights/replace-file.ts'
import { openSafetensors, writeSafetensors, type SafetensorsFile } from '../../../native-models/weights/safetensors.ts'
import { HalfstepError } from '../errors.ts'
import { isFloat, type FloatDType } from '../tensor/dtype.ts'
import { isDType, type Tensor } from '../tensor/tensor.ts'
import { adapterFamily, type BaseFamily } from './base-family.ts'
import { refuseForeignTensors } from './foreign-tensors.ts'
import { isKohyaKey, readKohya, writeKohya } from './kohya-format.ts'
import type { Adapter } from './lora.ts'
import { describeAdapter } from './metadata.ts'
import { mostCommon } from './most-common.ts'
import { LORA_METADATA_KEY, readPeft, writePeft } from './peft-format.ts'

export type AdapterFormat = 'kohya' | 'peft'

/** An adapter and what its file was like. The weights are float32 here, whatever the file holds. */
export interface AdapterFile extends Adapter {
  readonly path: string
  readonly format: AdapterFormat
  /** Element type of most weights in the file. */
  readonly dtype: FloatDType
}

export interface WriteAdapterOptions {
  readonly format: AdapterFormat
  /** float32 keeps every bit; float16 halves the file. */
  readonly dtype?: 'float32' | 'float16'
  /** The family of the base model, where the caller knows it; else it is told from the modules. */
  readonly family?: BaseFamily
  /** For people; the file's name without extension unless given or known from the adapter's metadata. */
  readonly title?: string
  readonly date?: Date
  /** The system's own unless given. */
  readonly files?: ReplacingFileSystem
}

/**
 * Reads a LoRA in either format.
 *
 * Throws `file.*` and `weights.*` for a file that is no safetensors file, `adapter.unsupported` for other kinds of
 * adapters (LoHa, LoKr, DoRA, …) and `adapter.malformed` for anything that is no LoRA, naming the file and the key.
 */
export async function readAdapter(path: string): Promise<AdapterFile> {
  const file = await openSafetensors(path)
  const format = formatOf(file)
  const tensors = new Map<string, Tensor>()
  for (const name of file.names()) {
    const entry = file.find(name)
    if (entry) tensors.set(name, await readWeight(entry))
  }
  const modules =
    format === 'kohya' ? readKohya(path, tensors) : readPeft(path, tensors, file.metadata, await peftConfigBeside(file))
  return { path, format, dtype: dtypeOf(tensors), modules, metadata: Object.fromEntries(file.metadata) }
}

/**
 * Writes an adapter so that diffusers, peft, A1111 and ComfyUI apply the same change. The file appears complete or not at
 * all. Weights come back bit for bit from float32 files; in kohya's format only from modules of the most common alpha.
 *
 * Throws `adapter.malformed` for an adapter without modules or with numbers too large for float16, `file.unwritable`.
 */
export async function writeAdapter(path: string, adapter: Adapter, options: WriteAdapterOptions): Promise<void> {
  if (adapter.modules.length === 0) throw empty(path)
  const family = options.family ?? adapterFamily(adapter)
  const title = options.title ?? adapter.metadata['modelspec.title'] ?? basename(path, extname(path))
  const description = describeAdapter(adapter, { format: options.format, family, title, date: options.date ?? new Date() })
  const { tensors, metadata } =
    options.format === 'kohya' ? { tensors: writeKohya(adapter, family === 'sdxl'), metadata: {} } : writePeft(adapter)
  const stored = options.dtype === 'float16' ? tensors.map(([name, tensor]) => [name, toFloat16(path, name, tensor)] as const) : tensors
  await writeSafetensors(path, stored, { ...description, ...metadata }, options.files)
}

function formatOf(file: SafetensorsFile): AdapterFormat {
  const names = file.names()
  refuseForeignTensors(file.path, names)
  if (names.length === 0) throw empty(file.path)
  const other = names.find((name) => isKohyaKey(name) !== isKohyaKey(names[0] ?? ''))
  if (other !== undefined) {
    throw new HalfstepError(
      'adapter.malformed',
      `${file.path} mixes the names of two formats: ${names[0] ?? ''} and ${other}.`,
      'Export the adapter again with the tool that made it.',
      { file: file.path, key: other },
    )
  }
  return isKohyaKey(names[0] ?? '') ? 'kohya' : 'peft'
}

/** A file that peft itself wrote has its alpha in a file beside it. */
async function peftConfigBeside(file: SafetensorsFile): Promise<unknown> {
  const written = file.names().some((name) => name.startsWith('base_model.model.'))
  if (!written || file.metadata.has(LORA_METADATA_KEY)) return undefined
  try {
    return await readJson(join(dirname(file.path), 'adapter_config.json'))
  } catch (error) {
    if (error instanceof HalfstepError && error.code === 'file.missing') return undefined
    throw error
  }
}

function dtypeOf(tensors: ReadonlyMap<string, Tensor>): FloatDType {
  const weights = [...tensors].filter(([name]) => !name.endsWith('.alpha'))
  return mostCommon(weights.map(([, tensor]) => tensor.dtype).filter(isFloat)) ?? 'float32'
}

/** Weights as float16. An alpha stays as it is: it costs four bytes, and a rounded one would change the strength. */
function toFloat16(path: string, name: string, tensor: Tensor): Tensor {
  if (!isDType(tensor, 'float32') || tensor.shape.length === 0) return tensor
  const data = Float16Array.from(tensor.data)
  if (data.some((value, i) => !Number.isFinite(value) && Number.isFinite(tensor.data[i]))) {
    throw new HalfstepError(
      'adapter.malformed',
      `${path} cannot be written as float16, because ${name} holds numbers beyond 65504.`,
      'Write the adapter as float32.',
      { file: path, key: name },
    )
  }
  return { dtype: 'float16', shape: tensor.shape, data }
}

function empty(path: string): HalfstepError {
  return new HalfstepError('adapter.malformed', `${path} holds no LoRA modules.`, 'Choose another file.', { file: path })
}
