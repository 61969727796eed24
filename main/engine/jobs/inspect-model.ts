import { inspectModel } from '../inspect/inspect-model.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Says what a model is and whether it is sound. */
export const inspect: JobHandler<EngineJobs['model.inspect']> = ({ path }, { progress }) =>
  inspectModel(path, ({ name, bytes }) => progress({ name, bytes }))
