import { generatePictures } from '../generate/generate-pictures.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Makes the pictures and reports every step. */
export const generate: JobHandler<EngineJobs['model.generate']> = (request, { progress }) => generatePictures(request, progress)
