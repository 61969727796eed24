import { readAdapter, writeAdapter, type AdapterFile, type WriteAdapterOptions } from './adapter-file.ts'

/**
 * Reads an adapter and writes it in the given format, in the element type of the original unless another is given
 * (bfloat16 becomes float32, which holds it exactly). Returns what was read. Throws as reading and writing do.
 */
export async function convertAdapter(from: string, to: string, options: WriteAdapterOptions): Promise<AdapterFile> {
  const adapter = await readAdapter(from)
  await writeAdapter(to, adapter, { dtype: adapter.dtype === 'float16' ? 'float16' : 'float32', ...options })
  return adapter
}
