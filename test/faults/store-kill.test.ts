import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkDatabase } from '../../main/store/check-database.ts'
import { openDatabase } from '../../main/store/database.ts'
import { readMetrics } from '../../main/store/metrics.ts'
import { MIGRATIONS } from '../../main/store/migrations/index.ts'
import { readAllRuns } from '../../main/store/runs.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-store-kill-'))
  path = join(folder, 'library.sqlite')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Starts a program on the database and kills it so long after it says that it is ready. */
async function kill(program: string, argument: number, afterMs: number): Promise<void> {
  const args = [join(import.meta.dirname, program), path, String(argument)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await wait(afterMs)
  child.kill('SIGKILL')
  await once(child, 'exit')
}

describe('the library after a kill', () => {
  it('is sound in the middle of whatever was written, and every commit is whole', async () => {
    for (const [seed, afterMs] of [0, 3, 11, 40, 150].entries()) {
      await kill('writing-store-main.ts', seed, afterMs)
      const database = openDatabase(path)
      expect(checkDatabase(database)).toEqual([])
      expect(database.pragma('synchronous', { simple: true })).toBe(2)
      // Metrics are written twenty at a time, and captions two.
      for (const { id } of readAllRuns(database)) expect(readMetrics(database, id).length % 20).toBe(0)
      expect(Number(database.prepare('SELECT count(*) FROM captions').pluck().get()) % 2).toBe(0)
      database.close()
    }
  })

  it('has the schema of before, inside every migration, and comes to the newest on the next start', async () => {
    for (const { id } of MIGRATIONS) {
      await kill('migrating-store-main.ts', id, 0)
      const older = openDatabase(path, MIGRATIONS.slice(0, id - 1))
      expect(older.pragma('user_version', { simple: true })).toBe(id - 1)
      expect(checkDatabase(older)).toEqual([])
      older.close()
    }
    const newest = openDatabase(path)
    expect(newest.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length)
    expect(checkDatabase(newest)).toEqual([])
    newest.close()
  })
})
