/** The program of the engine's own process under Electron. */
import { handlers } from '../jobs/index.ts'
import { ENGINE_JOBS } from '../protocol.ts'
import { startHeartbeat } from './heartbeat.ts'
import { serveJobs } from './serve-jobs.ts'
import { utilityPort } from './utility-port.ts'

await startHeartbeat()
serveJobs(ENGINE_JOBS, handlers, utilityPort())
