import { findBoxes } from '../detection/find-boxes.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Looks for things in a picture with a detector. */
export const detect: JobHandler<EngineJobs['picture.detect']> = async (request) => ({ boxes: await findBoxes(request) })
