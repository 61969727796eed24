/** A host that starts an engine, tells its process id, and waits to be killed while the engine is idle or blocked (argument). */
import { EngineClient } from '../../main/engine/process/engine-client.ts'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { FAULT_JOBS } from './fault-jobs.ts'

const engine = new EngineClient(FAULT_JOBS, forkLauncher({ entry: new URL('./fault-engine-main.ts', import.meta.url) }))
const processId = await engine.run('processId', {})
const announce = () => console.log(processId)
if (process.argv[2] === 'idle') announce()
else await engine.run('block', { milliseconds: 120_000 }, { onProgress: announce })
