import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { trainDecoderAndCritic } from '../../../main/engine/starter/decoder-process.ts'
import type { TrainedStage } from '../../../main/engine/starter/stage.ts'
import { Drawings, TRAINING_SET } from '../../../main/engine/starter/drawings.ts'
import { AUTOENCODER_STAGE, DECODER_STAGE } from '../../../main/engine/starter/train-autoencoder.ts'
import { CRITIC_STAGE } from '../../../main/engine/starter/train-critic.ts'
import { DENOISER_STAGE } from '../../../main/engine/starter/train-denoiser.ts'
import { together } from '../../../main/engine/starter/together.ts'
import { trainedOnce } from '../../../main/engine/starter/trained-once.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-build-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const stage: TrainedStage = { weights: new Map([['layer.weight', float32([2], Float32Array.of(0.1, -3))]]), losses: [3, 2, 1] }
const keep = (name: string, key: string) => trainedOnce(join(folder, `${name}-finished.safetensors`), key, () => Promise.resolve(stage))
const never = (): Promise<never> => Promise.reject(new Error('it was trained again'))

describe('a stage of the build', () => {
  it('is trained once: the second time its weights and losses come from the file', async () => {
    const path = join(folder, 'stage.safetensors')
    await trainedOnce(path, 'a', () => Promise.resolve(stage))
    expect(await trainedOnce(path, 'a', never)).toEqual(stage)
  })

  it('is trained again when anything that decides it has changed', async () => {
    const path = join(folder, 'stage.safetensors')
    await trainedOnce(path, 'a', () => Promise.resolve(stage))
    await expect(trainedOnce(path, 'b', never)).rejects.toThrow('trained again')
  })
})

describe('the settings of a stage', () => {
  it('name the world as it draws and speaks now, and so do those of what is trained after it', () => {
    const world = Drawings.draw(new Random(TRAINING_SET.seed), 0, 32).fingerprint
    for (const stage of [AUTOENCODER_STAGE, DENOISER_STAGE, DECODER_STAGE, CRITIC_STAGE]) expect(stage).toContain(world)
  })
})

describe('the process that trains decoder and critic', () => {
  it('takes both from the progress folder where they are finished', async () => {
    await keep('autoencoder', AUTOENCODER_STAGE)
    await keep('decoder', DECODER_STAGE)
    await keep('critic', CRITIC_STAGE)
    await trainDecoderAndCritic({ progressFolder: folder })
  })

  it('says what is wrong', async () => {
    writeFileSync(join(folder, 'autoencoder-finished.safetensors'), 'no weights')
    await expect(trainDecoderAndCritic({ progressFolder: folder })).rejects.toMatchObject({ code: 'weights.malformed' })
  })
})

describe('trainings at once', () => {
  const untilStopped = (signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'It was stopped.'))))

  it('are all stopped when one of them fails, whose error it is', async () => {
    const failing = (): Promise<never> => Promise.reject(new HalfstepError('weights.not-finite', 'It went out of bounds.'))
    await expect(together(undefined, [untilStopped, failing])).rejects.toThrow('out of bounds')
  })

  it('are stopped by the one who asked for them', async () => {
    const asked = new AbortController()
    setTimeout(() => asked.abort(), 10)
    await expect(together(asked.signal, [untilStopped, untilStopped])).rejects.toMatchObject({ code: 'cancelled' })
  })
})
