import type { ModelSummary } from '../../../main/engine/protocol.ts'
import type { StoredModel } from '../../../main/store/models.ts'
import type { StoredRun } from '../../../main/store/runs.ts'

/** An id that the contract takes, from a small number. */
export const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

export const SUMMARY: ModelSummary = {
  path: '/models/sd15',
  family: 'sd1',
  layout: 'diffusers',
  predictionType: 'epsilon',
  components: [{ name: 'unet', parameters: 10, bytes: 20, precision: { float16: 20 } }],
  tokenizer: null,
  latentSize: [4, 64, 64],
  crossAttentionWidth: 768,
  problems: [],
  faults: [],
}

export const MODEL: StoredModel = {
  id: idOf(1), name: 'sd15', path: '/models/sd15', summary: SUMMARY, missing: false, builtIn: false, addedAt: '2026-01-01T00:00:00.000Z',
}

export const RUN: StoredRun = {
  id: idOf(10),
  name: 'Hands',
  goal: 'fix-hands',
  state: 'stopped',
  recipe: { version: 1, model: '/models/sd15', updates: 4, samples: { every: 2 } },
  folder: `runs/${idOf(10)}`,
  device: 'cpu',
  modelId: null,
  update: 0,
  updates: 4,
  reason: null,
  createdAt: '2026-01-02T00:00:00.000Z',
  startedAt: null,
  endedAt: null,
}
