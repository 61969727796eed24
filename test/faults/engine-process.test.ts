import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { EngineClient } from '../../main/engine/process/engine-client.ts'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import type { ProcessLauncher, ProcessListeners } from '../../main/engine/process/launcher.ts'
import { probeDevices } from '../../main/engine/process/probe-devices.ts'
import { FAULT_JOBS } from './fault-jobs.ts'

const FAULT_ENGINE = new URL('./fault-engine-main.ts', import.meta.url)

type FaultClient = EngineClient<typeof FAULT_JOBS>

const clients: FaultClient[] = []
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()))
})

/** An engine on the fault jobs, and the ids of the processes it has started. */
function faultEngine(onLog?: (text: string) => void): { engine: FaultClient; started: number[] } {
  const started: number[] = []
  const fork = forkLauncher({ entry: FAULT_ENGINE })
  const launch: ProcessLauncher = (listeners) => {
    const process = fork(listeners)
    started.push(process.pid ?? 0)
    return process
  }
  const engine = new EngineClient(FAULT_JOBS, launch, onLog === undefined ? {} : { onLog })
  clients.push(engine)
  return { engine, started }
}

/** Starts a job that blocks, and waits until it does. */
async function blocked(engine: FaultClient, signal?: AbortSignal): Promise<{ run: Promise<string> }> {
  const { promise: beginning, resolve: begun } = Promise.withResolvers<unknown>()
  const run = engine.run('block', { milliseconds: 60_000 }, { onProgress: begun, ...(signal === undefined ? {} : { signal }) })
  run.catch(() => undefined)
  await beginning
  return { run }
}

