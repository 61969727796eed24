import { readAdapter, writeAdapter, type AdapterFile } from '../adapters/adapter-file.ts'
import { inspectAdapter } from '../adapters/inspect.ts'
import { mergeAdapters } from '../adapters/merge.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Writes several adapters, each times its strength, as one, and says what was written. */
export const merge: JobHandler<EngineJobs['adapter.merge']> = async ({ parts, rank, out, format, dtype }) => {
  const files: AdapterFile[] = []
  for (const { path } of parts) files.push(await readAdapter(path))
  const weighted = parts.map(({ path, strength }, i) => ({ adapter: files[i]!, strength, name: path }))
  const { adapter, keptEnergy } = mergeAdapters(weighted, rank === undefined ? {} : { rank })
  await writeAdapter(out, adapter, { format: format ?? files[0]!.format, dtype: dtype ?? commonType(files) })
  return { summary: inspectAdapter(await readAdapter(out)), keptEnergy }
}

/** float16 only where every part is: a merge loses nothing that its parts had. */
function commonType(files: readonly AdapterFile[]): 'float32' | 'float16' {
  return files.every(({ dtype }) => dtype === 'float16') ? 'float16' : 'float32'
}
