import { previewTemplate } from '../preview/preview-template.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Draws with the template and reports every step. */
export const preview: JobHandler<EngineJobs['template.preview']> = (request, { progress }) => previewTemplate(request, progress)
