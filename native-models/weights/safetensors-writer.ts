import { randomBytes } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { HalfstepError } from '../../main/engine/errors.ts'
import { bytesPerElement, type DType } from '../../main/engine/tensor/dtype.ts'
import { elementCount, type Shape } from '../../main/engine/tensor/shape.ts'
import { toBytes, type Tensor } from '../../main/engine/tensor/tensor.ts'
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
): Promise<void> {
  const sorted = [...tensors].sort(byElementSizeThenName)
  const header = encodeHeader(sorted, metadata)
  await replaceFile(path, async (handle) => {
    await writeAll(handle, header)
    for (const [name, tensor] of sorted) await writeAll(handle, await bytesOf(name, tensor))
  })
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

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(bytes.byteLength - done, MAX_WRITE_BYTES))
    done += bytesWritten
  }
}

const MAX_WRITE_BYTES = 2 ** 30

/** Writes a temporary file beside `path` and puts it in its place once it is safely on disk. */
async function replaceFile(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx')
    try {
      await write(handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await renameOver(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    if (!(error instanceof Error && 'syscall' in error)) throw error
    const nextStep = 'Make room on the disk or choose another folder, and try again; the earlier file, if any, is unchanged.'
    throw new HalfstepError('file.unwritable', `${path} cannot be written: ${error.message}.`, nextStep, { file: path })
  }
}

/** On Windows a virus scanner may hold a new file for a while: try for up to a minute. */
async function renameOver(from: string, to: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await rename(from, to)
    } catch (error) {
      if (process.platform !== 'win32' || Date.now() > deadline) throw error
      await wait(200)
    }
  }
}

/** Makes the rename itself durable. Windows has no way to, and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
