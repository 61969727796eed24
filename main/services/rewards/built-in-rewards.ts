import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Reward } from './rewards.ts'

/** Judges that come with Halfstep, as far as they are there. @param starter folder of the starter model */
export function builtInRewards(starter: string): Reward[] {
  const path = join(starter, 'critic.onnx')
  if (!existsSync(path)) return []
  return [{
    id: '00000000-0000-4000-8000-000000000101',
    name: 'Five fingers (for the starter)',
    spec: { kind: 'critic', name: 'five fingers', path, target: { output: 'score' } },
    notes: 'Counts fingers in pictures of the starter model. It knows nothing of other pictures.',
    builtIn: true,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  }]
}
