import { evaluateStarter } from '../evaluation/evaluate-starter.ts'
import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'

/** Evaluates arm by arm and reports every batch. */
export const evaluate: JobHandler<EngineJobs['starter.evaluate']> = (request, { progress }) => evaluateStarter(request, progress)
