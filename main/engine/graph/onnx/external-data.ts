import { open, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { bytesPerElement } from '../../tensor/dtype.ts'
import { elementCount } from '../../tensor/shape.ts'
import type { WeightLocation } from '../graph.ts'
import { malformedOnnx } from './malformed.ts'
import { tensorType } from './read-tensor.ts'
import { EXTERNAL_LOCATION, type OnnxTensor } from './schema.ts'

/** Tensors up to this size are read, since shapes and bounds must be known while importing; larger ones stay where they lie. */
const SMALL = 1024

/**
 * Finds the tensors a model stores in other files. Like ONNX Runtime it only looks inside the folder of the model: a model that
 * someone else made must not be able to read any other file.
 *
 * @returns where each large tensor lies, and the bytes of each small one
 * @throws onnx.malformed naming the tensor, when its location is absolute, leads out of the folder (by `..` or a link), is no file,
 *   or is shorter than the tensor
 */
export async function findExternalTensors(
  tensors: readonly OnnxTensor[],
  folder: string,
  file: string,
): Promise<Map<OnnxTensor, WeightLocation | Uint8Array>> {
  const found = new Map<OnnxTensor, WeightLocation | Uint8Array>()
  for (const tensor of tensors) {
    if (tensor.dataLocation !== EXTERNAL_LOCATION) continue
    const location = await locate(tensor, folder, file)
    found.set(tensor, location.byteLength > SMALL ? location : await readBytes(location))
  }
  return found
}

async function locate(tensor: OnnxTensor, folder: string, file: string): Promise<WeightLocation> {
  const name = tensor.name ?? ''
  const refuse = (cause: string) => malformedOnnx(file, `the tensor ${name} is stored ${cause}`)
  const entries = new Map(tensor.externalData?.map(({ key, value }) => [key, value ?? '']))
  const location = entries.get('location') ?? ''
  const parts = location.split(/[\\/]/)
  if (location === '' || location.includes('\0')) throw refuse('outside, but it is not said where')
  if (path.posix.isAbsolute(location) || path.win32.isAbsolute(location) || /^[a-z]:/i.test(location))
    throw refuse(`at the absolute path ${location}`)
  if (parts.includes('..')) throw refuse(`at ${location}, outside of the folder of the model`)

  const target = await realpath(path.join(folder, location)).catch(() => undefined)
  if (target === undefined) throw refuse(`in the file ${location}, which is not there`)
  if (!isInside(target, await realpath(folder))) throw refuse(`behind the link ${location}, which leads out of the folder of the model`)
  const status = await stat(target)
  if (!status.isFile()) throw refuse(`at ${location}, which is no file`)

  const { dtype, shape } = tensorType(tensor, file)
  const needed = elementCount(shape) * bytesPerElement(dtype)
  const byteOffset = wholeNumber(entries.get('offset') ?? '0')
  const byteLength = wholeNumber(entries.get('length') ?? String(needed))
  if (byteLength !== needed) throw refuse(`as ${entries.get('length') ?? ''} bytes, but it has ${needed}`)
  if (byteOffset === undefined || byteOffset + needed > status.size)
    throw refuse(`at byte ${entries.get('offset') ?? ''} of ${location}, which ends before it does`)
  return { file: target, byteOffset, byteLength: needed }
}

function isInside(file: string, folder: string): boolean {
  const relative = path.relative(folder, file)
  return relative !== '' && relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative)
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(number) ? number : undefined
}

async function readBytes({ file, byteOffset, byteLength }: WeightLocation): Promise<Uint8Array> {
  await using handle = await open(file)
  const bytes = new Uint8Array(byteLength)
  await handle.read(bytes, 0, byteLength, byteOffset)
  return bytes
}
