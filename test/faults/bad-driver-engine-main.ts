/** An engine process on a machine whose CUDA driver crashes it, whose WebGPU driver never answers, and whose CPU works. */
import { startHeartbeat } from '../../main/engine/process/heartbeat.ts'
import { forkedPort } from '../../main/engine/process/parent-port.ts'
import { serveJobs } from '../../main/engine/process/serve-jobs.ts'
import { DeviceRecord, ENGINE_JOBS } from '../../main/engine/protocol.ts'

await startHeartbeat()
serveJobs({ 'devices.probe': ENGINE_JOBS['devices.probe'] }, {
  'devices.probe': async () => async ({ device }, { progress }) => {
    progress({ step: 'conv' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (device === 'cuda') process.kill(process.pid, 'SIGSEGV')
    if (device === 'webgpu') await new Promise(() => undefined)
    return DeviceRecord.parse({
      device,
      available: true,
      reason: null,
      detail: null,
      name: null,
      float16: false,
      convTranspose: 'correct',
      memoryBytes: null,
      speed: null,
      onnxruntimeVersion: '1.30.0',
      probedAt: new Date().toISOString(),
    })
  },
}, forkedPort())
