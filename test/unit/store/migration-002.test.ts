import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../../../main/store/migrations/index.ts'

let database: Database.Database

beforeEach(() => {
  database = new Database(':memory:')
  for (const { up } of MIGRATIONS.slice(0, 2)) up(database)
})

afterEach(() => database.close())

const model = (id: string, path: string, family = 'sd1', summary = '{}'): string =>
  `INSERT INTO models (id, name, path, family, summary, added_at) VALUES ('${id}', 'a', '${path}', '${family}', '${summary}', '2026')`

describe('migration 2: models', () => {
  it('keeps families that exist and summaries that are JSON', () => {
    database.exec(model('1', '/a'))
    expect(() => database.exec(model('2', '/b', 'sd3'))).toThrow('CHECK')
    expect(() => database.exec(model('2', '/b', 'sd1', '{'))).toThrow('CHECK')
    expect(() => database.exec(model('2', ''))).toThrow('CHECK')
  })

  it('knows each path once outside the bin', () => {
    database.exec(model('1', '/a'))
    expect(() => database.exec(model('2', '/a'))).toThrow('UNIQUE')
    database.exec("UPDATE models SET deleted_at = '2026' WHERE id = '1'")
    database.exec(model('2', '/a'))
    expect(() => database.exec("UPDATE models SET deleted_at = NULL WHERE id = '1'")).toThrow('UNIQUE')
  })

  it('leaves what was there', () => {
    const older = new Database(':memory:')
    MIGRATIONS[0]!.up(older)
    older.exec("INSERT INTO settings VALUES ('theme', '\"dark\"')")
    MIGRATIONS[1]!.up(older)
    expect(older.prepare('SELECT * FROM settings').all()).toEqual([{ key: 'theme', value: '"dark"' }])
    older.close()
  })
})