/** Whether a process exists and is not merely a zombie that nobody has collected. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function isGoneWithin(pid: number, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (isAlive(pid) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50))
  return !isAlive(pid)
}

describe('jobs', () => {
  test('report progress, then give their result, with typed arrays as such', async () => {
    const { engine } = faultEngine()
    const heard: number[] = []
    const result = await engine.run('double', { numbers: Float32Array.of(1, 2.5) }, { onProgress: (progress) => heard.push(progress) })
    expect(result).toEqual(Float32Array.of(2, 5))
    expect(heard).toEqual([0.5, 1])
  })

  test('start the process with the first one only, and share it', async () => {
    const { engine, started } = faultEngine()
    expect(started).toEqual([])
    const ids = await Promise.all([engine.run('processId', {}), engine.run('processId', {})])
    expect(ids).toEqual([started[0], started[0]])
  })

  test('run one at a time, in order', async () => {
    const { engine } = faultEngine()
    const finished: string[] = []
    await Promise.all([
      engine.run('block', { milliseconds: 200 }).then(() => finished.push('slow')),
      engine.run('processId', {}).then(() => finished.push('fast')),
    ])
    expect(finished).toEqual(['slow', 'fast'])
  })

  test('fail with the typed error they threw, and the process goes on', async () => {
    const { engine, started } = faultEngine()
    await expect(engine.run('refuse', {})).rejects.toMatchObject({
      code: 'weights.missing-tensor',
      message: 'The file a.safetensors has no tensor b.',
      nextStep: 'Download it again.',
      details: { file: 'a.safetensors' },
    })
    expect(await engine.run('processId', {})).toBe(started[0])
  })

  test('pass on what they log and what libraries print', async () => {
    let log = ''
    const { engine } = faultEngine((text) => (log += text))
    await engine.run('print', { text: 'hello' })
    await expect.poll(() => log).toMatch(/logged hello/)
    await expect.poll(() => log).toMatch(/written hello/)
  })
})

describe('commands', () => {
  test('reach a running job in order, those sent before it listens included', async () => {
    const { engine } = faultEngine()
    const heard: string[] = []
    const result = await engine.run('listen', { afterMs: 200 }, {
      onProgress: (progress) => heard.push(progress),
      onStart: (send) => ['one', 'two', 'end'].forEach(send),
    })
    expect(result).toEqual(['one', 'two', 'end'])
    expect(heard).toEqual(result)
  })

  test('go to their own job, not to the one that waits behind it or ran before it', async () => {
    const { engine } = faultEngine()
    const senders: ((command: string) => void)[] = []
    const listen = () => engine.run('listen', { afterMs: 0 }, { onStart: (send) => senders.push(send) })
    const first = listen()
    const second = listen()
    expect(senders).toHaveLength(1)
    senders[0]?.('end')
    expect(await first).toEqual(['end'])
    await expect.poll(() => senders.length).toBe(2)
    senders[0]?.('late')
    senders[1]?.('end')
    expect(await second).toEqual(['end'])
  })

  test('that do not fit are refused where they are sent', async () => {
    const { engine } = faultEngine()
    let refused: unknown
    await engine.run('listen', { afterMs: 0 }, {
      onStart: (send) => {
        try {
          send('')
        } catch (error) {
          refused = error
        }
        send('end')
      },
    })
    expect(refused).toMatchObject({ code: 'call.invalid', message: 'The command for listen does not fit.' })
  })

  test('that no host of ours would send are dropped', async () => {
    const child = fork(FAULT_ENGINE, [], { serialization: 'advanced', execArgv: [] })
    const next = async (): Promise<unknown> => ((await once(child, 'message')) as [unknown])[0]
    child.send({ type: 'command', id: 7, command: 'nobody' })
    child.send({ type: 'request', id: 1, job: 'listen', request: { afterMs: 0 } })
    child.send({ type: 'command', id: 1, command: 5 })
    child.send({ type: 'command', id: 1, command: 'end' })
    expect([await next(), await next()]).toEqual([{ type: 'progress', id: 1, progress: 'end' }, { type: 'result', id: 1, result: ['end'] }])
    child.send({ type: 'request', id: 2, job: 'processId', request: {} })
    child.send({ type: 'command', id: 2, command: 'unheard' })
    expect(await next()).toEqual({ type: 'result', id: 2, result: child.pid })
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  test('Ctrl+C in a terminal, which reaches the engine too, leaves it to the host what to do', async () => {
    const { engine, started } = faultEngine()
    const result = await engine.run('listen', { afterMs: 300 }, {
      onStart: (send) => {
        setTimeout(() => {
          process.kill(started[0]!, 'SIGINT')
          send('end')
        }, 500)
      },
    })
    expect(result).toEqual(['end'])
  })
})

describe('cancelling', () => {
  test('kills a blocked job, and the next one gets a fresh process', async () => {
    const { engine, started } = faultEngine()
    const cancel = new AbortController()
    const { run } = await blocked(engine, cancel.signal)
    const start = performance.now()
    cancel.abort()
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    expect(performance.now() - start).toBeLessThan(2000)
    expect(isAlive(started[0]!)).toBe(false)
    const fresh = await engine.run('processId', {})
    expect(fresh).toBe(started[1])
    expect(fresh).not.toBe(started[0])
  })

  test('leaves the jobs that wait behind it, which still run', async () => {
    const { engine } = faultEngine()
    const cancel = new AbortController()
    const { run } = await blocked(engine, cancel.signal)
    const waiting = engine.run('double', { numbers: Float32Array.of(3) })
    cancel.abort()
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    expect(await waiting).toEqual(Float32Array.of(6))
  })

  test('takes a waiting job out of the queue without disturbing the one that runs', async () => {
    const { engine, started } = faultEngine()
    const running = engine.run('block', { milliseconds: 300 })
    const cancel = new AbortController()
    const waiting = engine.run('processId', {}, { signal: cancel.signal })
    cancel.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(await running).toBe('done')
    expect(started).toHaveLength(1)
  })

  test('before the start starts nothing', async () => {
    const { engine, started } = faultEngine()
    await expect(engine.run('processId', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    expect(started).toEqual([])
  })

  test('after the end changes nothing', async () => {
    const { engine, started } = faultEngine()
    const cancel = new AbortController()
    await engine.run('processId', {}, { signal: cancel.signal })
    cancel.abort()
    expect(await engine.run('processId', {})).toBe(started[0])
  })
})

describe('a process that ends', () => {
  test('by kill -9 is reported with its signal, and the next job works', async () => {
    const { engine, started } = faultEngine()
    const { run } = await blocked(engine)
    process.kill(started[0]!, 'SIGKILL')
    await expect(run).rejects.toMatchObject({
      code: 'engine.stopped',
      message: expect.stringContaining('SIGKILL'),
      nextStep: expect.stringContaining('memory'),
      details: expect.objectContaining({ job: 'block', signal: 'SIGKILL' }),
    })
    expect(await engine.run('processId', {})).toBe(started[1])
  })

  test('by itself is reported with its code', async () => {
    const { engine } = faultEngine()
    const error = { code: 'engine.stopped', details: expect.objectContaining({ exitCode: 7 }) }
    await expect(engine.run('exit', { code: 7 })).rejects.toMatchObject(error)
    expect(await engine.run('double', { numbers: Float32Array.of(1) })).toEqual(Float32Array.of(2))
  })

  test('by an error nobody caught says so itself', async () => {
    const { engine } = faultEngine()
    await expect(engine.run('throwLater', {})).rejects.toMatchObject({
      code: 'engine.stopped',
      message: 'The engine stopped while working on throwLater: a callback failed.',
    })
  })

  test('while idle is replaced without a word', async () => {
    const { engine, started } = faultEngine()
    await engine.run('processId', {})
    process.kill(started[0]!, 'SIGKILL')
    expect(await isGoneWithin(started[0]!, 2000)).toBe(true)
    await expect.poll(() => engine.run('processId', {}).catch(() => undefined)).toEqual(expect.any(Number))
    expect(started).toHaveLength(2)
  })

  test('before it could do anything is reported with what it printed', async () => {
    const engine = new EngineClient(FAULT_JOBS, forkLauncher({ entry: new URL('./no-such-program.ts', import.meta.url) }))
    await expect(engine.run('processId', {})).rejects.toMatchObject({
      code: 'engine.stopped',
      details: expect.objectContaining({ exitCode: 1, output: expect.stringContaining('no-such-program') }),
    })
    await engine.dispose()
  })
})

describe('signs of life', () => {
  test.runIf(process.platform !== 'win32')('a stopped process is noticed within 10 s, and the next job works', async () => {
    const { engine, started } = faultEngine()
    const { run } = await blocked(engine)
    process.kill(started[0]!, 'SIGSTOP')
    const start = performance.now()
    const message = 'The engine no longer answers while working on block, and was ended.'
    await expect(run).rejects.toMatchObject({ code: 'engine.stopped', message })
    expect(performance.now() - start).toBeLessThan(10_000)
    expect(isAlive(started[0]!)).toBe(false)
    expect(await engine.run('processId', {})).toBe(started[1])
  })

  test('a run that blocks its thread for longer than that is not taken for a hang', async () => {
    const { engine, started } = faultEngine()
    expect(await engine.run('block', { milliseconds: 12_000 })).toBe('done')
    expect(started).toHaveLength(1)
  })
})

describe('a process that not even the system can end', () => {
  test('is left to itself after a while, and the next job gets another', async () => {
    const launched: ProcessListeners[] = []
    const stuck: ProcessLauncher = (listeners) => {
      launched.push(listeners)
      return { pid: undefined, send: () => undefined, kill: () => undefined }
    }
    vi.useFakeTimers()
    try {
      const engine = new EngineClient(FAULT_JOBS, stuck)
      const cancel = new AbortController()
      const first = expect(engine.run('processId', {}, { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' })
      const second = engine.run('processId', {})
      cancel.abort()
      await vi.advanceTimersByTimeAsync(4000)
      expect(launched).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(2000)
      await first
      expect(launched).toHaveLength(2)
      launched[1]?.message({ type: 'result', id: 1, result: 4 })
      launched[0]?.message({ type: 'result', id: 1, result: 3 })
      launched[0]?.end({ code: null, signal: 'SIGKILL' })
      expect(await second).toBe(4)
      launched[1]?.end({ code: 0, signal: null })
      await engine.dispose()
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('malformed messages', () => {
  test('a request that does not fit is refused before a process is started', async () => {
    const { engine, started } = faultEngine()
    await expect(engine.run('double', { numbers: JSON.parse('[1, 2]') as Float32Array })).rejects.toMatchObject({ code: 'call.invalid' })
    const unknown = JSON.parse('"toString"') as 'double'
    await expect(engine.run(unknown, { numbers: Float32Array.of(1) })).rejects.toMatchObject({ code: 'call.invalid' })
    expect(started).toEqual([])
  })

  test('from the engine end it, and the next job works', async () => {
    const { engine } = faultEngine()
    const error = { code: 'internal', message: expect.stringContaining('cannot be understood') }
    await expect(engine.run('talkNonsense', {})).rejects.toMatchObject(error)
    await expect(engine.run('answerWrongly', {})).rejects.toMatchObject({ code: 'internal' })
    expect(await engine.run('double', { numbers: Float32Array.of(1) })).toEqual(Float32Array.of(2))
  })

  test('from the host are refused, and the engine goes on', async () => {
    const child = fork(FAULT_ENGINE, [], { serialization: 'advanced', execArgv: [] })
    const answer = async (message: object): Promise<unknown> => {
      child.send(message)
      const [reply] = (await once(child, 'message')) as [unknown]
      return reply
    }
    expect(await answer({ type: 'poem' })).toMatchObject({ type: 'error', id: null, error: { code: 'call.invalid' } })
    expect(await answer({ type: 'request', id: -1, job: 'processId', request: {} })).toMatchObject({ type: 'error', id: null })
    const refused = { type: 'error', error: { code: 'call.invalid' } }
    expect(await answer({ type: 'request', id: 1, job: 'constructor', request: {} })).toMatchObject({ ...refused, id: 1 })
    expect(await answer({ type: 'request', id: 2, job: 'block', request: { milliseconds: 'long' } })).toMatchObject({ ...refused, id: 2 })
    expect(await answer({ type: 'request', id: 3, job: 'processId', request: {} })).toEqual({ type: 'result', id: 3, result: child.pid })
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
})

describe('the end of the host', () => {
  /** Starts the dying host and reads its engine's process id. */
  async function dyingHost(state: 'idle' | 'blocked'): Promise<{ host: ChildProcess; enginePid: number }> {
    const program = fileURLToPath(new URL('./dying-host-main.ts', import.meta.url))
    const host = spawn(process.execPath, [program, state], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(host.stdout, 'data')) as [Buffer]
    return { host, enginePid: Number(line.toString()) }
  }

  test.each(['idle', 'blocked'] as const)('takes its engine with it (%s)', async (state) => {
    const { host, enginePid } = await dyingHost(state)
    expect(isAlive(enginePid)).toBe(true)
    host.kill('SIGKILL')
    expect(await isGoneWithin(enginePid, 5000)).toBe(true)
  })

  test('closing the engine leaves no process, cancels what runs and waits, and takes no more jobs', async () => {
    const { engine, started } = faultEngine()
    const { run } = await blocked(engine)
    const waiting = engine.run('processId', {})
    waiting.catch(() => undefined)
    await engine.dispose()
    await expect(run).rejects.toMatchObject({ code: 'cancelled' })
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' })
    expect(isAlive(started[0]!)).toBe(false)
    await expect(engine.run('processId', {})).rejects.toMatchObject({ code: 'engine.stopped' })
    await engine.dispose()
  })

  test('closing an engine that was never used does nothing', async () => {
    const { engine, started } = faultEngine()
    await engine.dispose()
    expect(started).toEqual([])
  })
})

describe('probing bad drivers', () => {
  const launch = forkLauncher({ entry: new URL('./bad-driver-engine-main.ts', import.meta.url) })

  test.runIf(process.platform !== 'win32')('a crash is that device\'s record, and the others are probed all the same', async () => {
    const [cuda, cpu] = await probeDevices(launch, { devices: ['cuda', 'cpu'] })
    expect(cuda).toMatchObject({
      device: 'cuda',
      available: false,
      reason: 'CUDA crashed when it was tested (step conv).',
      detail: expect.stringContaining('SIGSEGV'),
      convTranspose: 'untested',
      onnxruntimeVersion: '1.30.0',
    })
    expect(cpu).toMatchObject({ device: 'cpu', available: true })
  })

  test('a driver that never answers is given up', async () => {
    const [webgpu] = await probeDevices(launch, { devices: ['webgpu'], patienceSeconds: 2 })
    expect(webgpu).toMatchObject({ available: false, reason: 'WebGPU did not finish within 2 seconds when it was tested (step conv).' })
  })

  test('can be cancelled', async () => {
    const probing = probeDevices(launch, { devices: ['webgpu'], signal: AbortSignal.timeout(300) })
    await expect(probing).rejects.toMatchObject({ code: 'cancelled' })
  })
})
