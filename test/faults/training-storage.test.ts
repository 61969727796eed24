import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSafetensors } from '../../native-models/weights/safetensors.ts'
import { type HalfstepError } from '../../main/engine/errors.ts'
import { readCheckpoint } from '../../main/engine/training/checkpoint.ts'
import type { FileSystem } from '../../main/engine/training/file-system.ts'
import { RunFolder } from '../../main/engine/training/run-folder.ts'
import { runToy, temporaryFolder, type ToyResult } from '../unit/training/toy-run.ts'
import { failingFiles, inPlaceFiles, powerCutFiles } from './faulty-files.ts'

const plan = { updates: 6, checkpoint: { every: 2, keepLast: 2 } }
const CODES = ['ENOSPC', 'EIO', 'EPERM', 'EBUSY']

const straight = async (): Promise<Buffer> => readFile((await runToy({ plan })).folder.adapterFile)

/** Runs on a bad disk until it pauses, fails or ends. */
async function runOn(files: FileSystem, path: string): Promise<ToyResult | HalfstepError | Error> {
  try {
    return await runToy({ folder: path, plan, files })
  } catch (error) {
    return error as Error
  }
}

/** Files in the folder that are under their final names and are not sound. */
async function brokenFiles(path: string): Promise<string[]> {
  const folder = new RunFolder(path)
  const broken: string[] = []
  for (const name of await readdir(join(path, 'checkpoints')).catch(() => [])) {
    if (name.startsWith('.')) continue
    await readCheckpoint(join(path, 'checkpoints', name), 'toy').catch(() => broken.push(name))
  }
  const adapter = await readFile(folder.adapterFile).catch(() => undefined)
  if (adapter !== undefined) await openSafetensors(folder.adapterFile).catch(() => broken.push('adapter.safetensors'))
  const recipe = await readFile(folder.recipeFile, 'utf8').catch(() => '{}')
  if (!isJson(recipe)) broken.push('recipe.json')
  return broken
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe.each([{ forever: false }, { forever: true }])(
  'the n-th file operation fails (and all after it: $forever), for every n until none does',
  ({ forever }) => {
    it(
      'breaks no file; the run pauses and says why, or never notices; continued, it ends as if nothing had happened',
      { timeout: 180_000 },
      async () => {
        const expected = await straight()
        const paused = new Set<string>()
        for (let n = 1; ; n++) {
          const path = await temporaryFolder()
          const { files, failed } = failingFiles(n, CODES[n % CODES.length]!, { forever })
          const result = await runOn(files, path)
          const [what = ''] = failed()
          if (what === '') {
            expect(n).toBeGreaterThan(80)
            break
          }
          expect(await brokenFiles(path), `${what} (operation ${n})`).toEqual([])
          if (result instanceof Error) {
            const message = expect.stringMatching(/cannot be (written|read)/) as string
            expect(result, what).toMatchObject({ code: what.startsWith('list') ? 'file.unreadable' : 'file.unwritable', message })
          } else if (result.outcome.outcome === 'paused') {
            paused.add(what.split(' ')[0]!)
            expect(result.events.at(-1), what).toMatchObject({
              type: 'paused',
              reason: 'storage',
              nextStep: expect.stringContaining('Make room') as string,
            })
          } else {
            // Tidying up can wait.
            expect(what).toMatch(/^(remove|list) /)
          }
          await runToy({ folder: path, plan })
          expect(await readFile(new RunFolder(path).adapterFile), `${what} (operation ${n})`).toEqual(expected)
        }
        expect([...paused]).toEqual(expect.arrayContaining(['open', 'rename', 'sync', 'write']))
      },
    )
  },
)

describe('a run that waits on a full disk', () => {
  it('goes on exactly when there is room again', async () => {
    const expected = await straight()
    for (let n = 15; n < 75; n += 3) {
      const { files, failed } = failingFiles(n, 'ENOSPC')
      const { events, folder } = await runToy({
        folder: await temporaryFolder(),
        plan,
        files,
        whenPaused: 'wait',
        onEvent: (event, commands) => event.type === 'paused' && commands.push({ type: 'resume' }),
      })
      expect(
        events.some(({ type }) => type === 'paused'),
        failed()[0],
      ).toBe(!/^(list|remove)/.test(failed()[0] ?? ''))
      expect(await readFile(folder.adapterFile)).toEqual(expected)
      expect(await brokenFiles(folder.path)).toEqual([])
    }
  })
})

describe.each([{ renamesSurvive: true }, { renamesSurvive: false }])(
  'the power fails at any file operation (renames survive: $renamesSurvive)',
  ({ renamesSurvive }) => {
    it('and every file is whole afterwards, and the run ends as if nothing had happened', { timeout: 180_000 }, async () => {
      const expected = await straight()
      for (let at = 1; ; at++) {
        const path = await temporaryFolder()
        const { files, isCut } = powerCutFiles({ at, renamesSurvive, flushes: true })
        await runOn(files, path)
        if (!isCut()) break
        expect(await brokenFiles(path), String(at)).toEqual([])
        await runToy({ folder: path, plan })
        expect(await readFile(new RunFolder(path).adapterFile), String(at)).toEqual(expected)
      }
    })
  },
)

describe('these tests notice', () => {
  it('files that are written in place', async () => {
    const broken: string[] = []
    for (let n = 1; n <= 60; n++) {
      const path = await temporaryFolder()
      await runOn(failingFiles(n, 'EIO', { inner: inPlaceFiles }).files, path)
      broken.push(...(await brokenFiles(path)))
    }
    expect(broken).toEqual(expect.arrayContaining(['000002.safetensors', 'recipe.json']))
  })

  it('files that are renamed without having been flushed', async () => {
    const broken: string[] = []
    for (let at = 30; at <= 60; at += 5) {
      const path = await temporaryFolder()
      await runOn(powerCutFiles({ at, renamesSurvive: true, flushes: false }).files, path)
      broken.push(...(await brokenFiles(path)))
    }
    expect(broken).toContain('000002.safetensors')
  })
})
