import { benchModel } from '../bench/bench-model.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Measures a UNet and reports each stage as it begins. */
export const bench: JobHandler<EngineJobs['model.bench']> = (request, { progress }) => benchModel(request, (stage) => progress({ stage }))
