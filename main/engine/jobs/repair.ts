import { repairPicture } from '../inpainting/repair-picture.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Draws the masked part of a picture anew and reports every step. */
export const repair: JobHandler<EngineJobs['model.repair']> = (request, { progress }) => repairPicture(request, progress)
