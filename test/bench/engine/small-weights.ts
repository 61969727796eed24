/**
 * `npm run bench:small`: the starter's UNet on the CPU with its weights as they lie in their file and with copies of them, by turns
 * in one run, so that the ratios hold on a noisy machine.
 *
 *     npm run bench:small -- [--rounds 5] [--batch 32]
 *
 * Prints a table and writes it to test/bench/results with date, machine and commit.
 */
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { buildUnet } from '../../../native-models/unet.ts'
import { ASSETS } from '../../../main/engine/assets.ts'
import { DifferentiableNetwork } from '../../../main/engine/networks/differentiable-network.ts'
import { requireComponent } from '../../../main/engine/pipeline/require-component.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { circumstances, markdownTable, saveReport } from '../report.ts'

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, batch: { type: 'string', default: '32' } } })
const batch = Number(options.batch)

const { config, weights } = requireComponent(await openCheckpoint(fileURLToPath(new URL('starter', ASSETS))), 'unet')
const size = { batch, latentHeight: 8, latentWidth: 8, textLength: 32 }
const random = new Random(1)
const noise = (name: number, shape: readonly number[]) => random.normal('sample', [name], shape)

interface Arm {
  readonly threads: number
  readonly weights: 'mapped' | 'copied'
  readonly network: DifferentiableNetwork
  readonly forwards: number[]
  readonly vjps: number[]
}

const arms: Arm[] = []
for (const threads of new Set([1, os.availableParallelism()])) {
  for (const held of ['mapped', 'copied'] as const) {
    const { graph } = buildUnet(config, weights, size)
    const place = { device: 'cpu', threads, weights: held } as const
    const network = await DifferentiableNetwork.create(graph, { ...place, outputs: ['output'], wrt: ['sample'] })
    arms.push({ threads, weights: held, network, forwards: [], vjps: [] })
  }
}
const inputs = {
  sample: noise(0, [batch, config.inChannels, 8, 8]),
  timestep: noise(1, [batch]),
  encoder_hidden_states: noise(2, [batch, 32, config.midBlock.crossAttentionDim]),
}
const upstream = { output: noise(3, [batch, config.outChannels, 8, 8]) }

// The first round compiles and is left out.
for (let round = 0; round <= Number(options.rounds); round++) {
  for (const { network, forwards, vjps } of arms) {
    await network.forward(inputs)
    const times = [performance.now()]
    await network.forward(inputs)
    times.push(performance.now())
    await network.vjp(inputs, upstream)
    times.push(performance.now())
    const [start = 0, middle = 0, end = 0] = times
    if (round === 0) continue
    forwards.push(middle - start)
    vjps.push(end - middle)
  }
}
for (const { network } of arms) await network.dispose()

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
const [first] = arms
const cell = (values: readonly number[], reference: readonly number[]): string =>
  `${median(values).toFixed(0)} ms, ${(median(values) / median(reference)).toFixed(2)}`
const table = markdownTable([
  ['threads, weights', 'forward', 'forward and gradient'],
  ...arms.map((arm) => [
    `${arm.threads}, ${arm.weights}`, cell(arm.forwards, first?.forwards ?? []), cell(arm.vjps, first?.vjps ?? []),
  ]),
])
const report = `# A small network with and without copies of its weights

${circumstances()}
The starter's UNet, ${batch} samples of 8×8 latents; medians of ${options.rounds} rounds, and their ratio to the first row's.

${table}
`
console.log(report)
console.log(`Written to ${saveReport('small-weights', report)}`)
