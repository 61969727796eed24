/** `halfstep model bench` in words. */
import type { BenchResult, BenchStage } from '../engine/protocol.ts'
import { formatBytes, formatCount, formatSeconds, indented, table } from './figures.ts'

export const STAGES: Readonly<Record<BenchStage, string>> = {
  weights: 'Preparing the weights',
  compile: 'Compiling',
  forward: 'Measuring the forward pass',
  vjp: 'Measuring the gradient',
}

export function benchLines({ parameters, weightBytes, compileSeconds, forward, vjp, deviceBytes }: BenchResult): string[] {
  const row = (name: string, { median, seconds, memoryAboveWeights }: BenchResult['forward']): string[] => [
    name,
    formatSeconds(median),
    `${formatSeconds(Math.min(...seconds))} to ${formatSeconds(Math.max(...seconds))}`,
    formatBytes(Math.max(0, memoryAboveWeights)),
  ]
  return [
    `UNet of ${formatCount(parameters)} parameters, ${formatBytes(weightBytes)} of weights; compiled in ${formatSeconds(compileSeconds)}`,
    ...indented(table([['', 'median', 'range', 'memory above weights'], row('forward', forward), row('gradient', vjp)], [1, 2, 3])),
    `  gradient / forward: ${(vjp.median / forward.median).toPrecision(3)}`,
    ...(deviceBytes === null ? [] : [`  device memory: ${formatBytes(Math.max(0, deviceBytes))}`]),
  ]
}
