import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { utilityProcess } from 'electron'
import { describe, expect, it } from 'vitest'
import { utilityLauncher } from '../../main/host/utility-launcher.ts'
import { EngineClient } from '../../main/engine/process/engine-client.ts'
import { probeDevices } from '../../main/engine/process/probe-devices.ts'
import { ENGINE_JOBS } from '../../main/engine/protocol.ts'

const ENGINE = join(import.meta.dirname, '..', '..', 'out', 'engine', 'index.js')

/** Gives a Node process the `parentPort` of an Electron utility process. */
const PARENT_PORT = `data:text/javascript,process.parentPort = {
  postMessage: (message) => process.send(message),
  on: (event, listener) => process.on('message', (data) => listener({ data })),
}`

/** Stands for Electron's \`utilityProcess.fork\`, over a forked Node with the same streams and structured clone. */
const forkLikeElectron = ((entry: string, args: string[], { env }: { env: NodeJS.ProcessEnv }) => {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const
  const child = fork(entry, args, { execArgv: ['--import', PARENT_PORT], serialization: 'advanced', stdio: [...stdio], env })
  return Object.assign(child, { postMessage: (message: object) => child.send(message) })
}) as unknown as typeof utilityProcess.fork

const launch = utilityLauncher(forkLikeElectron, ENGINE)

describe('the built engine, started as Electron starts it', () => {
  it('computes on the processor', async () => {
    const [record] = await probeDevices(launch, { devices: ['cpu'] })
    expect(record).toMatchObject({ device: 'cpu', available: true, reason: null, convTranspose: 'correct' })
    expect(record?.speed).toBeGreaterThan(1e8)
  })

  it('shows that it is alive, and ends at once when told to', async () => {
    const heartbeats: number[] = []
    const end = Promise.withResolvers<unknown>()
    const ready = Promise.withResolvers<undefined>()
    const engine = launch({
      message: () => undefined,
      heartbeat: () => {
        heartbeats.push(Date.now())
        if (heartbeats.length === 2) ready.resolve(undefined)
      },
      output: (text) => end.reject(new Error(text)),
      end: end.resolve,
    })
    await ready.promise
    engine.kill()
    await end.promise
    expect(heartbeats).toHaveLength(2)
  })

  it('can be stopped in the middle of a job', async () => {
    const client = new EngineClient(ENGINE_JOBS, launch)
    const stop = new AbortController()
    const probe = client.run('devices.probe', { device: 'cpu' }, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(probe).rejects.toMatchObject({ code: 'cancelled' })
    await client.dispose()
  })
})
