/** Most memory of one update, measured in a process of its own: `node --expose-gc peak-memory.ts h T` prints bytes as JSON. */
import { createAlgorithm } from '../../../main/engine/rlr/algorithm.ts'
import { PAPER } from '../../../main/engine/rlr/measure/estimator-grid.ts'
import { peakMemory, resetPeakMemory, residentMemory } from '../../../main/engine/runtime/memory.ts'
import { openMicroChain } from './micro-chain.ts'

const [windowLength = 1, steps = 10] = process.argv.slice(2).map(Number)
/** Large enough for one step's activations to outweigh everything else. */
const chain = await openMicroChain({ steps, batch: 2, latent: 32, movable: false })
const algorithm = createAlgorithm({ ...PAPER, coverage: 'none', windowLength })
// The first update compiles and fills the arena.
await algorithm.update(chain.context(0), async () => chain.context(0).theta)
globalThis.gc?.()
resetPeakMemory()
await algorithm.update(chain.context(1), async () => chain.context(1).theta)
console.log(JSON.stringify({ peak: peakMemory(), after: residentMemory().total }))
await chain.dispose()
