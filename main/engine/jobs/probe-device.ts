import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { probeDevice } from '../runtime/probe-device.ts'

/** Probes one device and reports each step before it is tried. */
export const probe: JobHandler<EngineJobs['devices.probe']> = ({ device }, { progress }) =>
  probeDevice(device, (step) => progress({ step }))
