import type { JobHandlers } from '../process/serve-jobs.ts'
import type { ENGINE_JOBS } from '../protocol.ts'

/** One handler per job of the protocol, loaded when it is first asked for. */
export const handlers: JobHandlers<typeof ENGINE_JOBS> = {
  'devices.probe': async () => (await import('./probe-device.ts')).probe,
}
