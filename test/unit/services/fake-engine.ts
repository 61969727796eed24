import type { EngineJobs, JobName } from '../../../main/engine/protocol.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { Engine, EngineRoom, EngineRunOptions } from '../../../main/services/engine.ts'

/** What a test lets a job do. */
export type FakeJobs = {
  [N in JobName]?: (
    request: EngineJobs[N]['request'], options: EngineRunOptions<N>,
  ) => EngineJobs[N]['result'] | Promise<EngineJobs[N]['result']>
}

export interface FakeEngine extends Engine {
  readonly asked: { readonly room: EngineRoom; readonly job: JobName; readonly request: unknown }[]
}

/** An engine in this process whose jobs the test spells out; a job fails with `cancelled` when its signal says so. */
export function fakeEngine(jobs: FakeJobs = {}): FakeEngine {
  const asked: FakeEngine['asked'] = []
  return {
    asked,
    probeDevices: async () => [{
      device: 'cpu',
      available: true,
      reason: null,
      detail: null,
      name: 'CPU',
      float16: false,
      convTranspose: 'correct',
      memoryBytes: 16e9,
      speed: 1e11,
      onnxruntimeVersion: '1.30.0',
      probedAt: '2026-01-01T00:00:00.000Z',
    }],
    run<N extends JobName>(room: EngineRoom, job: N, request: EngineJobs[N]['request'], options: EngineRunOptions<N> = {}) {
      asked.push({ room, job, request })
      const work: FakeJobs[N] = jobs[job]
      if (work === undefined) throw new Error(`The test does not say what ${job} does.`)
      return new Promise<EngineJobs[N]['result']>((resolve, reject) => {
        options.signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', `${job} was cancelled.`)))
        Promise.resolve().then(() => work(request, options)).then(resolve, reject)
      })
    },
    dispose: async () => undefined,
  }
}
