import { expect, it } from 'vitest'
import { FewOpen } from '../../../main/engine/training/few-open.ts'

function watched(most: number) {
  const log: string[] = []
  const counts: number[] = []
  let open = 0
  const few = new FewOpen(most, async (key: string) => {
    log.push(`+${key}`)
    counts.push(++open)
    const dispose = async () => {
      log.push(`-${key}`)
      open--
    }
    return { dispose }
  })
  return { few, log, counts }
}

it('keeps so many open, and closes the one not asked for longest before it opens another', async () => {
  const { few, log, counts } = watched(2)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await few.get(key)
  expect(log).toEqual(['+a', '+b', '-b', '+c', '-c', '+b'])
  expect(Math.max(...counts)).toBe(2)
  await few.dispose()
  expect(log.slice(-2).sort()).toEqual(['-a', '-b'])
})

it('forgets what could not be opened', async () => {
  let fails = true
  const few = new FewOpen(1, () => (fails ? Promise.reject(new Error('no memory')) : Promise.resolve({ dispose: () => Promise.resolve() })))
  await expect(few.get('a')).rejects.toThrow('no memory')
  fails = false
  await expect(few.get('a')).resolves.toBeDefined()
})
