import { readAdapter } from '../adapters/adapter-file.ts'
import { convertAdapter } from '../adapters/convert.ts'
import { inspectAdapter } from '../adapters/inspect.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Writes an adapter in another format and says what was written. */
export const convert: JobHandler<EngineJobs['adapter.convert']> = async ({ path, out, format, dtype }) => {
  await convertAdapter(path, out, { format, ...(dtype === undefined ? {} : { dtype }) })
  return inspectAdapter(await readAdapter(out))
}
