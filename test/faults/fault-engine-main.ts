/** An engine process that does the jobs of fault-jobs.ts. */
import { startHeartbeat } from '../../main/engine/process/heartbeat.ts'
import { forkedPort } from '../../main/engine/process/parent-port.ts'
import { serveJobs } from '../../main/engine/process/serve-jobs.ts'
import { FAULT_JOBS, faultHandlers } from './fault-jobs.ts'

await startHeartbeat()
serveJobs(FAULT_JOBS, faultHandlers, forkedPort())
