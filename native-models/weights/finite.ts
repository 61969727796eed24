import type { FileHandle } from 'node:fs/promises'
import { HalfstepError } from '../../main/engine/errors.ts'
import { isFloat, type FloatDType } from '../../main/engine/tensor/dtype.ts'
import { readAt, withFile } from './file-bytes.ts'
import { allEntries, type WeightEntry, type WeightSource } from './weight-source.ts'

/** How much of a file is looked at in one go. */
const CHUNK_BYTES = 4 * 1024 * 1024

/**
 * Reads every floating-point weight once (or those named) and refuses NaN and infinity.
 * Throws `weights.not-finite`, naming the file and the first tensor concerned.
 */
export async function assertFinite(source: WeightSource, names?: readonly string[]): Promise<void> {
  const entries = names === undefined ? allEntries(source) : names.flatMap((name) => source.find(name) ?? [])
  const byFile = Map.groupBy(entries, (entry) => entry.file)
  for (const [file, inFile] of byFile) {
    const inOrder = inFile.toSorted((a, b) => a.byteOffset - b.byteOffset)
    await withFile(file, async (handle) => {
      for (const entry of inOrder) await assertEntryFinite(handle, entry, source.description)
    })
  }
}

async function assertEntryFinite(handle: FileHandle, entry: WeightEntry, description: string): Promise<void> {
  if (!isFloat(entry.dtype)) return
  const isFiniteChunk = FINITE[entry.dtype]
  for (let done = 0; done < entry.byteLength; done += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, entry.byteLength - done)
    const { buffer } = await readAt(handle, entry.file, entry.byteOffset + done, length)
    if (!isFiniteChunk(buffer)) throw notFinite(entry, description)
  }
}

/** A number is NaN or infinite when all bits of its exponent are set. */
const FINITE: Readonly<Record<FloatDType, (buffer: ArrayBufferLike) => boolean>> = {
  float64: (buffer) => new Float64Array(buffer).every(Number.isFinite),
  float32: (buffer) => exponentsClear(new Uint32Array(buffer), 0x7f800000),
  float16: (buffer) => exponentsClear(new Uint16Array(buffer), 0x7c00),
  bfloat16: (buffer) => exponentsClear(new Uint16Array(buffer), 0x7f80),
}

function exponentsClear(patterns: Uint32Array | Uint16Array, exponent: number): boolean {
  for (let i = 0; i < patterns.length; i++) {
    if (((patterns[i] ?? 0) & exponent) === exponent) return false
  }
  return true
}

function notFinite(entry: WeightEntry, description: string): HalfstepError {
  return new HalfstepError(
    'weights.not-finite',
    `${description} holds NaN or infinite numbers in the tensor ${entry.name}.`,
    'The model is broken and would only make black or noisy images; use another version of it.',
    { file: entry.file, tensor: entry.name },
  )
}
