import { realpath } from 'node:fs/promises'
import { HalfstepError } from '../../main/engine/errors.ts'
import { readAt, withFile } from './file-bytes.ts'
import { HeaderError, MAX_HEADER_BYTES, parseHeader, UnreadableType, type Header } from './safetensors-header.ts'
import { isPickleName, looksPickled, pickled } from './pickled.ts'
import { weightSource, type WeightEntry, type WeightSource } from './weight-source.ts'

export { writeSafetensors, type TensorToWrite } from './safetensors-writer.ts'

/** An open .safetensors file: its header is in memory, its tensors stay on disk. */
export interface SafetensorsFile extends WeightSource {
  readonly path: string
  readonly metadata: ReadonlyMap<string, string>
}

/** Bytes before the header: its length as an unsigned 64-bit number. */
const LENGTH_BYTES = 8

/**
 * Reads and checks the header of a .safetensors file; nothing else is read.
 * Throws `file.missing`, `file.unreadable`, `weights.pickled` or `weights.malformed` (naming the broken rule).
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  return await withFile(path, async (handle, fileBytes) => {
    if (isPickleName(path)) throw pickled(path)
    const start = await readAt(handle, path, 0, Math.min(fileBytes, LENGTH_BYTES + 1))
    if (looksPickled(start)) throw pickled(path)
    const headerBytes = headerLength(path, start, fileBytes)
    const dataStart = LENGTH_BYTES + headerBytes
    const header = parse(path, await readAt(handle, path, LENGTH_BYTES, headerBytes), fileBytes - dataStart)
    return describe(path, await realpath(path), header, dataStart)
  })
}

function headerLength(path: string, start: Uint8Array, fileBytes: number): number {
  if (fileBytes < LENGTH_BYTES) throw malformed(path, 'it is shorter than the length of a header')
  const length = new DataView(start.buffer).getBigUint64(0, true)
  if (length > BigInt(MAX_HEADER_BYTES)) throw malformed(path, 'its header would be larger than 100 MB')
  if (length > BigInt(fileBytes - LENGTH_BYTES)) throw malformed(path, 'its header reaches past the end of the file')
  return Number(length)
}

function parse(path: string, bytes: Uint8Array, dataBytes: number): Header {
  try {
    return parseHeader(bytes, dataBytes)
  } catch (error) {
    if (error instanceof UnreadableType) throw unreadableType(path, error)
    throw error instanceof HeaderError ? malformed(path, error.message) : error
  }
}

function describe(path: string, file: string, header: Header, dataStart: number): SafetensorsFile {
  const entries = header.tensors.map(({ name, dtype, shape, begin, end }): WeightEntry => {
    return { name, dtype, shape, file, byteOffset: dataStart + begin, byteLength: end - begin }
  })
  return { path, metadata: header.metadata, ...weightSource(path, entries) }
}

function malformed(path: string, rule: string): HalfstepError {
  return new HalfstepError(
    'weights.malformed',
    `${path} is not a valid safetensors file: ${rule}.`,
    'The file is damaged or incomplete; download or export it again.',
    { file: path },
  )
}

function unreadableType(path: string, { tensor, spelling }: UnreadableType): HalfstepError {
  return new HalfstepError(
    'weights.wrong-type',
    `${path} stores the tensor ${tensor} as ${spelling}, an element type that Halfstep does not read.`,
    'Use a float32, float16 or bfloat16 version of the model.',
    { file: path, tensor, dtype: spelling },
  )
}
