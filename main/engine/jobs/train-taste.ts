import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { trainTaste as train } from '../taste/train-taste.ts'

/** Learns a taste and reports every picture it looked at. */
export const trainTaste: JobHandler<EngineJobs['taste.train']> = (request, { progress }) => train(request, (done) => progress({ done }))
