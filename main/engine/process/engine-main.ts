/** The program of the engine's own process. */
import { handlers } from '../jobs/index.ts'
import { ENGINE_JOBS } from '../protocol.ts'
import { startHeartbeat } from './heartbeat.ts'
import { forkedPort } from './parent-port.ts'
import { serveJobs } from './serve-jobs.ts'

await startHeartbeat()
serveJobs(ENGINE_JOBS, handlers, forkedPort())
