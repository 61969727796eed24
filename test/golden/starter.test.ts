import { readFileSync, readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ASSETS } from '../../main/engine/assets.ts'
import { STAGES } from '../../main/engine/starter/build-starter.ts'
import { checkStarter, type StarterCheck } from '../../main/engine/starter/check-starter.ts'
import { TRAINING_SET } from '../../main/engine/starter/drawings.ts'
import { starterConfigs } from '../../native-models/starter/configs.ts'

const STARTER = fileURLToPath(new URL('starter/', ASSETS))
const json = (...name: string[]): unknown => JSON.parse(readFileSync(join(STARTER, ...name), 'utf8'))

describe('the starter that ships', () => {
  it('was made with the settings of this code', () => {
    expect(json('training.json')).toMatchObject(JSON.parse(JSON.stringify({ drawings: TRAINING_SET, settings: STAGES })))
    expect(json('unet', 'config.json')).toEqual(JSON.parse(JSON.stringify(starterConfigs.unet)))
    expect(json('vae', 'config.json')).toEqual(JSON.parse(JSON.stringify(starterConfigs.vae)))
  })

  it('takes at most 20 MB', () => {
    const files = readdirSync(STARTER, { recursive: true, encoding: 'utf8' }).map((name) => statSync(join(STARTER, name)))
    expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(20e6)
  })

  describe('draws, is judged and read', () => {
    let check: StarterCheck
    beforeAll(async () => {
      const sampling = { steps: 8, eta: 1, guidance: 1 }
      check = await checkStarter({ model: STARTER, drawings: 200, pictures: 96, sampling, threads: 2 })
    }, 180_000)

    it('by a judge that is right on at least 98 % of fresh drawings', () => {
      expect(check.judge.counts.share).toBeGreaterThanOrEqual(0.98)
    })

    it('by a critic that is right on drawings, blurred, noised and decoded ones too', () => {
      for (const { pictures, critic } of check.readings) expect(critic.share, pictures).toBeGreaterThanOrEqual(0.96)
    })

    // Bounds of what chance leaves of 96 pictures; `halfstep starter check` has the gates themselves.
    it('hands that are well-formed, in the colours asked for, with five fingers in somewhat under half of them', () => {
      const { base } = check
      expect(base.wellFormed.share).toBeGreaterThanOrEqual(0.82)
      expect(base.five.share).toBeGreaterThan(0.3)
      expect(base.five.share).toBeLessThan(0.6)
      expect(base.background.share).toBeGreaterThanOrEqual(0.97)
      expect(base.skin.share).toBeGreaterThanOrEqual(0.95)
      expect(base.agreement.share).toBeGreaterThanOrEqual(0.85)
    })
  })
})
