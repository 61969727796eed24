/** The program that trains decoder and critic beside the denoiser: its only argument is the progress folder. */
import { toErrorValue } from '../errors.ts'
import type { DecoderMessage, DecoderRequest } from './decoder-process.ts'
import type { StageOptions } from './stage.ts'
import { trainedAutoencoder, trainedCritic, trainedDecoder } from './stages.ts'

const [progressFolder = ''] = process.argv.slice(2)
const stop = new AbortController()
process.on('message', (_: DecoderRequest) => stop.abort())
process.on('disconnect', () => stop.abort())
// A terminal's Ctrl+C reaches this process too; the one that started it decides what it means.
process.on('SIGINT', () => undefined)

const say = (message: DecoderMessage): void => void process.send?.(message)
const options: StageOptions = { progressFolder, signal: stop.signal, onStep: (step) => say({ kind: 'step', step }) }
try {
  const decoder = await trainedDecoder(await trainedAutoencoder(options), options)
  await trainedCritic(decoder, options)
  say({ kind: 'finished' })
} catch (error) {
  say({ kind: 'failed', error: toErrorValue(error) })
} finally {
  // The way to the parent keeps this process alive.
  if (process.connected) process.disconnect()
}
