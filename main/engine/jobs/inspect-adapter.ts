import { readAdapter } from '../adapters/adapter-file.ts'
import { inspectAdapter } from '../adapters/inspect.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Says what an adapter is and what is wrong with it. */
export const inspect: JobHandler<EngineJobs['adapter.inspect']> = async ({ path }) => inspectAdapter(await readAdapter(path))
