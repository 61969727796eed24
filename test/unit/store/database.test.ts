import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../main/store/database.ts'
import { MIGRATIONS, type Migration } from '../../../main/store/migrations/index.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-store-'))
  path = join(folder, 'library.sqlite')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A database with the given `user_version` and one table, closed again. */
function writeDatabase(version: number): void {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE kept (value INTEGER) STRICT; INSERT INTO kept VALUES (7)')
  database.pragma(`user_version = ${version}`)
  database.close()
}

function versionOf(file: string): unknown {
  const database = new Database(file)
  const version = database.pragma('user_version', { simple: true })
  database.close()
  return version
}

const codeOf = (action: () => unknown): unknown => {
  try {
    action()
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? thrown.code : thrown
  }
  return 'nothing was thrown'
}

describe('opening a library database', () => {
  it('is durable: write-ahead log, synchronous FULL read back as 2, foreign keys on, a busy timeout', () => {
    const database = openDatabase(path)
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(database.pragma('synchronous', { simple: true })).toBe(2)
    expect(database.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5000)
    database.close()
  })

  it('is sound after all migrations: integrity and foreign keys clean, every table STRICT', () => {
    const database = openDatabase(path)
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(database.pragma('foreign_key_check')).toEqual([])
    const loose = "SELECT name FROM pragma_table_list WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite_%'"
    expect(database.prepare(loose).all()).toEqual([])
    database.close()
  })

  it('brings every older schema to the newest', () => {
    for (const { id } of MIGRATIONS) {
      const older = join(folder, `from-${id - 1}.sqlite`)
      openDatabase(older, MIGRATIONS.slice(0, id - 1)).close()
      openDatabase(older).close()
      expect(versionOf(older)).toBe(MIGRATIONS.length)
    }
  })

  it('opens a current database again without running a migration twice', () => {
    let runs = 0
    const counted: Migration[] = [{ id: 1, name: 'counted', up: () => void runs++ }]
    openDatabase(path, counted).close()
    openDatabase(path, counted).close()
    expect(runs).toBe(1)
  })

  it('refuses a database of a newer Halfstep and leaves its bytes as they were', () => {
    writeDatabase(MIGRATIONS.length + 1)
    const before = readFileSync(path)
    const modified = statSync(path).mtimeMs
    expect(codeOf(() => openDatabase(path))).toBe('store.newer')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(statSync(path).mtimeMs).toBe(modified)
  })

  it('refuses a file that is no database, by name', () => {
    writeFileSync(path, 'this is a text file, and long enough to be taken for a header page of a database file')
    expect(codeOf(() => openDatabase(path))).toBe('store.unreadable')
    expect(() => openDatabase(path)).toThrow(path)
  })
})

describe('migrations', () => {
  it('are numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map(({ id }) => id)).toEqual(MIGRATIONS.map((_, index) => index + 1))
  })

  it('leave the old schema and version when one throws half way', () => {
    const failing: Migration = {
      id: 2,
      name: 'fails half way',
      up(database) {
        database.exec('CREATE TABLE half (value INTEGER) STRICT')
        throw new Error('half way')
      },
    }
    const first: Migration = { id: 1, name: 'first', up: (database) => void database.exec('CREATE TABLE whole (value INTEGER) STRICT') }
    expect(() => openDatabase(path, [first, failing])).toThrow('half way')
    const database = new Database(path)
    expect(database.pragma('user_version', { simple: true })).toBe(1)
    expect(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()).toEqual(['whole'])
    database.close()
  })

  it('leave the old schema and version when the process is killed half way', async () => {
    writeDatabase(0)
    const program = join(import.meta.dirname, 'killed-migration.ts')
    const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')

    const database = new Database(path)
    expect(database.pragma('user_version', { simple: true })).toBe(0)
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").pluck().all()).toEqual(['kept'])
    expect(database.prepare('SELECT count(*) FROM kept').pluck().get()).toBe(1)
    database.close()
  })
})
