import { bytesPerElement, type DType } from '../../main/engine/tensor/dtype.ts'
import { elementCount, type Shape } from '../../main/engine/tensor/shape.ts'
import { toBytes, type Tensor } from '../../main/engine/tensor/tensor.ts'
import { replaceFile, systemFiles, writeAll, type OpenFile, type ReplacingFileSystem } from './replace-file.ts'
import { METADATA_KEY, safetensorsName } from './safetensors-header.ts'

/** A tensor that is only brought into memory when its turn to be written comes. */
export interface TensorToWrite {
  readonly dtype: DType
  readonly shape: Shape
  read(): Tensor | Promise<Tensor>
}

/**
 * Writes a .safetensors file, one tensor in memory at a time. The file appears complete and durable, or not at all: it is
 * written beside its final place, flushed, and renamed over it. Tensors lie sorted by element size and name, as the
 * reference writer has them, so that each is aligned to its element size.
 *
 * Throws `file.unwritable` when the disk refuses, and RangeError for tensors that contradict themselves.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [name: string, tensor: Tensor | TensorToWrite]>,
  metadata: Readonly<Record<string, string>> = {},
  files: ReplacingFileSystem = systemFiles,
): Promise<void> {
  const sorted = [...tensors].sort(byElementSizeThenName)
  const header = encodeHeader(sorted, metadata)
  const write = async (file: OpenFile): Promise<void> => {
    await writeAll(file, header)
    for (const [name, tensor] of sorted) await writeAll(file, await bytesOf(name, tensor))
  }
  await replaceFile(path, write, files)
}

type Named = readonly [name: string, tensor: Tensor | TensorToWrite]

function byElementSizeThenName([a, left]: Named, [b, right]: Named): number {
  return bytesPerElement(right.dtype) - bytesPerElement(left.dtype) || (a < b ? -1 : a > b ? 1 : 0)
}

/** Length, JSON, and spaces up to a multiple of eight. */
function encodeHeader(tensors: readonly Named[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const members: string[] = []
  const names = new Set<string>([METADATA_KEY])
  if (Object.keys(metadata).length > 0) members.push(member(METADATA_KEY, metadata))
  let begin = 0
  for (const [name, { dtype, shape }] of tensors) {
    if (names.has(name) || !name.isWellFormed()) throw new RangeError(`a tensor cannot be named ${name}, or two are`)
    names.add(name)
    const end = begin + byteLength(dtype, shape)
    members.push(member(name, { dtype: safetensorsName(dtype), shape, data_offsets: [begin, end] }))
    begin = end
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const padded = Math.ceil(json.byteLength / 8) * 8
  const bytes = new Uint8Array(8 + padded).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  return bytes
}

/** Written one by one, because an object literal would reorder keys like "0" and swallow `__proto__`. */
function member(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(value)}`
}

function byteLength(dtype: DType, shape: Shape): number {
  return elementCount(shape) * bytesPerElement(dtype)
}

async function bytesOf(name: string, source: Tensor | TensorToWrite): Promise<Uint8Array> {
  const bytes = toBytes('read' in source ? await source.read() : source)
  const expected = byteLength(source.dtype, source.shape)
  if (bytes.byteLength !== expected) throw new RangeError(`tensor ${name} has ${bytes.byteLength} bytes instead of ${expected}`)
  return bytes
}
