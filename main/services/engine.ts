import { EngineClient, type RunOptions } from '../engine/process/engine-client.ts'
import type { ProcessLauncher } from '../engine/process/launcher.ts'
import { probeDevices, type ProbeOptions } from '../engine/process/probe-devices.ts'
import { ENGINE_JOBS, type DeviceRecord, type EngineJobs, type JobName } from '../engine/protocol.ts'

/**
 * The processes that the engine works in, so that nothing long holds up something short: `desk` looks into files, `studio` makes
 * pictures, `training` trains. Each is started by its first job.
 */
export const ENGINE_ROOMS = ['desk', 'studio', 'training'] as const
export type EngineRoom = (typeof ENGINE_ROOMS)[number]

export type EngineRunOptions<N extends JobName> = RunOptions<EngineJobs[N]['progress'], EngineJobs[N]['command']>

/** What the services ask of the engine, which works in processes of its own. */
export interface Engine {
  /** Tries devices one after another; a driver that crashes takes nothing else with it. Fails with `cancelled` only. */
  probeDevices(options: ProbeOptions): Promise<DeviceRecord[]>
  /**
   * Does a job, after those that were given to the same room before. Fails as the job does, with `cancelled` by its signal, and
   * with `engine.stopped` when the process crashed or hung; the room's next job then gets a new one.
   */
  run<N extends JobName>(
    room: EngineRoom, job: N, request: EngineJobs[N]['request'], options?: EngineRunOptions<N>,
  ): Promise<EngineJobs[N]['result']>
  /** Ends all processes and whatever goes on in them. */
  dispose(): Promise<void>
}

/** The engine in processes that `launch` starts. */
export function engineIn(launch: ProcessLauncher): Engine {
  const rooms = new Map(ENGINE_ROOMS.map((room) => [room, new EngineClient(ENGINE_JOBS, launch)]))
  return {
    probeDevices: (options) => probeDevices(launch, options),
    run: (room, job, request, options) => rooms.get(room)!.run(job, request, options),
    dispose: async () => {
      await Promise.all([...rooms.values()].map((client) => client.dispose()))
    },
  }
}
