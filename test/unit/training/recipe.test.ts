import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { migrateRecipe } from '../../../main/engine/training/migrate-recipe.ts'
import { algorithmSettings, parseRecipe, planOf, recipeFingerprint } from '../../../main/engine/training/recipe.ts'

const RECIPE = {
  version: 1,
  model: 'models/sd15',
  sampling: { steps: 10 },
  prompts: ['a hand', 'a foot'],
  estimator: { kind: 'rlr' },
  reward: { kind: 'onnx', path: 'critic.onnx' },
  updates: 100,
}

function refusalOf(raw: unknown): HalfstepError {
  try {
    parseRecipe(raw, 'hands.json')
  } catch (error) {
    if (error instanceof HalfstepError) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a recipe', () => {
  it('needs little, and has sensible defaults for the rest', () => {
    const recipe = parseRecipe(RECIPE, 'hands.json')
    expect(recipe).toMatchObject({
      seed: 0,
      sampling: { steps: 10, eta: 1, guidance: 5 },
      batch: { prompts: 1, samplesPerPrompt: 4, accumulation: 1 },
      estimator: { kind: 'rlr', firstOrderDepth: 1, windowLength: 2, coverage: 'zeroth-order', zerothOrder: { form: 'antithetic' } },
      adapter: { rank: 4, targets: ['attention'] },
      ema: null,
    })
    expect(planOf(recipe)).toMatchObject({ updates: 100, accumulation: 1, checkpoint: { every: 10, keepLast: 3 }, sampleEvery: null })
  })

  it.each([[1, 1, 1], [2, 1, 1], [2, 10, 8], [3, 20, 17]])(
    'lets the first order take all but %i windows of one step where it says so: of %i steps, %i',
    (windows, steps, depth) => {
      const estimator = { kind: 'rlr', firstOrderDepth: 'all-but-windows', windowLength: 1, windows, coverage: 'importance' }
      const recipe = parseRecipe({ ...RECIPE, sampling: { steps }, estimator }, 'hands.json')
      expect(algorithmSettings(recipe, () => [])).toMatchObject({ firstOrderDepth: depth })
    },
  )

  it('has a fingerprint that depends on what it says and not on how', () => {
    const reversed = Object.fromEntries(Object.entries(RECIPE).reverse())
    const fingerprint = (raw: object): string => recipeFingerprint(parseRecipe(raw, 'hands.json'))
    expect(fingerprint({ ...reversed, seed: 0 })).toBe(fingerprint(RECIPE))
    expect(fingerprint({ ...RECIPE, seed: 1 })).not.toBe(fingerprint(RECIPE))
  })

  it.each<[object, string, string]>([
    [{ upates: 5 }, 'hands.json has the unknown key upates.', 'updates'],
    [{ estimator: { kind: 'rlr', windowLenght: 2 } }, 'hands.json has the unknown key estimator.windowLenght.', 'windowLength'],
    [{ estimator: { kind: 'rlr', zerothOrder: { pair: 2 } } }, 'hands.json has the unknown key estimator.zerothOrder.pair.', 'pairs'],
    [{ adapter: { ranks: 4 } }, 'hands.json has the unknown key adapter.ranks.', 'rank'],
    [{ model: undefined }, 'hands.json lacks the key model.', 'Add model.'],
    [
      { sampling: { steps: 'ten' } },
      'hands.json has a wrong sampling.steps: expected number, received string.',
      'Correct sampling.steps.',
    ],
    [
      { estimator: { kind: 'rlr', firstOrderDepth: 'all' } },
      'hands.json has a wrong estimator.firstOrderDepth: expected number or \'all-but-windows\'.',
      'Correct estimator.firstOrderDepth.',
    ],
    [{ prompts: 3 }, 'hands.json has a wrong prompts: expected array or object.', 'Correct prompts.'],
    [{ prompts: [3] }, 'hands.json has a wrong prompts.0: expected string, received number.', 'Correct prompts.0.'],
    [{ prompts: { fiel: 'prompts.txt' } }, 'hands.json has the unknown key prompts.fiel.', 'file'],
    [{ estimator: { kind: 'rlx' } }, 'hands.json has a wrong estimator.kind', 'Correct estimator.kind.'],
    [{ adapter: { targets: ['attentoin'] } }, 'hands.json has a wrong adapter.targets.0', 'Correct adapter.targets.0.'],
    [{ version: 2 }, 'hands.json has version 2', 'Update Halfstep.'],
    [{ reward: { kind: 'onnx', path: 'c.onnx', wieght: 2 } }, 'reward.wieght', 'weight'],
  ])('with %j is refused as malformed, naming the key and the remedy', (change, message, nextStep) => {
    const error = refusalOf({ ...RECIPE, ...change })
    expect(error.code).toBe('recipe.malformed')
    expect(error.message).toContain(message)
    expect(error.nextStep).toContain(nextStep)
  })

  it.each<[object, string]>([
    [{ estimator: { kind: 'rlr', windowLength: 10 } }, 'windowLength'],
    [{ sampling: { steps: 10, eta: 0 } }, 'eta'],
    [{ sampling: { steps: 10, eta: 0 }, estimator: { kind: 'reinforce' } }, 'eta'],
    [{ sampling: { steps: 10, eta: 0 }, estimator: { kind: 'ddpo' } }, 'eta'],
    [{ sampling: { steps: 0 } }, 'sampling.steps'],
    [{ sampling: { steps: 2000 } }, 'steps'],
    [{ estimator: { kind: 'rlr', firstOrderDepth: 11 } }, 'firstOrderDepth'],
    [{ estimator: { kind: 'rlr', windows: 2 } }, 'windows'],
    [{ estimator: { kind: 'alignprop', depth: 11 } }, 'depth'],
    [{ estimator: { kind: 'rlr', proposal: { kind: 'template' } } }, 'template'],
    [{ estimator: { kind: 'rlr', proposal: { kind: 'emphasis', perStep: [1, 2] } } }, 'one number per step'],
    [{ adapter: { rank: 0 } }, 'Set adapter.rank to at least 1.'],
    [{ batch: { prompts: 3 } }, 'batch.prompts'],
    [{ batch: { samplesPerPrompt: 1 }, reward: { kind: 'variety' } }, 'batch.samplesPerPrompt to 2'],
    [{ batch: { samplesPerPrompt: 1 }, reward: { kind: 'mixture', parts: [{ kind: 'variety' }] } }, 'batch.samplesPerPrompt to 2'],
    [{ schedule: { kind: 'constant', warmUp: 100 } }, 'schedule.warmUp'],
    [{ prompts: [] }, 'Set prompts to at least 1 entries.'],
    [{ optimizer: { learningRate: 0 } }, 'Set optimizer.learningRate to more than 0.'],
  ])('with %j is refused as impossible, with a remedy that names %s', (change, remedy) => {
    const error = refusalOf({ ...RECIPE, ...change })
    expect(error.code).toBe('recipe.impossible')
    expect(error.message).toMatch(/\.$/)
    expect(error.nextStep).toContain(remedy)
  })

  it.each([[null], [[]], ['text'], [7]])('is no %j', (raw) => expect(refusalOf(raw).code).toBe('recipe.malformed'))
})

describe('migrations', () => {
  const rename =
    (from: string, to: string) =>
    ({ [from]: value, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, [to]: value })

  it("are chained from the recipe's version to the newest", () => {
    const chain = [rename('a', 'b'), rename('b', 'c')]
    expect(migrateRecipe({ version: 1, a: 5 }, 'r', chain)).toEqual({ version: 3, c: 5 })
    expect(migrateRecipe({ version: 2, b: 5 }, 'r', chain)).toEqual({ version: 3, c: 5 })
    expect(migrateRecipe({ version: 3, c: 5 }, 'r', chain)).toEqual({ version: 3, c: 5 })
  })

  it('refuse a version from the future', () =>
    expect(() => migrateRecipe({ version: 4 }, 'r', [rename('a', 'b')])).toThrow('knows recipes up to version 2'))
})
